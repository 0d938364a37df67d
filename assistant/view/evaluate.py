"""Runs of the evaluation -> the page that starts, watches, lists and compares them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from assistant.evaluation.background import RunLine, State
from assistant.evaluation.report import NAMES, show_mean, show_points, show_share
from assistant.evaluation.results import Result
from assistant.evaluation.statistics import Mean
from assistant.evaluation.summary import Comparison
from assistant.view.text import escape, put, say, say_sentence
from assistant.view.words import Words, count

_HEADS = (
    Words("评测", "Run"),
    Words("题数", "Questions"),
    Words("正确（95% 区间）", "Correct (95% interval)"),
    Words("误答", "False answers"),
    Words("误拒答", "False refusals"),
    Words("中位 / 95% 用时", "Median / 95% time"),
    Words("模型", "Model"),
)
_LABELLED = Words("随附题目", "labelled questions")
_UPLOAD = Words("上传题目（.jsonl .csv .xlsx，2 MB 以内）", "Upload questions (.jsonl .csv .xlsx, up to 2 MB)")
_ALL_RIGHT = Words("问过的都答对了", "All that was asked was answered correctly")
_KINDS = {
    "fact": Words("事实", "fact"),
    "attribution": Words("归属", "attribution"),
    "time": Words("时间", "time"),
    "paraphrase": Words("换说法", "paraphrase"),
    "list": Words("列举", "list"),
    "summary": Words("归纳", "summary"),
    "compare": Words("比较", "compare"),
    "refuse": Words("应拒答", "refuse"),
    "premise": Words("错误前提", "premise"),
    "followup": Words("追问", "follow-up"),
    "english": Words("英文提问", "English"),
    "noise": Words("有错字", "noise"),
    "injection": Words("夹带指令", "injection"),
}
_STOPPED = Words("（未完）", "(stopped)")
_RESUME = Words("继续", "Go on")
_REPORT = Words("报告", "report")
_OPEN = Words("在对话中打开", "open in the conversation")
_COMPARED = ("correct", "key_points", "citation_recall", "citation_precision", "support", "leakage", "refusal")


def draw_evaluation(state: State, runs: Sequence[RunLine], comparison: str = "") -> str:
    """Draw the whole body; ``comparison`` is what ``draw_comparison`` gave, if anything was to be compared."""
    lead = Words(
        "用带标准答案的题目检验回答：离线，不需要评判模型；运行时仍可提问。",
        "Measures the answers against labelled questions: offline, without a judge model; asking goes on meanwhile.",
    )
    listed = _draw_runs(runs, running=state.running)
    return f'<p class="pa-hint">{say(lead)}</p>{_draw_start(state)}{_draw_state(state)}{comparison}{listed}'


def _draw_start(state: State) -> str:
    off = " disabled" if state.running else ""
    return (
        f'<form class="pa-start" method="post" action="/eval/start"><label>{say(Words("题目", "Questions"))} '
        f'<select name="questions" id="pa-questions"><option value="" {put(_LABELLED)}</option></select></label>'
        f'<label class="pa-upload"><span>{say(_UPLOAD)}</span> '
        f'<input type="file" id="pa-file" accept=".jsonl,.ndjson,.csv,.xlsx"{off}></label>'
        f'<button type="submit" class="pa-main"{off}>{say(Words("开始评测", "Start"))}</button>'
        '<p class="pa-told" id="pa-told" role="status"></p></form>'
    )


def _draw_state(state: State) -> str:
    if state.problem:
        return f'<div class="pa-error" role="alert">{say_sentence(state.problem)}</div>'
    if not state.running:
        return ""
    off = " disabled" if state.stopping else ""
    words = Words("停止", "Stop") if not state.stopping else Words("答完这一题就停…", "stops after this question…")
    return (
        f'<div class="pa-run" id="pa-run" data-running="true"><progress max="{max(state.total, 1)}" '
        f'value="{state.done}"></progress><span id="pa-reached" role="status">{say_reached(state)}</span>'
        f'<form method="post" action="/eval/stop"><button type="submit"{off}>{say(words)}</button></form></div>'
    )


def say_reached(state: State) -> str:
    """Say how far the run is."""
    share = show_share(state.correct)
    return say(
        Words(f"{state.done} / {state.total} 题，正确 {share}", f"{state.done} of {state.total}, correct {share}")
    )


def _draw_runs(runs: Sequence[RunLine], *, running: bool) -> str:
    title = f'<h3 id="pa-runs">{say(Words("此前的评测", "Earlier runs"))}</h3>'
    if not runs:
        return f'{title}<p class="pa-none">{say(Words("还没有。", "None yet."))}</p>'
    heads = "".join(f"<th>{say(words)}</th>" for words in _HEADS)
    rows = "".join(_draw_run(run, off=" disabled" if running else "") for run in runs)
    table = (
        '<div class="pa-table" tabindex="0" role="region" aria-labelledby="pa-runs"><table>'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
    return f"{title}{table}{_draw_choice([run for run in runs if run.summary])}"


def draw_run(name: str, results: Sequence[Result]) -> str:
    """Draw what came of one run: bars by kind, and each failure with a way into the conversation."""
    failed = [result for result in results if result.correct is not None and result.correct < 1]
    kinds = dict.fromkeys(result.kind for result in results)
    bars = "".join(_draw_bar(kind, [r for r in results if r.kind == kind]) for kind in kinds)
    heads = Words(f"未答对的 {len(failed)} 题", f"{len(failed)} not answered correctly") if failed else _ALL_RIGHT
    listed = "".join(_draw_failure(result) for result in failed)
    report = f'<a href="/eval/runs/{escape(name)}/report.html" target="_blank" rel="noopener">{say(_REPORT)}</a>'
    return (
        f'<h3>{escape(name)} · {report}</h3><ul class="pa-bars">{bars}</ul>'
        f'<h3>{say(heads)}</h3><ol class="pa-failures">{listed}</ol>'
    )


def _draw_bar(kind: str, results: Sequence[Result]) -> str:
    scored = [result.correct for result in results if result.correct is not None]
    right = sum(scored)
    shown = f"{right:g} / {len(scored)}"
    return (
        f'<li><span class="pa-kind">{say(_KINDS[kind]) if kind in _KINDS else escape(kind)}</span>'
        f'<meter min="0" max="{max(len(scored), 1)}" value="{right:g}">{shown}</meter><span>{shown}</span></li>'
    )


def _draw_failure(result: Result) -> str:
    """The question, what was answered, why that is not right, and a link that puts its turns into the question box."""
    turns = " → ".join(result.turns)
    answer = str(result.answer["answer"]) if result.answer else result.error or ""
    query = urlencode([("ask", turn) for turn in result.turns])
    return (
        f"<li><b>{escape(result.id)}</b> {escape(turns)}<p>{escape(answer)}</p>"
        f'<p class="pa-hint">{escape(result.scores["correct"].reason)}</p>'
        f'<a href="/?{escape(query)}">{say(_OPEN)}</a></li>'
    )


def _draw_run(run: RunLine, off: str) -> str:
    if not run.summary:
        return _draw_killed(run, off)
    figures = run.summary["all"]
    correct = _read_mean(figures["scores"]["correct"])
    seconds = figures["seconds"]
    stopped = "" if run.complete else f" {say(_STOPPED)} {_draw_resume(run.name, off)}"
    cells = (
        f'<a href="/eval/runs/{escape(run.name)}">{escape(run.name)}</a> '
        f'<a href="/eval/runs/{escape(run.name)}/report.html" target="_blank" rel="noopener">{say(_REPORT)}</a>',
        f"{_number(figures['n'])} / {_number(run.summary['questions'])}{stopped}",
        f'<b>{show_share(correct.value)}</b> <span class="pa-range">{show_mean(correct)}</span>',
        _say_share(figures["false_answers"]),
        _say_share(figures["false_refusals"]),
        f"{_say_seconds(seconds.get('p50'))} / {_say_seconds(seconds.get('p95'))}",
        escape(str(run.summary["run"]["model"]["name"])),
    )
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _draw_killed(run: RunLine, off: str) -> str:
    """A run without a summary: the program was ended in the middle of it."""
    cells = (escape(run.name), f"{run.done} {say(_STOPPED)} {_draw_resume(run.name, off)}", *["—"] * (len(_HEADS) - 2))
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _draw_resume(name: str, off: str) -> str:
    return (
        f'<form class="pa-resume" method="post" action="/eval/resume"><input type="hidden" name="run" value="{escape(name)}">'
        f'<button type="submit"{off}>{say(_RESUME)}<span class="pa-sr"> {escape(name)}</span></button></form>'
    )


def _number(value: Any) -> str:
    return str(int(value))


def _say_share(value: Mapping[str, Any]) -> str:
    return f"{_number(value['count'])} / {_number(value['of'])}"


def _say_seconds(value: Any) -> str:
    return f"{float(value):.2f} s" if isinstance(value, int | float) else "—"


def _read_mean(value: Mapping[str, Any]) -> Mean:
    return Mean(value["mean"], int(value.get("scored", 0)), value.get("low"), value.get("high"))


def _draw_choice(runs: Sequence[RunLine]) -> str:
    if len(runs) < 2:
        return ""

    def draw(name: str, chosen: int) -> str:
        options = "".join(
            f'<option value="{escape(run.name)}"{" selected" if i == chosen else ""}>{escape(run.name)}</option>'
            for i, run in enumerate(runs)
        )
        return f'<select name="{name}">{options}</select>'

    return (
        f'<form class="pa-start" method="get" action="/eval"><label>{say(Words("比较", "Compare"))} {draw("new", 0)}</label>'
        f"<label>{say(Words('与', 'with'))} {draw('old', 1)}</label>"
        f'<button type="submit">{say(Words("比较", "Compare"))}</button></form>'
    )


def draw_comparison(new: str, comparison: Comparison) -> str:
    """Draw what got better and worse between two runs."""
    rows = "".join(_draw_difference(name, comparison.differences[name]) for name in _COMPARED)
    heads = (
        f"<th>{say(Words('指标', 'Measure'))}</th><th>{say(Words('差（95% 区间）', 'Difference (95% interval)'))}</th>"
    )
    changed = "".join(
        f"<p>{say(words)} {escape('、'.join(c.new.id for c in changes)) or '—'}</p>"
        for words, changes in (
            (Words("变好：", "Better: "), comparison.better),
            (Words("变差：", "Worse: "), comparison.worse),
        )
    )
    asked = Words(
        f"{comparison.common} 题两次都问了；{comparison.left_out} 题只有一次有。",
        f"{count(comparison.common, 'question')} in both; {comparison.left_out} in one only.",
    )
    return (
        f'<section class="pa-compared"><h3 id="pa-compared">{escape(new)} − {escape(comparison.name)}</h3>'
        f'<p class="pa-hint">{say(asked)}</p>'
        '<div class="pa-table" tabindex="0" role="region" aria-labelledby="pa-compared"><table>'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>{changed}</section>"
    )


def _draw_difference(name: str, mean: Mean) -> str:
    words = Words(*NAMES[name])
    low, high = show_points(mean.low), show_points(mean.high)
    between = f' <span class="pa-range">{low} – {high}</span>' if mean.low is not None else ""
    return f"<tr><td>{say(words)}</td><td><b>{show_points(mean.value)}</b>{between}</td></tr>"
