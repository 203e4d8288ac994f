// Conveniences on a page of indicators: steps, full marks, the live rate, the length of an account.
// The points are static/js/scoring.js.
// The page works without them; the server computes everything again.
"use strict";

(() => {
  const LONGEST = 5000;
  const { digits } = scoring;
  const full = (field) => field.closest("article").querySelector(".indicator-head").dataset.max;

  const put = (field, value) => {
    field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const button = (label, action, name = label) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "btn btn-secondary btn-small";
    made.textContent = label;
    if (name !== label) made.setAttribute("aria-label", name);
    made.addEventListener("click", action);
    return made;
  };

  // A score: half a point down, half a point up, the full mark.
  document.querySelectorAll(".score-line input:enabled").forEach((field) => {
    const most = Number(full(field));
    const step = (by) => () => {
      const now = Number(digits(field.value));
      const next = (Number.isFinite(now) ? Math.round(now * 2) / 2 : 0) + by;
      put(field, String(Math.min(most, Math.max(0, next))));
    };
    const of = document.createElement("span");
    of.textContent = fill(gettext("/ {points} 分"), { points: full(field) });
    field.before(button("−", step(-0.5), gettext("减半分")));
    field.after(button("＋", step(0.5), gettext("加半分")), of, button(gettext("满分"), () => put(field, full(field))));
  });

  // A list: all of it at one touch; “none of these” and the rest exclude each other.
  document.querySelectorAll("fieldset:enabled .checks").forEach((list) => {
    const boxes = [...list.querySelectorAll("input")];
    const none = boxes.pop();
    const told = () => none.dispatchEvent(new Event("input", { bubbles: true }));
    list.append(
      button(gettext("全部都有"), () => {
        boxes.forEach((box) => (box.checked = true));
        none.checked = false;
        boxes.forEach((box) => box.dispatchEvent(new Event("input", { bubbles: true })));
      }),
    );
    list.addEventListener("change", ({ target }) => {
      if (target === none && none.checked) {
        boxes.forEach((box) => (box.checked = false));
        boxes.forEach((box) => box.dispatchEvent(new Event("input", { bubbles: true })));
      } else if (target !== none && target.checked && none.checked) {
        none.checked = false;
        told();
      }
    });
  });

  // An account: how long it is, counted as the server counts.
  document.querySelectorAll('textarea[name$="-account"]:enabled').forEach((field) => {
    const counter = document.createElement("div");
    counter.className = "counter";
    const count = () => {
      const length = [...field.value.trim()].length;
      counter.textContent = fill(gettext("{length} / {longest} 字"), { length, longest: LONGEST });
      counter.classList.toggle("unmet", length > LONGEST);
    };
    field.after(counter);
    field.addEventListener("input", count);
    count();
  });

  // The reason belongs to the tick before it.
  document.querySelectorAll('input[name$="-not_applicable"]:enabled').forEach((tick) => {
    const reason = tick.closest(".form-check").nextElementSibling;
    if (!reason?.classList.contains("reason")) return;
    const show = () => (reason.hidden = !tick.checked);
    tick.addEventListener("input", show);
    show();
  });

  const takeOver = (from) => put(document.getElementById(from.dataset.fill), from.dataset.value);

  document.querySelectorAll("[data-fill]").forEach((from) => {
    from.hidden = false;
    from.addEventListener("click", () => takeOver(from));
  });

  document.querySelectorAll("[data-fill-all]").forEach((all) => {
    all.hidden = false;
    all.addEventListener("click", () => {
      document.querySelectorAll("[data-fill]").forEach((from) => {
        const empty = document.getElementById(from.dataset.fill).value === "";
        if (from.textContent === all.dataset.fillAll && empty) takeOver(from);
      });
    });
  });

  // Whole numbers compared by multiplication, as the server does: 94.995 is not 95.
  const showRate = (group) => {
    const [numerator, denominator] = [...group.querySelectorAll("input")].map((input) => digits(input.value));
    const output = group.querySelector("output");
    output.className = "rate";
    output.textContent = "";
    if (!/^\d{1,10}$/.test(numerator) || !/^\d{1,10}$/.test(denominator) || Number(denominator) === 0) return;
    if (Number(numerator) > Number(denominator)) return;
    const fine = (BigInt(numerator) * 1000000n) / BigInt(denominator); // 1/10000 of a percent
    const threshold = group.dataset.threshold;
    const show = (hundredths) => `= ${hundredths / 100n}.${String(hundredths % 100n).padStart(2, "0")}%`;
    if (!threshold) {
      output.textContent = show((fine + 50n) / 100n);
      return;
    }
    const met = BigInt(numerator) * 10000n >= BigInt(Math.round(Number(threshold) * 100)) * BigInt(denominator);
    // Below the line it is rounded down: 94.995 % must not read as 95 %.
    const verdict = met ? gettext("达到") : gettext("未达到");
    output.textContent = `${show(met ? (fine + 50n) / 100n : fine / 100n)} ${verdict}`;
    output.classList.add(met ? "met" : "unmet");
  };

  document.querySelectorAll("[data-rate]").forEach((group) => {
    group.addEventListener("input", () => showRate(group));
    showRate(group);
  });
})();
