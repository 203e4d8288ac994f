// Evidence without leaving the page: a picture in a dialog, with the next and the one before, and
// larger or smaller; a PDF below its name, in the frame that the server sandboxes. Anything else,
// and everything without this script, opens as its link says.
"use strict";

(() => {
  document.querySelectorAll("dialog").forEach((dialog) => {
    dialog.addEventListener("click", ({ target }) => {
      if (target === dialog || target.closest("[data-close]")) dialog.close();
    });
  });

  const dialog = document.getElementById("viewer");
  if (!dialog) return;
  const picture = dialog.querySelector("img");
  const frame = dialog.querySelector(".viewer-picture");
  const ZOOMS = [25, 50, 75, 100, 150, 200, 300, 400];
  let files = [];
  let at = 0;
  let zoom = 3; // 100 is as wide as the window

  const show = () => {
    const { content, name } = files[at].dataset;
    picture.hidden = false;
    picture.src = content;
    picture.alt = name;
    picture.setAttribute("width", String(Math.round((frame.clientWidth * ZOOMS[zoom]) / 100)));
    dialog.querySelector("h2").textContent = name;
    dialog.querySelector("[data-count]").textContent = `${at + 1} / ${files.length}`;
    dialog.querySelectorAll("[data-step]").forEach((step) => (step.disabled = !files[at + Number(step.dataset.step)]));
    if (!dialog.contains(document.activeElement) || document.activeElement.disabled) frame.focus();
  };
  const step = (by) => {
    if (!files[at + by]) return;
    at += by;
    show();
  };
  const scale = (by) => {
    zoom = Math.min(ZOOMS.length - 1, Math.max(0, zoom + by));
    show();
  };
  dialog.addEventListener("click", ({ target }) => {
    if (target.dataset.step) step(Number(target.dataset.step));
    if (target.dataset.zoom) scale(Number(target.dataset.zoom));
  });
  dialog.addEventListener("keydown", ({ key }) => {
    const fits = zoom <= 3; // otherwise the arrows move the picture
    if (key === "ArrowRight" && fits) step(1);
    if (key === "ArrowLeft" && fits) step(-1);
    if (key === "+" || key === "=") scale(1);
    if (key === "-") scale(-1);
  });

  const togglePdf = (item) => {
    const open = item.querySelector("iframe");
    if (open) {
      open.remove();
      return;
    }
    const pdf = document.createElement("iframe");
    pdf.className = "viewer-pdf";
    pdf.title = item.dataset.name;
    pdf.referrerPolicy = "no-referrer";
    pdf.src = item.dataset.content;
    item.append(pdf);
  };

  document.querySelectorAll(".files").forEach((list) => {
    list.addEventListener("click", (event) => {
      const link = event.target.closest(".file-name, .file-thumb");
      const item = link?.closest("[data-view][data-content]");
      if (!item || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      if (item.dataset.view === "pdf") {
        togglePdf(item);
        return;
      }
      files = [...list.querySelectorAll('[data-view="image"][data-content]')];
      at = files.indexOf(item);
      zoom = 3;
      dialog.showModal();
      frame.focus();
      show();
    });
  });
})();
