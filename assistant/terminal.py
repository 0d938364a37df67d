"""Values in, lines for a terminal out. Colour only where the terminal has it; nothing is computed here."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from assistant.question.english import is_english
from assistant.types import Answer, Citation, Verdict
from assistant.writing.prompt import name_labels
from vectorstore.types import BuildReport, Section

SIGNS = {
    Verdict.SUPPORTED: ("✓", "已核对", "green"),
    Verdict.PARTIAL: ("◐", "部分", "yellow"),
    Verdict.UNSUPPORTED: ("✗", "未找到依据", "red"),
    Verdict.UNCITED: ("○", "无引用", "red"),
    Verdict.UNCHECKED: ("–", "未核对", "dim"),
}
_SHOWN = 120  # characters of a quote; longer ones are cut in the list and whole in --json


def show_answer(console: Console, answer: Answer) -> None:
    """Print the answer, the verdict of each claim, and the cited sentences with their places."""
    if answer.question.standalone != answer.question.text:
        console.print(f"[dim]理解为：{escape(answer.question.standalone)}[/dim]")
    console.print(escape(answer.text), style="bold" if not answer.refused else "", highlight=False)
    if answer.stopped:
        console.print("[yellow]已停止 stopped[/yellow]")
    if answer.claims:
        console.print()
    for claim in answer.claims:
        sign, words, colour = SIGNS[claim.verdict]
        numbers = "".join(f"\\[{n}]" for n in claim.citations)
        reason = claim.reason if is_english(answer.question.text) else claim.reason_zh or claim.reason
        console.print(f"[{colour}]{sign} {words}[/{colour}] {numbers} [dim]{escape(reason)}[/dim]", highlight=False)
    for citation in answer.citations:
        _show_citation(console, f"\\[{citation.n}]", citation)
    if answer.nearest:
        console.print("\n最接近的句子 nearest sentences:")
    for citation in answer.nearest:
        _show_citation(console, " ·", citation)
    for note in answer.notes:
        console.print(f"[dim]{escape(note)}[/dim]")


def _show_citation(console: Console, mark: str, citation: Citation) -> None:
    sentence = citation.sentence
    quote = " ".join(sentence.plain.split())
    shown = quote if len(quote) <= _SHOWN else f"{quote[:_SHOWN]}…"
    labels = name_labels(sentence.labels)
    where = f"{sentence.source}#{sentence.start}-{sentence.end}"
    console.print(f"{mark} {escape(shown)}", highlight=False)
    console.print(
        f"    [dim]{escape(' · '.join(x for x in (labels, citation.title, where) if x))}[/dim]", highlight=False
    )


def show_report(console: Console, report: BuildReport) -> None:
    """Print what a build read: documents, sections with labels and reasons, counts, seconds."""
    for parsed in report.documents:
        document = parsed.document
        facts = " · ".join(x for x in (document.publisher, document.published and document.published.isoformat()) if x)
        console.print(f"\n[bold]{escape(document.source)}[/bold]  {escape(document.title)}  [dim]{escape(facts)}[/dim]")
        console.print(_sections(parsed.sections, [s.section for s in parsed.sentences]))
        grey = sum(b.end - b.start for b in parsed.boilerplate)
        console.print(f"[dim]网页边角 boilerplate：{len(parsed.boilerplate)}处，{grey}字 characters[/dim]")
    for path, reason in report.skipped:
        console.print(f"[yellow]跳过 skipped[/yellow] {escape(path)}：{escape(reason)}")
    manifest = report.manifest
    console.print(
        f"\n{manifest.documents}份文件 documents，{manifest.sections}个部分 sections，{manifest.sentences}个句子 sentences，"
        f"{report.seconds:.1f}秒 s；跳过 skipped：{len(report.skipped)}；{manifest.embedder}；{manifest.generation}"
    )


def _sections(sections: Sequence[Section], of_sentences: Sequence[int]) -> Table:
    table = Table("部分 section", "标签 labels", "句 n", "理由 reasons", show_edge=False, pad_edge=False)
    for number, section in enumerate(sections):
        reasons = section.reasons
        given = [reason for reason in (reasons.region, reasons.year, reasons.part) if reason]
        table.add_row(
            escape(" / ".join(section.headings) or "—"),
            escape(name_labels(section.labels) or "—"),
            str(of_sentences.count(number)),
            escape("\n".join(given)),
        )
    return table
