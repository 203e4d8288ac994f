// What was typed and not yet saved survives a lost connection, an expired session and a closed
// window: it is kept in this browser, under its page's address, and offered when that page opens
// again. It goes once the page has been saved, and all of it goes at sign-out, so that nothing
// stays behind on a shared computer.
"use strict";

(() => {
  const SENT = "sent-draft"; // in this tab: the draft that the last form sent belongs to

  document.querySelector("[data-clears-drafts]")?.addEventListener("submit", () => {
    Object.keys(localStorage)
      .filter((key) => key.startsWith("draft:"))
      .forEach((key) => localStorage.removeItem(key));
  });

  // Saving may lead to another page: the page that reports success settles the draft.
  const sent = sessionStorage.getItem(SENT);
  if (sent && document.querySelector(".alert-success")) localStorage.removeItem(sent);
  sessionStorage.removeItem(SENT);

  const form = document.getElementById("sheet");
  if (!form || form.tagName !== "FORM") return;
  const key = `draft:${location.pathname}`;
  const state = document.querySelector("[data-save-state]");
  const fields = () => [...form.elements].filter((field) => field.name && !["hidden", "file", "submit", "button"].includes(field.type));
  const read = () => fields().map((field) => [field.id, ["checkbox", "radio"].includes(field.type) ? field.checked : field.value]);
  const loaded = JSON.stringify(read());
  let dirty = false;

  const show = (text) => {
    if (state) state.textContent = text;
  };

  const restore = (values) => {
    for (const [id, value] of values) {
      const field = document.getElementById(id);
      if (!field) continue;
      if (typeof value === "boolean") field.checked = value;
      else field.value = value;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
  };

  const offer = (kept) => {
    const box = document.createElement("div");
    box.className = "alert alert-warning";
    box.setAttribute("role", "alert");
    const text = document.createElement("p");
    text.textContent = `这台电脑上有 ${new Date(kept.at).toLocaleString("zh-CN")} 填写而没有保存的内容。`;
    const take = document.createElement("button");
    take.type = "button";
    take.className = "btn btn-primary btn-small me-2";
    take.textContent = "恢复这些内容";
    take.addEventListener("click", () => {
      restore(kept.values);
      box.remove();
    });
    const drop = document.createElement("button");
    drop.type = "button";
    drop.className = "btn btn-secondary btn-small";
    drop.textContent = "不要了";
    drop.addEventListener("click", () => {
      localStorage.removeItem(key);
      box.remove();
    });
    box.append(text, take, drop);
    form.before(box);
  };

  try {
    const kept = JSON.parse(localStorage.getItem(key) || "null");
    // A page that comes back with errors shows what was typed: there is nothing to offer.
    if (kept && JSON.stringify(kept.values) === loaded) localStorage.removeItem(key);
    else if (kept) offer(kept);
  } catch {
    localStorage.removeItem(key);
  }

  form.addEventListener("input", () => {
    const values = read();
    dirty = JSON.stringify(values) !== loaded;
    try {
      if (dirty) localStorage.setItem(key, JSON.stringify({ at: Date.now(), values }));
      else localStorage.removeItem(key);
    } catch {
      // No room or no permission to keep drafts: saving still works.
    }
    show(dirty ? "有未保存的修改" : "");
  });
  form.addEventListener("submit", () => {
    dirty = false;
    sessionStorage.setItem(SENT, key);
    show("正在保存…");
  });
  window.addEventListener("beforeunload", (event) => {
    if (dirty) event.preventDefault();
  });
  window.addEventListener("offline", () => show("网络已断开，内容保留在本机"));
  window.addEventListener("online", () => show("网络已恢复，请保存"));
})();
