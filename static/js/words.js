// The words of the scripts: Chinese as they stand, or as the catalogue (loaded before) has them.
(() => {
  window.gettext = window.gettext || ((text) => text);
  // "共 {count} 份" with {count: 3}
  window.fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => name in values ? values[name] : whole);
})();
