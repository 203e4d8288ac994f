// The scoring desk by keyboard: marks, moving, stock phrases. Every key has a button that does the
// same; single keys can be switched off (WCAG 2.1.4) and are left alone while text is being typed.
// Saving is static/js/autosave.js.
"use strict";

(() => {
  const OFF = "desk:keys-off";
  const rows = [...document.querySelectorAll("article.indicator[hx-post]")];
  const keysDialog = document.getElementById("keys");
  const phrasesDialog = document.getElementById("phrases");
  const field = (row, name) => document.getElementById(`${row.id}-${name}`);
  const gap = (row) => row.querySelector(".notes").dataset.gap;
  let now = rows.find(gap) || rows[0];

  const mark = (row) => {
    now.classList.remove("indicator-now");
    now = row;
    now.classList.add("indicator-now");
  };
  const go = (row) => {
    if (!row) return;
    mark(row);
    const first = row.querySelector(".fields input:not([type=hidden]):checked") || field(row, "score");
    const target = first || row.querySelector(".fields input:not([type=hidden])");
    target.focus({ preventScroll: true });
    if (target.select && target.type === "text") target.select();
    row.scrollIntoView({ block: "start" });
  };
  const told = (input) => input.dispatchEvent(new Event("input", { bubbles: true }));
  const put = (input, value) => {
    if (!input) return;
    input.value = value;
    told(input);
  };
  const tick = (row, chosen) => {
    row.querySelectorAll(`input[name="${row.id}-checked"]`).forEach((box) => {
      box.checked = chosen(box.value);
      told(box);
    });
  };
  const full = (row) => row.querySelector(".indicator-head").dataset.max;

  const marks = {
    full: (row) => {
      put(field(row, "score"), full(row));
      tick(row, (item) => item !== "-");
    },
    zero: (row) => {
      put(field(row, "score"), "0");
      tick(row, (item) => item === "-");
    },
    own: (row) => {
      const own = JSON.parse(row.dataset.own);
      tick(row, (item) => own.checked.includes(item));
      for (const name of ["numerator", "denominator", "score"]) {
        if (own[name] !== "") put(field(row, name), own[name]);
      }
    },
  };
  const claim = (row, answer) => {
    const choice = field(row, `claim-${answer}`);
    if (!choice) return;
    choice.checked = true;
    told(choice);
  };

  const nextGap = () => {
    const at = rows.indexOf(now);
    const found = [...rows.slice(at + 1), ...rows.slice(0, at)].find(gap);
    const link = document.querySelector("[data-next-gap]");
    if (found) go(found);
    else if (link?.dataset.nextGap) location.assign(link.dataset.nextGap);
    else document.querySelector("#desk-progress .btn").focus();
  };
  const step = (by) => go(rows[rows.indexOf(now) + by]);

  // Phrases: those of the current indicator and those for any.
  const choosePhrase = () => {
    const shown = [...phrasesDialog.querySelectorAll("li[data-code]")].filter((item) => {
      item.hidden = item.dataset.code !== "" && item.dataset.code !== now.id;
      return !item.hidden;
    });
    document.getElementById("no-phrases").hidden = shown.length > 0;
    phrasesDialog.showModal();
  };
  const insert = (button) => {
    const remark = field(now, "remark");
    const text = button.textContent.trim();
    if (!remark.value.includes(text)) put(remark, remark.value.trim() + text);
    now.querySelector(`input[name="${now.id}-phrase"]`).value = button.dataset.phrase;
    phrasesDialog.close();
    remark.focus();
  };
  phrasesDialog.addEventListener("click", ({ target }) => {
    if (target.matches("[data-phrase]")) insert(target);
  });
  phrasesDialog.addEventListener("keydown", (event) => {
    const button = phrasesDialog.querySelectorAll("li:not([hidden]) [data-phrase]")[Number(event.key) - 1];
    if (!button || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation(); // the digit is not a score as well
    insert(button);
  });
  const form = document.getElementById("sheet");
  form.addEventListener("answer:saved", ({ target }) => {
    target.querySelector('input[name$="-phrase"]').value = ""; // counted once
  });
  form.addEventListener("htmx:afterSwap", ({ detail, target }) => {
    if (target.matches(".notes") && detail.requestConfig.elt.name === "keep") htmx.trigger("#aside", "phrases");
  });

  const isOn = () => localStorage.getItem(OFF) === null;
  const commands = {
    KeyM: () => marks.full(now),
    KeyS: () => marks.own(now),
    Digit0: () => marks.zero(now),
    Numpad0: () => marks.zero(now),
    KeyN: nextGap,
    KeyJ: () => step(1),
    KeyK: () => step(-1),
    BracketRight: () => document.querySelector("[data-next-review]").click(),
    Slash: choosePhrase,
    KeyR: () => field(now, "remark").focus(),
    KeyE: () => now.querySelector("[data-view] .file-name")?.click(),
    KeyA: () => claim(now, "accept"),
    KeyX: () => claim(now, "refuse"),
  };
  const isText = (element) => element.matches("textarea, select, input:not([type=checkbox], [type=radio])");

  document.addEventListener("keydown", (event) => {
    const { target, code, key } = event;
    if (event.ctrlKey || event.metaKey || event.isComposing || document.querySelector("dialog[open]")) return;
    const isScore = target.id === `${now.id}-score`;
    if (isScore && (key === "ArrowUp" || key === "ArrowDown")) {
      const change = key === "ArrowUp" ? 0.5 : -0.5;
      const value = Math.round((Number(scoring.digits(target.value)) || 0) * 2) / 2 + change;
      put(target, String(Math.min(Number(full(now)), Math.max(0, value))));
    } else if (isScore && key === "Enter") {
      const below = target.value !== "" && Number(scoring.digits(target.value)) < Number(full(now));
      if (below && !field(now, "remark").value) field(now, "remark").focus();
      else nextGap();
    } else if (event.altKey) {
      if (!commands[code]) return;
      commands[code]();
    } else if (!isOn() || isText(target)) {
      return;
    } else if (key === "?") {
      keysDialog.showModal();
    } else if (commands[code] && !event.shiftKey) {
      commands[code]();
    } else if (/^[1-9]$/.test(key) && field(now, "score")) {
      field(now, "score").focus();
      put(field(now, "score"), key);
    } else {
      return;
    }
    event.preventDefault();
  });

  form.addEventListener("focusin", ({ target }) => {
    const row = target.closest("article.indicator[hx-post]");
    if (row) mark(row);
  });

  // The same by buttons.
  const button = (label, action, name = label) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "btn btn-secondary btn-small";
    made.textContent = label;
    made.setAttribute("aria-label", name);
    made.addEventListener("click", action);
    return made;
  };
  rows.forEach((row) => {
    const line = row.querySelector(".score-line");
    if (line) line.append(button(gettext("零分"), () => marks.zero(row)));
    else (field(row, "checked-none")?.closest(".checks") || row.querySelector(".counts")).append(button(gettext("同自评"), () => marks.own(row), gettext("同自评，确认这些数字")));
  });
  document.querySelectorAll("[data-phrases]").forEach((one) => {
    one.hidden = false;
    one.addEventListener("click", () => {
      mark(one.closest("article"));
      choosePhrase();
    });
  });
  const open = document.querySelector("[data-keys]");
  open.hidden = false;
  open.addEventListener("click", () => keysDialog.showModal());
  const on = document.getElementById("keys-on");
  const hint = document.querySelector("[data-keys-hint]");
  const show = () => {
    on.checked = isOn();
    hint.hidden = !isOn();
  };
  on.addEventListener("change", () => {
    if (on.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "yes");
    show();
  });
  show();

  // Completing waits for what is still on its way, and stays where that cannot be stored.
  const finish = document.getElementById("complete-review");
  finish.addEventListener("submit", (event) => {
    if (autosave.isSettled()) return;
    event.preventDefault();
    autosave.flush();
    let tries = 50;
    const timer = setInterval(() => {
      tries -= 1;
      if (autosave.isSettled() || !tries || autosave.isStuck()) clearInterval(timer);
      if (autosave.isSettled()) finish.requestSubmit();
    }, 100);
  });

  const wanted = rows.find((row) => `#${row.id}` === decodeURIComponent(location.hash));
  if (wanted) go(wanted);
  else mark(now);
})();
