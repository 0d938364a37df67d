// The evaluation page: sends a question file, and follows the run until it ends.
(() => {
  "use strict";
  const find = (id) => document.getElementById(id);
  const told = find("pa-told");
  const file = find("pa-file");
  const run = find("pa-run");
  const english = () => document.documentElement.dataset.lang === "en";

  async function upload() {
    const chosen = file.files && file.files[0];
    if (!chosen) return;
    told.textContent = "…";
    try {
      const response = await window.fetch(`/eval/questions?name=${encodeURIComponent(chosen.name)}`, {
        method: "POST",
        body: chosen,
      });
      if (response.status === 413) throw new Error("2 MB");
      const answer = await response.json();
      if (!response.ok) throw new Error(answer.problem);
      const option = document.createElement("option");
      option.value = answer.id;
      option.textContent = `${chosen.name} (${answer.count})`;
      find("pa-questions").append(option);
      option.selected = true;
      told.textContent = english() ? `${answer.count} questions read.` : `已读入 ${answer.count} 题。`;
    } catch (problem) {
      told.textContent = problem.message; // names every row that does not fit
    }
    file.value = "";
  }

  async function follow() {
    try {
      const state = await (await window.fetch("/eval/state")).json();
      if (!state.running) return window.location.replace("/eval");
      run.querySelector("progress").max = Math.max(state.total, 1);
      run.querySelector("progress").value = state.done;
      const share = state.correct === null ? "—" : `${(state.correct * 100).toFixed(1)}%`;
      const [zh, en] = find("pa-reached").children;
      zh.textContent = `${state.done} / ${state.total} 题，正确 ${share}`;
      en.textContent = `${state.done} of ${state.total}, correct ${share}`;
    } catch (_) {
      // the server is busy or gone; the next look will tell
    }
    window.setTimeout(follow, 700);
  }

  if (file) file.addEventListener("change", upload);
  if (run) follow();
})();
