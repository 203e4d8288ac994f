// A textarea marked data-rich-text becomes an editor with buttons; without this script it stays as
// it is. What the editor sends is sanitised by the server.
"use strict";

Object.assign(Trix.config.lang, {
  bold: gettext("加粗"),
  bullets: gettext("项目列表"),
  code: gettext("代码"),
  heading1: gettext("小标题"),
  indent: gettext("增加缩进"),
  italic: gettext("斜体"),
  link: gettext("链接"),
  numbers: gettext("编号列表"),
  outdent: gettext("减少缩进"),
  quote: gettext("引用"),
  redo: gettext("重做"),
  remove: gettext("删除"),
  strike: gettext("删除线"),
  undo: gettext("撤销"),
  unlink: gettext("取消链接"),
  url: gettext("链接地址"),
  urlPlaceholder: gettext("填写网址…"),
});
Trix.config.blockAttributes.heading1.tagName = "h2";

for (const source of document.querySelectorAll("textarea[data-rich-text]")) {
  const label = document.querySelector(`label[for="${source.id}"]`);
  const editor = document.createElement("trix-editor");
  editor.setAttribute("input", source.id);
  editor.setAttribute("aria-label", label.textContent.replace("*", "").trim());
  editor.className = "rich-text";
  source.hidden = true;
  // The label's own field is hidden: a touch goes to the editor.
  label.addEventListener("click", () => editor.focus());
  source.after(editor);
  // Files go with the notice, not into its text.
  editor.addEventListener("trix-file-accept", (event) => event.preventDefault());
}
