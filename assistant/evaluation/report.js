"use strict";
(() => {
  const items = [...document.querySelectorAll(".question-item")];
  const search = document.getElementById("search");
  const kind = document.getElementById("kind");
  const outcome = document.getElementById("outcome");
  const shown = document.getElementById("shown");
  const texts = new Map(items.map((item) => [item, item.textContent.toLowerCase()]));

  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const item of items) {
      const wanted = outcome.value;
      const fits =
        (!kind.value || item.dataset.kind === kind.value) &&
        (!wanted || item.dataset.outcome === wanted || (wanted === "failed" && item.dataset.failed === "1")) &&
        words.every((word) => texts.get(item).includes(word));
      item.hidden = !fits;
      count += fits ? 1 : 0;
    }
    shown.textContent = `${count} / ${items.length}`;
    document.getElementById("nothing").hidden = count > 0;
  };

  const open = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    const item = target.closest("details");
    if (item) {
      item.hidden = false;
      item.open = true;
    }
    target.scrollIntoView({ block: "start" });
  };

  for (const [control, event] of [[search, "input"], [kind, "change"], [outcome, "change"]]) {
    control.addEventListener(event, filter);
  }
  for (const link of document.querySelectorAll("[data-show-kind], [data-show-outcome]")) {
    link.addEventListener("click", () => {
      search.value = "";
      kind.value = link.dataset.showKind || "";
      outcome.value = link.dataset.showOutcome || "";
      filter();
      document.getElementById("questions").scrollIntoView();
    });
  }
  document.getElementById("unfold").addEventListener("click", () => {
    const visible = items.filter((item) => !item.hidden);
    const unfold = visible.some((item) => !item.open);
    for (const item of visible) item.open = unfold;
  });

  let closed = [];
  window.addEventListener("beforeprint", () => {
    closed = items.filter((item) => !item.hidden && !item.open && item.dataset.failed === "1");
    for (const item of closed) item.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const item of closed) item.open = false;
  });
  window.addEventListener("hashchange", open);
  document.getElementById("controls").hidden = false;
  filter();
  open();
})();
