// What all pages share and what has to stand before the first paint: language, light or dark, the visitor's name.
(() => {
  "use strict";
  const root = document.documentElement;
  const stored = () => {
    try {
      return window.localStorage.getItem("pa-lang");
    } catch (_) {
      return null; // storage may be forbidden; the browser's language then decides each time
    }
  };
  function show(language) {
    root.dataset.lang = language;
    root.lang = language === "zh" ? "zh-CN" : "en";
    relabel();
    document.dispatchEvent(new Event("pa-lang"));
  }
  // Texts where an element can hold no markup: options, the title.
  function relabel() {
    document.querySelectorAll("[data-zh][data-en]").forEach((e) => (e.textContent = e.dataset[root.dataset.lang]));
  }
  document.addEventListener("DOMContentLoaded", relabel);
  const first = stored() || ((navigator.language || "zh").toLowerCase().startsWith("zh") ? "zh" : "en");
  show(first === "en" ? "en" : "zh");
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const shade = () => root.classList.toggle("dark", dark.matches);
  shade();
  dark.addEventListener("change", shade);
  // Says who has logged in, where there is a login: then the way to their account is shown.
  window
    .fetch("/page/hello", { method: "POST" })
    .then((response) => (root.dataset.login = String(response.status === 200)))
    .catch(() => undefined); // the server is gone; the page says so elsewhere

  document.addEventListener("click", (event) => {
    const at = event.target instanceof Element ? event.target.closest("[data-switch]") : null;
    if (!at) return;
    const next = root.dataset.lang === "zh" ? "en" : "zh";
    try {
      window.localStorage.setItem("pa-lang", next);
    } catch (_) {
      // it holds until the page is left
    }
    show(next);
  });
})();
