// The documents page: files go up one by one with their progress, dropped ones too; the list follows the index.
(() => {
  "use strict";
  const find = (id) => document.getElementById(id);
  const form = find("pa-drop");
  const POLL = 600; // ms
  let sending = false;

  // Both languages side by side, as everywhere; only text is ever put in.
  function say(element, zh, en) {
    element.replaceChildren();
    for (const [name, text] of [["zh", zh], ["en", en]]) {
      const span = document.createElement("span");
      span.className = name;
      span.textContent = text;
      if (name === "en") span.lang = "en";
      element.append(span, " ");
    }
  }
  function sayProblem(element, text) {
    const at = text.lastIndexOf("。 ");
    if (at < 0) say(element, text, text);
    else say(element, text.slice(0, at + 1), text.slice(at + 2));
  }

  function withoutName(text, name) {
    const last = `${name.split("/").pop()}：`; // the line says it already
    return text.startsWith(last) ? text.slice(last.length) : text;
  }

  function addLine(name) {
    const line = document.createElement("li");
    const title = document.createElement("b");
    title.textContent = name;
    const told = document.createElement("span");
    const bar = document.createElement("progress");
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute("aria-label", name);
    line.append(title, " ", bar, " ", told);
    find("pa-arrivals").append(line);
    return { line, told, bar };
  }
  function endLine(shown, kept) {
    shown.bar.remove();
    shown.line.className = kept ? "pa-kept" : "pa-refused";
    shown.told.prepend(kept ? "✓ " : "✗ ");
  }

  function send(file, name) {
    const shown = addLine(name);
    const largest = Number(form.dataset.largest);
    if (file.size > largest) {
      const limit = Math.round(largest / 1048576);
      say(shown.told, `超过 ${limit} MB 的上限，请拆分。`, `Larger than ${limit} MB: split it.`);
      endLine(shown, false);
      return Promise.resolve(false);
    }
    return new Promise((done) => {
      const request = new XMLHttpRequest();
      request.open("POST", `/documents/file?name=${encodeURIComponent(name)}`);
      request.setRequestHeader("content-type", "application/octet-stream");
      request.upload.onprogress = (event) => {
        if (event.lengthComputable) shown.bar.value = event.loaded / event.total;
      };
      request.upload.onload = () => {
        shown.bar.removeAttribute("value"); // how long reading takes nobody knows
        say(shown.told, "正在解析…", "reading…");
      };
      request.onloadend = () => {
        let answer = {};
        try {
          answer = JSON.parse(request.responseText);
        } catch (_) {
          answer = {}; // refused before it reached the page, or the server is gone
        }
        const kept = request.status === 200;
        if (kept) say(shown.told, answer.zh, answer.en);
        else if (answer.problem) sayProblem(shown.told, withoutName(answer.problem, name));
        else say(shown.told, `没有收到回应（${request.status}），请重试。`, `No answer (${request.status}): try again.`);
        endLine(shown, kept);
        done(kept);
      };
      request.send(file);
    });
  }

  async function sendAll(files) {
    if (sending || files.length === 0) return;
    sending = true;
    form.setAttribute("aria-busy", "true");
    const kinds = form.dataset.kinds.split(" ");
    let kept = 0;
    let passed = 0;
    for (const { file, name, chosen } of files) {
      const known = kinds.some((kind) => name.toLowerCase().endsWith(kind));
      if (!known && !chosen) passed += 1; // a folder holds all sorts of files
      else if (await send(file, name)) kept += 1;
    }
    if (passed) {
      const line = document.createElement("li");
      say(line, `文件夹里有 ${passed} 个其他类型的文件，未添加。`, `${passed} files of other types in the folder were passed over.`);
      find("pa-arrivals").append(line);
    }
    if (kept) await window.fetch("/documents/build", { method: "POST", redirect: "manual" }).catch(() => undefined);
    form.reset();
    form.removeAttribute("aria-busy");
    sending = false;
    if (kept) follow();
  }

  const named = (file, chosen) => ({ file, chosen, name: file.webkitRelativePath || file.name });

  async function entries(entry) {
    if (entry.isFile) {
      const file = await new Promise((done, failed) => entry.file(done, failed));
      return [{ file, name: entry.fullPath.replace(/^\//, ""), chosen: false }];
    }
    const reader = entry.createReader();
    const found = [];
    for (;;) {
      const some = await new Promise((done, failed) => reader.readEntries(done, failed));
      if (some.length === 0) return found;
      for (const inner of some) found.push(...(await entries(inner)));
    }
  }
  async function drop(event) {
    event.preventDefault();
    form.classList.remove("pa-over");
    const items = [...event.dataTransfer.items].filter((item) => item.kind === "file");
    const roots = items.map((item) => ({ entry: item.webkitGetAsEntry && item.webkitGetAsEntry(), file: item.getAsFile() }));
    const found = [];
    for (const { entry, file } of roots) {
      if (entry && entry.isDirectory) found.push(...(await entries(entry)));
      else if (file) found.push(named(file, true));
    }
    sendAll(found);
  }

  // The list is taken from the page as the server draws it; what stands open stays open.
  async function refresh() {
    const page = await (await window.fetch(window.location.pathname + window.location.search)).text();
    const fresh = new DOMParser().parseFromString(page, "text/html").getElementById("pa-shelf");
    if (!fresh) return;
    for (const details of find("pa-shelf").querySelectorAll("details.pa-file")) {
      const same = fresh.querySelector(`#${details.id}`);
      if (same) same.open = details.open;
    }
    find("pa-shelf").replaceWith(fresh);
  }
  async function follow() {
    try {
      const state = await (await window.fetch("/documents/state")).json();
      const bar = document.querySelector("#pa-building progress");
      if (state.running && bar) {
        bar.max = Math.max(state.total, 1);
        bar.value = state.done;
      } else {
        await refresh();
      }
      if (!state.running) return;
    } catch (_) {
      // the server is busy or gone; the next look will tell
    }
    window.setTimeout(follow, POLL);
  }

  if (form) {
    form.classList.add("pa-scripted"); // what is chosen goes up at once; the button is for those without script
    form.addEventListener("submit", (event) => event.preventDefault());
    for (const input of [find("pa-files"), find("pa-folder")]) {
      input.addEventListener("change", () => {
        sendAll([...input.files].map((file) => named(file, input.id === "pa-files")));
      });
    }
    form.addEventListener("dragover", (event) => {
      event.preventDefault();
      form.classList.add("pa-over");
    });
    form.addEventListener("dragleave", () => form.classList.remove("pa-over"));
    form.addEventListener("drop", drop);
  }
  if (document.querySelector("#pa-building[data-running]")) follow();
})();
