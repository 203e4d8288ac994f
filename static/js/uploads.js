// Files go up as soon as they are chosen, dropped or photographed: several at once, in pieces, each
// with its progress, to be cancelled or tried again. After a lost connection, an expired session or
// a closed window an upload goes on where it had stopped: the server knows how far it came.
// Without this script the same field sends its files with the form.
"use strict";

(() => {
  const { begin: BEGIN, signIn: SIGN_IN } = document.currentScript.dataset;
  const PARALLEL = 3;
  const SMALLEST = 256 * 1024;
  const LARGEST = 4 * 1024 * 1024;
  const PATIENCE = 8; // attempts without a byte received, before the user is asked
  const token = () => document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? "";
  const sleep = (seconds) => new Promise((wake) => setTimeout(wake, seconds * 1000));
  const make = (tag, className, text = "") => {
    const element = document.createElement(tag);
    element.className = className;
    element.textContent = text;
    return element;
  };

  // --- Talking to the server ----------------------------------------------------------------------
  class Refused extends Error {} // says why; trying again may help after something has been done
  class SignedOut extends Error {}

  const send = (method, url, { body, headers = {}, progress, signal } = {}) =>
    new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open(method, url);
      request.timeout = 120000;
      request.setRequestHeader("X-CSRFToken", token());
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
      if (progress) request.upload.addEventListener("progress", ({ loaded }) => progress(loaded));
      request.addEventListener("load", () => resolve(request));
      for (const name of ["error", "timeout", "abort"]) {
        request.addEventListener(name, () => reject(new Error(name)));
      }
      signal?.addEventListener("abort", () => request.abort());
      request.send(body);
    });

  const answer = (request) => {
    let content = {};
    try {
      content = JSON.parse(request.responseText || "{}");
    } catch {
      // An error page: only its status counts.
    }
    if (request.status === 401) throw new SignedOut(content.message);
    if (content.offset !== undefined || request.status < 300) return content;
    if (content.message) throw new Refused(content.message);
    throw new Error(`status ${request.status}`);
  };

  // Everything that is on its way waits for the same sign-in.
  let signIn = null;
  const signedIn = () => {
    signIn ??= new Promise((resolve) => {
      const go = () => {
        window.removeEventListener("focus", go);
        signIn = null;
        resolve();
      };
      window.addEventListener("focus", go);
      setTimeout(go, 15000);
    });
    return signIn;
  };
  const online = (seconds) =>
    Promise.race([sleep(seconds), new Promise((go) => window.addEventListener("online", go, { once: true }))]);

  // --- One file -----------------------------------------------------------------------------------
  const upload = (area, file) => {
    const row = make("li", "upload");
    const bar = document.createElement("progress");
    const state = make("span", "upload-state", gettext("等待上传"));
    const cancel = make("button", "btn btn-link btn-small");
    const again = make("button", "btn btn-secondary btn-small");
    const name = (button, verb) => {
      button.textContent = verb;
      button.setAttribute("aria-label", `${verb} ${file.name}`);
    };
    bar.max = file.size || 1;
    bar.value = 0;
    bar.setAttribute("aria-label", file.name);
    cancel.type = again.type = "button";
    name(cancel, gettext("取消"));
    name(again, gettext("重试"));
    again.hidden = true;
    row.append(make("span", "upload-name", file.name), bar, state, again, cancel);
    area.queue.append(row);

    const aborting = new AbortController();
    let url = "";
    let piece = SMALLEST;
    let idle = 0; // attempts since the last byte received

    const show = (sent) => {
      bar.value = sent;
      state.textContent = `${Math.floor((sent * 100) / (file.size || 1))}%`;
    };

    const announce = async () => {
      const body = new FormData();
      for (const [field, value] of Object.entries(area.target)) body.set(field, value);
      body.set("name", file.name);
      body.set("size", file.size);
      body.set("modified", Math.trunc(file.lastModified));
      const begun = answer(await send("POST", BEGIN, { body, signal: aborting.signal }));
      url = begun.url;
      return begun.offset;
    };
    // One after another: files stand in the list in the order in which they were chosen.
    const begin = () => {
      const begun = area.begun.then(announce);
      area.begun = begun.catch(() => {});
      return begun;
    };

    const attempt = async () => {
      let offset = await begin();
      for (;;) {
        show(offset);
        const started = performance.now();
        const request = await send("PATCH", url, {
          body: file.slice(offset, offset + piece),
          headers: { "Upload-Offset": offset, "Content-Type": "application/offset+octet-stream" },
          progress: (loaded) => show(Math.min(offset + loaded, file.size)),
          signal: aborting.signal,
        });
        if (request.status === 422) url = ""; // refused: nothing of it is left to be cancelled
        if (request.status === 404) throw new Error("gone"); // expired meanwhile: from the start
        const content = answer(request);
        if (request.status === 200) return content;
        const reached = content.offset ?? Number(request.getResponseHeader("Upload-Offset"));
        if (reached > offset) idle = 0;
        offset = reached;
        // As much as goes through in about a second.
        const quick = performance.now() - started < 1000;
        piece = Math.min(LARGEST, Math.max(SMALLEST, quick ? piece * 2 : piece / 2));
      }
    };

    const changed = () => file.slice(0, 1).arrayBuffer().then(() => false, () => true);

    const finish = (className, text) => {
      row.classList.add(className);
      state.textContent = text;
      bar.hidden = true;
    };

    const wait = async (problem) => {
      if (problem instanceof SignedOut) {
        state.textContent = gettext("登录已过期，请");
        const link = make("a", "", gettext("在新窗口登录"));
        link.href = SIGN_IN;
        link.target = "_blank";
        state.append(link, gettext("，然后回到这里，会接着传。"));
        await signedIn();
        return;
      }
      idle += 1;
      piece = SMALLEST;
      if (idle > PATIENCE) throw new Refused(gettext("网络不通，没有传完。传好的部分已经保留，可以稍后重试。"));
      state.textContent = gettext("网络中断，恢复后会接着传");
      await online(Math.min(2 ** idle, 30));
    };

    const run = async () => {
      again.hidden = true;
      row.classList.remove("upload-failed");
      bar.hidden = false;
      idle = 0;
      for (;;) {
        try {
          const done = await attempt();
          if (done.notice) finish("upload-noted", done.notice);
          else row.remove();
          return true;
        } catch (problem) {
          if (aborting.signal.aborted) return false;
          try {
            if (problem instanceof Refused) throw problem;
            if (await changed()) throw new Refused(gettext("文件在上传期间有改动或已移走，请重新选择这个文件。"));
            await wait(problem);
          } catch (final) {
            if (aborting.signal.aborted) return false;
            finish("upload-failed", final.message);
            again.hidden = false;
            name(cancel, gettext("关闭"));
            return false;
          }
        }
      }
    };

    cancel.addEventListener("click", () => {
      aborting.abort();
      row.remove();
      if (url) send("DELETE", url).catch(() => {});
      area.settle();
    });
    again.addEventListener("click", () => {
      name(cancel, gettext("取消"));
      area.add([{ run, aborting }]);
    });
    return { run, aborting };
  };

  // --- One place on the page ----------------------------------------------------------------------
  let running = 0;
  let held = null; // the button that was pressed while files were on their way

  // Saving waits for the files: leaving the page would break them off.
  document.addEventListener(
    "submit",
    (event) => {
      const { target, submitter } = event;
      if (!running || (!target.querySelector("[data-upload]") && !target.matches("[data-upload]"))) return;
      event.preventDefault();
      event.stopPropagation();
      held = { target, submitter };
      target.querySelectorAll("[data-summary]").forEach((line) => {
        if (line.textContent) line.textContent += gettext("，传完后自动保存");
      });
    },
    true,
  );
  const goOn = () => {
    if (running || !held) return;
    const { target, submitter } = held;
    held = null;
    if (!target.querySelector(".upload-failed")) target.requestSubmit(submitter);
  };

  const enhance = (root) => {
    root.classList.add("evidence-live");
    const picker = root.querySelector("[data-picker]");
    const list = root.querySelector("[data-file-list]");
    const summary = root.querySelector("[data-summary]");
    const zone = root.querySelector("[data-drop]");
    const { assessment, indicator, organization } = root.dataset;
    const waiting = [];
    let active = 0;
    let done = 0;
    let total = 0;
    let refreshing = null;

    const refresh = async (options) => {
      const response = await fetch(root.dataset.list, { redirect: "manual", ...options });
      if (!response.ok) throw new Error(`status ${response.status}`);
      list.innerHTML = await response.text();
    };
    const refreshSoon = () => {
      if (!list) return;
      clearTimeout(refreshing);
      refreshing = setTimeout(() => refresh().catch(() => {}), 300);
    };

    const area = {
      queue: root.querySelector("[data-queue]"),
      begun: Promise.resolve(),
      target: assessment ? { assessment, indicator } : { organization },
      settle: () => {
        const words = active || waiting.length ? gettext("正在上传：已传好 {done} 个，共 {total} 个") : gettext("已传好 {done} 个");
        if (total) summary.textContent = fill(words, { done, total });
        if (active || waiting.length) return;
        goOn();
        total = 0;
        if (!list && done && !area.queue.children.length) location.reload();
        done = 0;
      },
      add: (jobs) => {
        waiting.push(...jobs);
        total += jobs.length;
        next();
        area.settle();
      },
    };

    const next = async () => {
      while (active < PARALLEL && waiting.length) {
        const job = waiting.shift();
        if (job.aborting.signal.aborted) {
          total -= 1;
          continue;
        }
        active += 1;
        running += 1;
        job.run().then((isDone) => {
          active -= 1;
          running -= 1;
          if (isDone) {
            done += 1;
            refreshSoon();
          } else {
            total -= 1;
          }
          next();
          area.settle();
        });
      }
    };

    const take = (files) => {
      const jobs = [...files].map((file) => {
        for (const row of area.queue.querySelectorAll("[data-unfinished]")) {
          const { name, size, modified } = row.dataset;
          if (name === file.name && Number(size) === file.size && Number(modified) === Math.trunc(file.lastModified)) row.remove();
        }
        return upload(area, file);
      });
      area.add(jobs);
    };

    picker.addEventListener("change", () => {
      take([...picker.files]);
      picker.value = "";
    });

    const camera = root.querySelector("[data-camera]");
    camera.hidden = !window.matchMedia("(pointer: coarse)").matches;
    camera.addEventListener("click", () => {
      const shot = document.createElement("input");
      shot.type = "file";
      shot.accept = "image/*";
      shot.setAttribute("capture", "environment");
      shot.addEventListener("change", () => take(shot.files));
      shot.click();
    });

    root.querySelector("[data-drop-hint]").hidden = window.matchMedia("(pointer: coarse)").matches;
    zone.addEventListener("dragover", () => zone.classList.add("drop-over"));
    zone.addEventListener("dragleave", () => zone.classList.remove("drop-over"));
    zone.addEventListener("drop", ({ dataTransfer }) => {
      zone.classList.remove("drop-over");
      const entries = [...dataTransfer.items].map((item) => item.webkitGetAsEntry?.());
      const files = [...dataTransfer.files].filter((_, place) => !entries[place]?.isDirectory);
      if (files.length < dataTransfer.files.length) summary.textContent = gettext("不能上传文件夹，请打开文件夹，选择里面的文件。");
      if (files.length) take(files);
    });

    for (const row of area.queue.querySelectorAll("[data-unfinished]")) {
      const button = row.querySelector("[data-cancel]");
      button.hidden = false;
      button.addEventListener("click", () => {
        send("DELETE", row.dataset.unfinished).then(() => row.remove(), () => {});
      });
    }

    // Arranging what is there: the same buttons as without a script, in place.
    list?.addEventListener("click", async (event) => {
      const button = event.target.closest("button[name]");
      if (!button) return;
      event.preventDefault();
      const { name, value } = button;
      const body = new FormData();
      body.set(name, value);
      try {
        await refresh({ method: "POST", body, headers: { "X-CSRFToken": token() } });
        const same = list.querySelector(`button[name="${name}"][value="${value}"]`);
        (same && !same.disabled ? same : picker).focus();
      } catch {
        summary.textContent = gettext("没有成功：网络不通或登录已过期，请重新登录后再试。");
      }
    });
  };

  document.querySelectorAll("[data-upload]").forEach(enhance);

  // A file that misses its place would replace the page, and what was typed there.
  for (const name of ["dragover", "drop"]) {
    window.addEventListener(name, (event) => {
      if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
    });
  }
  window.addEventListener("beforeunload", (event) => {
    if (running) event.preventDefault();
  });
})();
