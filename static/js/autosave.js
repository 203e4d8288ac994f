// Each answer saves itself while it is filled in: htmx sends it (templates/…/_answer_row.html) and
// puts the server's notes below it. This file only decides what is sent, tells the state, and
// tries again. What has not arrived stays in this browser (drafts.js listens to `answer:saved`).
"use strict";

(() => {
  const form = document.getElementById("sheet");
  const bar = document.querySelector("[data-save-state]");
  const RETRY = 15000;
  const OF_THE_PAGE = ["csrfmiddlewaretoken", "revision"]; // goes with each answer
  const waiting = new Map(); // answers that are not stored, and why not
  const sent = new WeakMap(); // what the fields of an answer held when it was last sent
  let lastSaved = "";

  const fieldsOf = (article) => [...article.querySelectorAll("input[id], textarea[id]")].filter((field) => field.type !== "file");
  const holds = (article) =>
    new Map(fieldsOf(article).map((field) => [field.id, ["checkbox", "radio"].includes(field.type) ? field.checked : field.value]));
  const differs = (article) => {
    const before = sent.get(article);
    return !before || [...holds(article)].some(([id, value]) => before.get(id) !== value);
  };
  const clock = () =>
    new Date().toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: "Asia/Shanghai" });
  const signIn = `/accounts/login/?next=${encodeURIComponent(location.pathname)}`;

  const WORDS = {
    typed: gettext("未保存"),
    sending: gettext("正在保存…"),
    offline: gettext("离线：内容保留在本机，联网后自动保存"),
    expired: gettext("登录已过期：内容保留在本机，"),
    wrong: gettext("有填写不正确的，改正后自动保存"),
    conflict: gettext("有一项与别人的修改冲突，请选择"),
    locked: gettext("没有保存：现在不能修改，内容保留在本机"),
    failed: gettext("没有保存成功：内容保留在本机，稍后自动再试"),
  };
  const GRAVITY = ["expired", "locked", "offline", "failed", "conflict", "wrong", "sending", "typed"];

  const show = () => {
    const states = [...waiting.values()];
    const worst = GRAVITY.find((state) => states.includes(state));
    bar.dataset.state = worst || "saved";
    bar.textContent = worst ? WORDS[worst] : lastSaved && fill(gettext("已保存 {time}"), { time: lastSaved });
    if (worst === "expired") {
      const link = document.createElement("a");
      link.href = signIn;
      link.textContent = gettext("请重新登录");
      bar.append(link);
    }
  };

  const mark = (article, state) => {
    if (state === "saved") waiting.delete(article);
    else waiting.set(article, state);
    const own = article.querySelector("[data-row-state]");
    if (own && state !== "saved") own.textContent = state === "sending" ? WORDS.sending : WORDS.typed;
    show();
  };

  const answerOf = (element) => element.closest("article.indicator[hx-post]");

  form.addEventListener("input", ({ target }) => {
    const article = answerOf(target);
    if (article && target.type !== "file") mark(article, navigator.onLine ? "typed" : "offline");
  });

  // Only this answer goes, without its files, which the button sends.
  form.addEventListener("htmx:configRequest", ({ detail, target }) => {
    const code = answerOf(target).id;
    for (const name of [...detail.formData.keys()]) {
      const ours = name.startsWith(`${code}-`) && name !== `${code}-files`;
      const chosen = ["confirm", "mine", "theirs", "keep"].includes(name);
      if (!ours && !chosen && !OF_THE_PAGE.includes(name)) detail.formData.delete(name);
    }
  });
  form.addEventListener("htmx:beforeRequest", (event) => {
    const article = answerOf(event.target);
    const choice = event.target !== article;
    if (!choice && !waiting.has(article) && !differs(article)) {
      event.preventDefault();
      return;
    }
    sent.set(article, holds(article));
    mark(article, "sending");
  });
  form.addEventListener("htmx:afterRequest", ({ detail, target }) => {
    const article = answerOf(target);
    const status = detail.xhr.status;
    if (!article || detail.successful || status === 409) return;
    if (status === 401 || status === 403) mark(article, "expired");
    else if (status === 404) mark(article, "locked"); // it is no longer this user's
    else mark(article, status ? "failed" : "offline");
  });
  form.addEventListener("htmx:afterSwap", ({ target }) => {
    if (!target.matches(".notes")) return;
    const article = answerOf(target);
    const { outcome } = article.querySelector(".notes").dataset;
    for (const error of article.querySelectorAll(".field-error[id]")) {
      const field = document.getElementById(error.id.replace(/-error$/, ""));
      if (!field) continue;
      const wrong = error.textContent.trim() !== "";
      for (const [name, value] of [["aria-invalid", "true"], ["aria-describedby", error.id]]) {
        if (wrong) field.setAttribute(name, value);
        else field.removeAttribute(name);
      }
    }
    article.classList.toggle("indicator-wrong", outcome === "wrong" || outcome === "conflict");
    if (outcome === "saved") {
      lastSaved = clock();
      const values = sent.get(article) || holds(article);
      article.dispatchEvent(new CustomEvent("answer:saved", { bubbles: true, detail: { values } }));
    }
    // What has been typed since it was sent goes by its own event.
    const typedSince = outcome === "saved" && sent.has(article) && differs(article);
    mark(article, typedSince ? "typed" : outcome);
    scoring.refresh();
  });

  const resend = (...states) => {
    for (const [article, state] of waiting) {
      if (states.includes(state)) htmx.trigger(article, "resend");
    }
  };
  window.addEventListener("online", () => resend("offline", "failed", "typed"));
  window.addEventListener("offline", () => {
    for (const [article, state] of waiting) if (state === "typed") mark(article, "offline");
    if (!waiting.size) bar.textContent = WORDS.offline;
  });
  setInterval(() => navigator.onLine && resend("offline", "failed"), RETRY);

  // The button sends the whole page. An answer that is on its way arrives first: the page must
  // not rest on what it has just replaced.
  form.addEventListener("submit", (event) => {
    if (![...waiting.values()].includes("sending") || !form.requestSubmit) return;
    event.preventDefault();
    const { submitter } = event;
    const again = () => form.requestSubmit(submitter);
    const timer = setTimeout(again, 5000);
    form.addEventListener("htmx:afterRequest", () => (clearTimeout(timer), setTimeout(again)), { once: true });
  }, { capture: true });

  // Leaving within the second before an answer is sent: send it on the way out.
  window.addEventListener("pagehide", () => {
    for (const [article, state] of waiting) {
      if (state !== "typed" || form.dataset.leaving) continue;
      const all = new FormData(form);
      const own = new URLSearchParams();
      for (const [name, value] of all) {
        if (typeof value === "string" && (name.startsWith(`${article.id}-`) || OF_THE_PAGE.includes(name))) own.append(name, value);
      }
      fetch(article.getAttribute("hx-post"), { method: "POST", body: own, keepalive: true });
    }
  });

  window.autosave = {
    isSettled: () => waiting.size === 0,
    flush: () => resend("typed", "failed", "offline"),
    // Whether leaving now would leave something in this browser only.
    isStuck: () => [...waiting.values()].some((state) => !["typed", "sending"].includes(state)),
  };
})();
