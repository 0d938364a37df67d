// The page's own behaviour: citations open their sentence, one key leads back, examples ask themselves.
// It reads ids and data attributes that view.py wrote, and never makes markup from text.
(() => {
  "use strict";
  let cameFrom = null; // the marker that was followed last
  let shownTurn = "";
  let wasRunning = false;
  let sent = null; // what stood in the box when it was sent; it is emptied when the question has arrived
  let drawnReader = null;
  let returned = ""; // the turn whose question was put back into the box

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

  // Texts of the framework's own buttons, which hold no markup to switch.
  const LABELS = {
    "#pa-new": { zh: "新对话", en: "New" },
    "#pa-send": { zh: "提问", en: "Ask" },
    "#pa-stop": { zh: "停止", en: "Stop" },
  };
  const TITLE = { zh: "政策文件助手", en: "Policy assistant" };
  const language = () => (document.documentElement.dataset.lang === "en" ? "en" : "zh");

  function relabel() {
    document.title = TITLE[language()];
    for (const [selector, words] of Object.entries(LABELS)) {
      const button = find(selector);
      if (button && button.textContent.trim() !== words[language()]) button.textContent = words[language()];
    }
    const label = find("#pa-box label > span");
    const name = language() === "en" ? "Question" : "问题";
    if (label && label.textContent.trim() !== name) label.textContent = name;
    const box = findBox();
    const hint = language() === "en" ? "Ask here" : "输入问题";
    if (box && box.placeholder !== hint) {
      box.placeholder = hint;
      box.setAttribute("aria-label", name);
    }
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

  // One that lies outside the chosen scope comes back into it: either of the two is to be changed.
  function giveBack(exchange) {
    const box = findBox();
    returned = exchange.dataset.turn;
    if (box && !box.value) write(find("[data-again]", exchange).dataset.again);
  }

  function askFor(text) {
    if (!fill(text)) return;
    // Gradio takes the new value over in its next update; the click must come after it
    window.setTimeout(() => {
      const send = find("#pa-send");
      if (send) send.click();
    }, 60);
  }

  // Both languages side by side, as the server writes them.
  function say(element, words) {
    element.replaceChildren(
      ...["zh", "en"].map((name) => {
        const span = document.createElement("span");
        span.className = name;
        span.lang = name === "zh" ? "zh-CN" : "en";
        span.textContent = words[name];
        return span;
      })
    );
  }

  // The chosen chips travel beside the question; the server takes only what its index holds.
  function chooseScope(changed) {
    if (changed) changed.setAttribute("aria-pressed", String(changed.getAttribute("aria-pressed") !== "true"));
    const pressed = every(".pa-choice").filter((chip) => chip.getAttribute("aria-pressed") === "true");
    const value = {};
    pressed.forEach((chip) => (value[chip.dataset.kind] = [...(value[chip.dataset.kind] || []), chip.dataset.value]));
    const field = find("#pa-scope textarea, #pa-scope input");
    if (field) {
      field.value = pressed.length ? JSON.stringify(value) : "";
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
    const shown = find(".pa-chosen");
    if (!shown) return;
    if (!pressed.length) return say(shown, { zh: "按问题", en: "as asked" });
    shown.replaceChildren(
      ...pressed.map((chip) => {
        const copy = document.createElement("span");
        copy.className = "pa-chip";
        copy.append(...Array.from(chip.childNodes, (node) => node.cloneNode(true)));
        return copy;
      })
    );
  }

  const NOT_RECORDED = { zh: "没有记录，请再试。", en: "not recorded, please try again" };

  async function rate(exchange, rating, comment) {
    const said = find(".pa-said", exchange);
    const address = `/page/talks/${exchange.dataset.talk}/${exchange.dataset.turn}/rating`;
    try {
      const response = await window.fetch(address, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ rating, comment }),
      });
      const words = await response.json();
      if (!response.ok) throw new Error(words.problem);
      every("[data-rate]", exchange).forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.rate === rating)));
      find(".pa-form", exchange).hidden = true;
      say(said, words);
    } catch (_) {
      say(said, NOT_RECORDED);
    }
  }

  function chooseRating(button) {
    const exchange = button.closest(".pa-exchange");
    const form = find(".pa-form", exchange);
    if (button.dataset.rate === "down") {
      form.hidden = !form.hidden;
      if (!form.hidden) find("textarea", form).focus();
    } else {
      rate(exchange, "up", "");
    }
  }

  async function copy(button) {
    const said = find(".pa-said", button.closest(".pa-acts"));
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      say(said, { zh: "已复制", en: "copied" });
    } catch (_) {
      say(said, { zh: "浏览器不允许复制", en: "the browser does not allow copying" });
    }
  }

  // The address names the conversation, so that a reload or a bookmark leads back to it.
  function nameTalk(exchange) {
    const talk = exchange && exchange.dataset.talk;
    const address = talk ? `/?talk=${talk}` : "/";
    if (window.location.pathname + window.location.search !== address) window.history.replaceState(null, "", address);
  }

  // A question that is refused at the door is never seen by the framework: its sentence stands where the answer would,
  // and the question stays in the box. A session that has ended leads to the login.
  function sayRefused(sentence) {
    const old = find(".pa-refused");
    if (old) old.remove();
    const place = find("#pa-scroll");
    if (!place || !sentence) return;
    const said = document.createElement("div");
    said.className = "pa-error pa-refused";
    said.setAttribute("role", "alert");
    const cut = sentence.indexOf("。 ") + 1; // Chinese, and after its full stop the same in English
    say(said, { zh: sentence.slice(0, cut) || sentence, en: sentence.slice(cut).trim() || sentence });
    place.append(said);
    bringIntoView(said, true);
  }

  const fetchFirst = window.fetch;
  window.fetch = async (...given) => {
    const response = await fetchFirst(...given);
    const path = new URL(response.url || "/", window.location.href).pathname;
    if (response.status === 401) {
      const here = window.location.pathname + window.location.search;
      window.location.assign(`/login?next=${encodeURIComponent(here)}`);
    } else if (path === "/gradio_api/queue/join") {
      sayRefused(response.status === 429 ? (await response.clone().json()).detail : "");
    }
    return response;
  };

  document.addEventListener("submit", (event) => {
    const form = event.target instanceof Element ? event.target.closest(".pa-form") : null;
    if (!form) return;
    event.preventDefault();
    rate(form.closest(".pa-exchange"), "down", find("textarea", form).value);
  });

  document.addEventListener("pa-lang", relabel);

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
    } else if (at.closest(".pa-choice")) {
      chooseScope(at.closest(".pa-choice"));
    } else if (at.closest("[data-clear]")) {
      every(".pa-choice").forEach((chip) => chip.setAttribute("aria-pressed", "false"));
      chooseScope(null);
    } else if (at.closest("[data-again]")) {
      every(".pa-choice").forEach((chip) => chip.setAttribute("aria-pressed", "false"));
      chooseScope(null);
      askFor(at.closest("[data-again]").dataset.again);
    } else if (at.closest("[data-copy]")) {
      copy(at.closest("[data-copy]"));
    } else if (at.closest("[data-rate]")) {
      chooseRating(at.closest("[data-rate]"));
    } else if (at.closest("[data-cancel]")) {
      at.closest(".pa-form").hidden = true;
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

  // Questions that the address brings (/?ask=…&ask=…) are put into the box one after the other, for the person to send.
  const brought = new URLSearchParams(window.location.search).getAll("ask").slice(0, 12);
  function offerBrought(running) {
    const box = findBox();
    if (brought.length && box && !running && !box.value) fill(brought.shift().slice(0, 4000));
  }

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
    if (exchange && turn !== returned && find("[data-again]", exchange)) giveBack(exchange);
    if (exchange) nameTalk(exchange);
    else if (find(".pa-welcome")) nameTalk(null);
    relabel();
    offerBrought(running);
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
