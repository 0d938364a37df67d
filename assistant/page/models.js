// The page of models: while one is being started, looks until it answers or has failed, and then shows which.
(() => {
  "use strict";
  async function follow() {
    try {
      const state = await (await window.fetch("/models/state")).json();
      if (!state.running) return window.location.replace("/models");
    } catch (_) {
      // the server is busy or gone; the next look will tell
    }
    window.setTimeout(follow, 500);
  }

  if (document.getElementById("pa-change")) follow();
})();
