// A form whose sending takes a while: how much of the file has gone up, then that the server is at
// work. The answer's <main> takes the place of this one, as if the form had been sent plainly,
// which it is without JavaScript.
"use strict";

(() => {
  const showIn = (form) => {
    const box = document.createElement("div");
    box.className = "progress-box";
    box.setAttribute("role", "status");
    const bar = document.createElement("progress");
    bar.max = 100;
    bar.setAttribute("aria-label", gettext("进度"));
    const words = document.createElement("span");
    box.append(bar, words);
    form.append(box);
    return (percent, text) => {
      if (percent === null) bar.removeAttribute("value");
      else bar.value = percent;
      words.textContent = text;
    };
  };

  const replace = ({ responseURL, responseText }) => {
    const answer = new DOMParser().parseFromString(responseText, "text/html");
    if (!answer.querySelector("main")) return false; // not one of our pages: a gateway's, perhaps
    document.title = answer.title;
    document.querySelector("main").replaceWith(document.adoptNode(answer.querySelector("main")));
    history.replaceState(null, "", responseURL);
    window.scrollTo(0, 0);
    document.querySelector("main").focus();
    return true;
  };

  const send = (form) => {
    const button = form.querySelector("button[type=submit]");
    const tell = showIn(form);
    button.disabled = true;
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      if (loaded < total) tell(Math.floor((loaded / total) * 100), gettext("正在上传…"));
    });
    request.upload.addEventListener("load", () => tell(null, form.dataset.progress));
    const failed = () => {
      button.disabled = false;
      tell(0, gettext("没有送达。请检查网络后再试一次，已选择的文件还在。"));
    };
    request.addEventListener("load", () => replace(request) || failed());
    request.addEventListener("error", failed);
    form.querySelectorAll(".progress-box:not(:last-child)").forEach((old) => old.remove());
    tell(0, gettext("正在上传…"));
    request.send(new FormData(form));
  };

  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-progress]");
    const file = form?.querySelector("input[type=file]");
    if (!form || (file && !file.files.length)) return; // the server says what is missing
    event.preventDefault();
    send(form);
  });
})();
