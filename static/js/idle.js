// The session ends by itself when nobody is at work. This warns some minutes before, lets one go
// on with a button, and takes typing for work: the server hears of it now and then, so that a long
// form never times out under the fingers. Pages in other tabs hear of it too.
"use strict";

(() => {
  const { idleSeconds, alive } = document.body.dataset;
  const LIMIT = Number(idleSeconds) * 1000;
  const WARNING = Math.min(LIMIT / 2, 5 * 60_000); // so long before the end
  const PING = Math.min(LIMIT / 4, 3 * 60_000); // at most this often while somebody types
  const tabs = new BroadcastChannel(`alive:${document.body.dataset.user}`);
  const token = document.querySelector("[name=csrfmiddlewaretoken]")?.value;
  const keepsDraft = document.querySelector("form#sheet, form[data-keeps-draft]") !== null;
  let seen = Date.now(); // when the server last heard of this user
  let asking = false;
  let stage = "";

  const box = document.createElement("div");
  box.setAttribute("role", "alert");
  document.body.append(box);

  const show = (next, text, action) => {
    if (stage === next) return;
    stage = next;
    box.className = next ? "idle alert alert-warning" : "";
    box.replaceChildren();
    if (!next) return;
    const words = document.createElement("span");
    words.textContent = text;
    box.append(words, action);
  };

  const goOn = () => {
    seen = Date.now();
    show("");
  };

  const expire = () => {
    const over = gettext("因长时间未操作，登录已自动退出。{kept}");
    const kept = keepsDraft ? gettext("这一页上填写的内容保留在浏览器里，重新登录后可以恢复。") : "";
    const link = document.createElement("a");
    link.className = "btn btn-primary btn-small";
    link.href = location.href;
    link.textContent = gettext("重新登录");
    document.body.dataset.signedOut = "";
    show("over", fill(over, { kept }), link);
  };

  const ping = async () => {
    if (asking || stage === "over") return;
    asking = true;
    try {
      const answer = await fetch(alive, { method: "POST", headers: { "X-CSRFToken": token } });
      if (answer.status === 204) {
        goOn();
        tabs.postMessage("");
      } else {
        expire();
      }
    } catch {
      // No connection: drafts.js says so, and the next stroke tries again.
    } finally {
      asking = false;
    }
  };

  const warn = () => {
    const minutes = Math.max(1, Math.round(WARNING / 60_000));
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-primary btn-small";
    button.textContent = gettext("继续使用");
    button.addEventListener("click", ping);
    show("warning", fill(gettext("已有一段时间没有操作，大约 {minutes} 分钟后将自动退出登录。"), { minutes }), button);
  };

  tabs.addEventListener("message", goOn);
  tabs.postMessage(""); // this page has just been loaded
  document.addEventListener("input", () => {
    if (Date.now() - seen > PING) ping();
  });
  setInterval(() => {
    const left = seen + LIMIT - Date.now();
    if (left <= 0) expire();
    else if (left <= WARNING) warn();
  }, 1000);
})();
