"""The documents of an index -> the page that lists them: sections, their labels and why, and how many sentences each has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from assistant.view.source import draw_chips
from assistant.view.text import escape, say, say_reason, shorten
from assistant.view.words import Words, name_labels
from vectorstore.types import ParsedDocument, Section

_SECTIONS = 400  # of one document
_DOCUMENTS = 500
_HEADING = 60  # characters


def draw_documents(documents: Sequence[ParsedDocument]) -> str:
    """Draw what is indexed, closed up to one line a document."""
    sections = sum(len(parsed.sections) for parsed in documents)
    sentences = sum(len(parsed.sentences) for parsed in documents)
    total = Words(
        f"{len(documents)} 份资料，{sections} 节，{sentences} 句。",
        f"{len(documents)} documents, {sections} sections, {sentences} sentences.",
    )
    how = Words(
        "增减资料：改动文件夹后运行 assistant index；更正标签：见 sources.toml。",
        "To add or remove files change the folder and run: assistant index. Labels are corrected in sources.toml.",
    )
    rows = "".join(_draw_document(parsed, opened=len(documents) <= 3) for parsed in documents[:_DOCUMENTS])
    more = len(documents) - _DOCUMENTS
    rest = f"<p>… {say(Words(f'还有 {more} 份', f'{more} more'))}</p>" if more > 0 else ""
    return f'<p class="pa-hint">{say(total)} {say(how)}</p>{rows}{rest}'


def _draw_document(parsed: ParsedDocument, *, opened: bool) -> str:
    document = parsed.document
    counts = Counter(sentence.section for sentence in parsed.sentences)
    grey = sum(span.end - span.start for span in parsed.boilerplate)
    facts = [document.publisher or "", document.published.isoformat() if document.published else "", document.source]
    size = Words(
        f"{len(parsed.sections)} 节，{len(parsed.sentences)} 句，{grey} 字为网页附文，不检索",
        f"{len(parsed.sections)} sections, {len(parsed.sentences)} sentences; {grey} characters of page furniture are not searched",
    )
    line = " · ".join([*(escape(fact) for fact in facts if fact), say(size)])
    rows = "".join(_draw_row(section, counts[i]) for i, section in enumerate(parsed.sections[:_SECTIONS]))
    more = len(parsed.sections) - _SECTIONS
    rest = f"<p>… {say(Words(f'还有 {more} 节', f'{more} more sections'))}</p>" if more > 0 else ""
    head = "".join(
        f"<th>{say(words)}</th>"
        for words in (Words("章节", "Section"), Words("标签", "Labels"), Words("依据", "Why"), Words("句", "Sentences"))
    )
    return (
        f'<details class="pa-file"{" open" if opened else ""}><summary><b>{escape(document.title)}</b>'
        f'<span class="pa-facts">{line}</span></summary><div class="pa-table" tabindex="0"><table><thead><tr>{head}</tr>'
        f"</thead><tbody>{rows}</tbody></table></div>{rest}</details>"
    )


def _draw_row(section: Section, count: int) -> str:
    heading = escape(shorten(section.headings[-1], _HEADING)) if section.headings else "–"
    reasons = [reason for reason in (section.reasons.region, section.reasons.year, section.reasons.part) if reason]
    why = "<br>".join(say_reason(reason) for reason in reasons)
    labels = draw_chips(name_labels(section.labels)) or say(Words("无", "none"))
    return f'<tr><td>{heading}</td><td>{labels}</td><td class="pa-facts">{why}</td><td>{count}</td></tr>'
