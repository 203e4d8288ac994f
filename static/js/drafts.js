// What was typed and not yet saved survives a lost connection, an expired session and a closed
// window: each changed field is kept in this browser, under its user and its page's address, and
// offered when that page opens again. A field goes once it has been saved, and all of them go at
// sign-out, so that nothing stays behind on a shared computer.
//
// A kept field remembers the version of the answer that it was typed over (`seen`). Restoring it
// brings that version back too, so that the server can tell when somebody else has changed the
// answer meanwhile.
"use strict";

(() => {
  const PREFIX = "draft:";
  const SENT = "sent-draft"; // in this tab: what the last form that was sent held

  document.querySelector("[data-clears-drafts]")?.addEventListener("submit", () => {
    Object.keys(localStorage)
      .filter((key) => key.startsWith(PREFIX))
      .forEach((key) => localStorage.removeItem(key));
  });

  const load = (key) => {
    try {
      return JSON.parse(localStorage.getItem(key)) || { fields: {} };
    } catch {
      return { fields: {} };
    }
  };

  const store = (key, fields) => {
    try {
      if (Object.keys(fields).length) localStorage.setItem(key, JSON.stringify({ at: Date.now(), fields }));
      else localStorage.removeItem(key);
    } catch {
      // No room or no permission to keep drafts: saving still works.
    }
  };

  const rowOf = (field) => field.closest(".indicator");
  const isWrong = (field) => {
    const row = rowOf(field);
    return row ? row.matches(".indicator-wrong") : field.form.querySelector(".is-invalid") !== null;
  };

  // Saving may lead to another page: the page that reports success settles what was sent. A page
  // that came back with mistakes has saved the rows that are not marked.
  const sent = JSON.parse(sessionStorage.getItem(SENT) || "null");
  sessionStorage.removeItem(SENT);
  const forms = [...document.querySelectorAll("form#sheet, form[data-keeps-draft]")];
  const mistakes =
    document.querySelector(".indicator-wrong") !== null ||
    forms.some((form) => form.querySelector(".is-invalid"));
  if (sent && (mistakes || document.querySelector(".alert-success"))) {
    const { fields } = load(sent.key);
    for (const id of sent.ids) {
      const field = document.getElementById(id);
      if (!mistakes || (field && !isWrong(field))) delete fields[id];
    }
    store(sent.key, fields);
  }

  if (!forms.length) return;

  const key = `${PREFIX}${document.body.dataset.user}:${location.pathname}`;
  const state = document.querySelector("[data-save-state]");
  const UNKEPT = ["hidden", "file", "password", "submit", "button"];
  const fields = forms
    .flatMap((form) => [...form.elements])
    .filter((field) => field.id && field.name && !UNKEPT.includes(field.type));
  const isTick = (field) => ["checkbox", "radio"].includes(field.type);
  const valueOf = (field) => (isTick(field) ? field.checked : field.value);
  const versionOf = (field) => rowOf(field)?.querySelector('input[name$="-seen"]');
  const shown = new Map(fields.map((field) => [field.id, valueOf(field)]));
  const live = {}; // changed on this page and not saved
  let pending = {}; // kept from before, offered and not yet taken
  let leaving = false;

  const show = (text) => {
    if (state && !window.autosave) state.textContent = text; // where answers save themselves, autosave.js tells
  };

  const keep = () => {
    store(key, { ...pending, ...live });
    show(Object.keys(live).length ? gettext("有未保存的修改") : "");
  };

  const offer = (at) => {
    const box = document.createElement("div");
    box.className = "alert alert-warning";
    box.setAttribute("role", "alert");
    const text = document.createElement("p");
    text.textContent = fill(gettext("这台电脑上有 {time} 填写而没有保存的内容。"), { time: new Date(at).toLocaleString(document.documentElement.lang) });
    const button = (label, style, action) => {
      const made = document.createElement("button");
      made.type = "button";
      made.className = `btn ${style} btn-small me-2`;
      made.textContent = label;
      made.addEventListener("click", () => {
        const taken = pending;
        pending = {};
        box.remove();
        action(taken);
        keep();
      });
      return made;
    };
    const restore = (taken) => {
      for (const [id, { value, seen }] of Object.entries(taken)) {
        const field = document.getElementById(id);
        if (!field) continue;
        if (isTick(field)) field.checked = value;
        else field.value = value;
        const version = versionOf(field);
        if (version && seen) version.value = seen;
        field.dispatchEvent(new Event("input", { bubbles: true }));
      }
    };
    box.append(
      text,
      button(gettext("恢复这些内容"), "btn-primary", restore),
      button(gettext("不要了"), "btn-secondary", () => {}),
    );
    forms[0].before(box);
  };

  const kept = load(key);
  for (const [id, one] of Object.entries(kept.fields)) {
    const field = document.getElementById(id);
    if (!field || !shown.has(id)) continue;
    if (isWrong(field)) {
      live[id] = one; // typed, shown, and stored nowhere yet
      shown.set(id, null);
    } else if (shown.get(id) !== one.value) {
      pending[id] = one;
    }
  }
  store(key, { ...pending, ...live });
  if (Object.keys(pending).length) offer(kept.at);

  for (const form of forms) {
    form.addEventListener("input", ({ target }) => {
      if (!shown.has(target.id)) return;
      if (valueOf(target) === shown.get(target.id)) delete live[target.id];
      else live[target.id] = { value: valueOf(target), seen: versionOf(target)?.value };
      keep();
    });
    // An answer that saved itself (autosave.js): `values` is what arrived.
    form.addEventListener("answer:saved", ({ detail }) => {
      for (const [id, value] of detail.values) {
        if (!shown.has(id)) continue;
        shown.set(id, value);
        const field = document.getElementById(id);
        if (field && valueOf(field) === value) delete live[id];
      }
      keep();
    });
    form.addEventListener("submit", (event) => {
      if (event.defaultPrevented) return;
      leaving = true;
      form.dataset.leaving = "yes";
      const ids = Object.keys(live).filter((id) => document.getElementById(id)?.form === form);
      sessionStorage.setItem(SENT, JSON.stringify({ key, ids }));
      show(gettext("正在保存…"));
    });
  }
  window.addEventListener("beforeunload", (event) => {
    const isSignedOut = "signedOut" in document.body.dataset; // see idle.js: all is kept
    const unsaved = window.autosave ? window.autosave.isStuck() : Object.keys(live).length;
    if (unsaved && !leaving && !isSignedOut) event.preventDefault();
  });
  window.addEventListener("offline", () => show(gettext("网络已断开，内容保留在本机")));
  window.addEventListener("online", () => show(gettext("网络已恢复，请保存")));
})();
