// The editor of a rubric: only the fields of the chosen kind, and the sum of the points as typed.
(() => {
  "use strict";
  const form = document.querySelector("form[data-others]");
  const balance = document.getElementById("balance");

  function showKind(indicator) {
    const kind = indicator.querySelector("select[name$='-kind']").value;
    for (const part of indicator.querySelectorAll("[data-of-kind]")) {
      part.hidden = part.dataset.ofKind !== kind;
    }
  }

  // In tenths, so that 0.1 + 0.2 is 0.3.
  const tenths = (text) => Math.round(Number(text || 0) * 10) || 0;

  function sum() {
    let own = 0;
    for (const indicator of form.querySelectorAll(".indicator-edit")) {
      if (!indicator.querySelector("input[name$='-DELETE']").checked) {
        own += tenths(indicator.querySelector("input[name$='-max_points']").value);
      }
    }
    const all = own + tenths(form.dataset.others);
    const points = { own: own / 10, all: all / 10, off: Math.abs(all - 1000) / 10 };
    let words = gettext("本“好” {own} 分，整套标准 {all} 分，正好 100 分。");
    if (all < 1000) words = gettext("本“好” {own} 分，整套标准 {all} 分，还差 {off} 分；可以先保存，但活动不能使用。");
    if (all > 1000) words = gettext("本“好” {own} 分，整套标准 {all} 分，多出 {off} 分；可以先保存，但活动不能使用。");
    balance.textContent = fill(words, points);
  }

  form.querySelectorAll(".indicator-edit").forEach(showKind);
  form.addEventListener("change", (event) => {
    const indicator = event.target.closest(".indicator-edit");
    if (indicator) showKind(indicator);
    sum();
  });
  form.addEventListener("input", sum);
  sum();
})();
