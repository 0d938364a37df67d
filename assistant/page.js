// The page's own behaviour: citations open their sentence, one key leads back, examples ask themselves.
// It reads ids and data attributes that view.py wrote, and never makes markup from text.
(() => {
  "use strict";
  let cameFrom = null; // the marker that was followed last
  let shownTurn = "";
  let wasRunning = false;
  let sent = null; // what stood in the box when it was sent; it is emptied when the question has arrived
  let drawnReader = null;

  const find = (selector, root = document) => root.querySelector(selector);
  const every = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  const calm = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

  function scrollerOf(element) {
    for (let at = element.parentElement; at; at = at.parentElement) {
      const flow = getComputedStyle(at).overflowY;
      if ((flow === "auto" || flow === "scroll") && at.scrollHeight > at.clientHeight) return at;
    }
    return null;
  }

  // Scrolls only the panel that holds the element; on a phone, where nothing but the page scrolls, the page if asked.
  function bringIntoView(element, movePage) {
    const behavior = calm() ? "auto" : "smooth";
    const panel = scrollerOf(element);
    if (panel && panel !== document.documentElement && panel !== document.body) {
      const offset = element.getBoundingClientRect().top - panel.getBoundingClientRect().top;
      panel.scrollTo({ top: panel.scrollTop + offset - panel.clientHeight / 3, behavior });
    } else if (movePage) {
      element.scrollIntoView({ block: "center", behavior });
    }
  }

  function openSource(link) {
    const anchor = decodeURIComponent(link.hash.slice(1));
    const target = document.getElementById(anchor);
    if (!target) return false;
    const turn = link.dataset.turn || "";
    const article = target.closest(".pa-doc");
    every(".pa-doc").forEach((doc) => (doc.hidden = doc !== article));
    every(".pa-head").forEach((head) => (head.hidden = !article || head.id !== article.dataset.head));
    every(".pa-contents").forEach((nav) => (nav.hidden = nav.dataset.turn !== turn));
    every(".pa-step").forEach((step) => {
      if (step.hash === link.hash && step.dataset.turn === turn) step.setAttribute("aria-current", "true");
      else step.removeAttribute("aria-current");
    });
    every(".pa-mark").forEach((mark) => {
      const here = mark.dataset.anchor === anchor || mark.id === anchor;
      mark.classList.toggle("pa-current", here);
      mark.classList.toggle("pa-other", !here && (mark.dataset.turns || "").split(" ").includes(turn));
    });
    every(".pa-cite.pa-followed").forEach((cite) => cite.classList.remove("pa-followed"));
    if (link.classList.contains("pa-cite")) {
      cameFrom = link;
      link.classList.add("pa-followed");
    }
    const back = find(".pa-back");
    if (back) back.hidden = !cameFrom;
    target.focus({ preventScroll: true });
    bringIntoView(target, true);
    return true;
  }

  function goBack() {
    if (!cameFrom || !cameFrom.isConnected) return false;
    const link = cameFrom;
    cameFrom = null;
    const back = find(".pa-back");
    if (back) back.hidden = true;
    link.focus({ preventScroll: true });
    bringIntoView(link, true);
    return true;
  }

  const findBox = () => find("#pa-box textarea, #pa-box input");

  function write(text) {
    const box = findBox();
    if (!box) return null;
    box.value = text;
    box.dispatchEvent(new Event("input", { bubbles: true }));
    return box;
  }

  function fill(text) {
    const box = write(text);
    if (box) box.focus();
    return box;
  }

  function noteSent() {
    const box = findBox();
    if (box && box.value.trim()) sent = box.value;
  }

  // A question that was refused stays in the box, to be shortened or changed.
  function emptyBox(exchange) {
    const box = findBox();
    if (box && sent !== null && box.value === sent && !find(".pa-error", exchange)) write("");
    sent = null;
  }

  function askFor(text) {
    if (!fill(text)) return;
    // Gradio takes the new value over in its next update; the click must come after it
    window.setTimeout(() => {
      const send = find("#pa-send");
      if (send) send.click();
    }, 60);
  }

  document.addEventListener("click", (event) => {
    const at = event.target instanceof Element ? event.target : null;
    if (!at) return;
    const link = at.closest("a.pa-cite, a.pa-step");
    if (link) {
      event.preventDefault();
      openSource(link);
    } else if (at.closest("#pa-send")) {
      noteSent();
    } else if (at.closest(".pa-back")) {
      goBack();
    } else if (at.closest("#pa-new")) {
      fill("");
    } else if (at.closest("[data-ask]")) {
      askFor(at.closest("[data-ask]").dataset.ask);
    } else if (at.closest("[data-fill]")) {
      fill(at.closest("[data-fill]").dataset.fill);
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.target === findBox()) noteSent();
    if (event.key === "Escape" && !event.isComposing && goBack()) event.preventDefault();
  });

  // New drawings from the server: keep the newest question in sight, and the reader at its first citation.
  function onDrawn() {
    const exchange = find("#pa-now .pa-exchange");
    const scroll = find("#pa-scroll");
    const turn = exchange ? exchange.dataset.turn : "";
    const running = !!exchange && exchange.dataset.running === "true";
    if (exchange && scroll && scroll.scrollHeight > scroll.clientHeight) {
      const rest = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight;
      const begins = turn !== shownTurn;
      // while it grows, follow its end, unless the reader has scrolled away; when it is whole, show it from its question
      if (begins || (running && rest < 120)) scroll.scrollTo({ top: scroll.scrollHeight });
      if (!running && (begins || wasRunning)) {
        const top = exchange.getBoundingClientRect().top - scroll.getBoundingClientRect().top + scroll.scrollTop;
        scroll.scrollTo({ top: Math.min(top, scroll.scrollHeight - scroll.clientHeight) });
      }
    } else if (exchange && turn !== shownTurn) {
      exchange.scrollIntoView({ block: "nearest" });
    }
    if (exchange && turn !== shownTurn) emptyBox(exchange);
    shownTurn = turn;
    wasRunning = running;
    const reader = find(".pa-reader");
    const key = reader ? reader.dataset.turn : null;
    if (key !== drawnReader) {
      drawnReader = key;
      cameFrom = null;
      const current = reader && find(".pa-current", reader);
      if (current) bringIntoView(current, false);
      else if (find("#pa-side")) find("#pa-side").scrollTo({ top: 0 });
    }
  }

  let pending = false;
  new MutationObserver(() => {
    if (pending) return;
    pending = true;
    window.requestAnimationFrame(() => {
      pending = false;
      onDrawn();
    });
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
