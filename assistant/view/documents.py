"""The documents of an index -> the page where they are seen, added, removed and their labels corrected.

Without a desk the page only shows; a desk is what the library and the builder say of the documents.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from assistant.library.background import Building
from assistant.library.state import Removed
from assistant.view.sections import draw_lost, draw_regions, draw_row, name_section
from assistant.view.text import escape, say, say_sentence
from assistant.view.words import Words
from vectorstore.kinds import EXTRACTED, MEDIA
from vectorstore.types import LabelCorrection, ParsedDocument

_SECTIONS = 400  # of one document
_INLINE = 300  # sections of all documents that are shown on one page; else each document has a page of its own
_DOCUMENTS = 500
_STAGES = {
    "": Words("正在准备", "preparing"),
    "wait": Words("另一个程序正在建立索引，等它结束", "waiting for another program that builds"),
    "embed": Words("正在计算向量", "embedding"),
    "write": Words("正在写入", "writing"),
    "check": Words("正在检查", "checking"),
}
REMOVE_ADDED = Words(
    "立即不再用于回答；已有的对话保留当时的引文。可以恢复。",
    "No answer comes from it any more, at once; past conversations keep their quotes. It can be restored.",
)
REMOVE_GIVEN = Words(
    "立即不再用于回答；只是隐藏，您文件夹里的原文件不会被改动或删除。可以恢复。",
    "No answer comes from it any more, at once. It is only hidden: the file in your folder is not touched. It can be restored.",
)


@dataclass(frozen=True, slots=True)
class Arrival:
    """What became of one file that was sent with a plain form."""

    name: str
    text: str  # one sentence in both languages
    kept: bool


@dataclass(frozen=True, slots=True)
class Desk:
    """What can be done on the page, and how far it is."""

    building: Building
    outdated: bool = False
    added: frozenset[str] = frozenset()  # sources of files that were added here
    removed: tuple[Removed, ...] = ()
    corrections: Mapping[str, Sequence[LabelCorrection]] = field(default_factory=dict)
    lost: Mapping[str, Sequence[LabelCorrection]] = field(default_factory=dict)
    arrivals: tuple[Arrival, ...] = ()
    largest: int = 0  # bytes of a file


def draw_documents(documents: Sequence[ParsedDocument], desk: Desk | None = None, one: str = "") -> str:
    """Draw what is indexed, closed up to one line a document; ``one`` names the only document to show, opened."""
    shown = [p for p in documents if p.document.source == one] if one else list(documents[:_DOCUMENTS])
    sections = sum(len(parsed.sections) for parsed in documents)
    sentences = sum(len(parsed.sentences) for parsed in documents)
    total = Words(
        f"{len(documents)} 份资料，{sections} 节，{sentences} 句。",
        f"{len(documents)} documents, {sections} sections, {sentences} sentences.",
    )
    inline = bool(one) or sections <= _INLINE
    opened = bool(one) or len(documents) <= 3
    rows = "".join(_draw_document(p, desk, inline=inline, opened=opened, alone=bool(one)) for p in shown)
    more = len(documents) - _DOCUMENTS
    rest = f"<p>… {say(Words(f'还有 {more} 份', f'{more} more'))}</p>" if more > 0 and not one else ""
    listed = f'<p class="pa-hint">{say(total)}</p>{rows}{rest}'
    if desk is None:
        return listed
    back = f'<p><a href="/documents">← {say(Words("全部资料", "all documents"))}</a></p>' if one else draw_form(desk)
    return (
        f'{back}<div id="pa-shelf">{draw_building(desk)}{listed}{"" if one else _draw_removed(desk)}'
        f'{draw_regions()}</div><script defer src="/page/documents.js"></script>'
    )


def draw_form(desk: Desk) -> str:
    """Draw the way to add files: works as a plain form, and file by file with progress where our script runs."""
    limit = desk.largest // 2**20
    kinds = " ".join(MEDIA)
    hint = Words(
        f"可拖放到这里。{kinds}，每份不超过 {limit} MB；PDF 须有文字（扫描件请先做文字识别）。文件只保存在运行本程序的机器上。",
        f"Or drop them here. {kinds}, up to {limit} MB each; a PDF has to hold text. Files stay on the machine that runs this program.",
    )
    arrived = "".join(
        f'<li class="{"pa-kept" if a.kept else "pa-refused"}"><b>{escape(a.name)}</b> '
        f"<span>{'✓' if a.kept else '✗'} {say_sentence(_without_name(a))}</span></li>"
        for a in desk.arrivals
    )
    return (
        '<form class="pa-drop" id="pa-drop" method="post" action="/documents/files" enctype="multipart/form-data" '
        f'data-largest="{desk.largest}" data-kinds="{escape(kinds)}"><div class="pa-pick">'
        f"<label><span>{say(Words('添加文件', 'Add files'))}</span> "
        f'<input type="file" name="files" id="pa-files" multiple accept="{",".join(MEDIA)}"></label>'
        f"<label><span>{say(Words('添加文件夹', 'Add a folder'))}</span> "
        '<input type="file" name="files" id="pa-folder" webkitdirectory multiple></label>'
        f'<button type="submit" class="pa-main">{say(Words("添加", "Add"))}</button></div>'
        f'<p class="pa-hint">{say(hint)}</p><ul class="pa-arrivals" id="pa-arrivals" role="status">{arrived}</ul></form>'
    )


def _without_name(arrival: Arrival) -> str:
    return arrival.text.removeprefix(f"{arrival.name.rpartition('/')[2]}：")  # the line says it already


def draw_building(desk: Desk) -> str:
    """Draw how far the index is behind what the page shows."""
    building = desk.building
    if building.running:
        stage = _STAGES.get(building.stage, _STAGES[""])
        words = Words(
            f"正在更新索引：{stage.zh}…可以继续提问；移除的资料已不再使用。",
            f"Updating the index: {stage.en}… You can go on asking; what was removed is not used any more.",
        )
        return (
            f'<div class="pa-run" id="pa-building" data-running="true" data-builds="{building.builds}">'
            f'<progress max="{max(building.total, 1)}" value="{building.done}" aria-label="{escape(stage.zh)}"></progress>'
            f'<span role="status">{say(words)}</span></div>'
        )
    again = (
        '<form method="post" action="/documents/build"><button type="submit">'
        f"{say(Words('更新索引', 'Update the index'))}</button></form>"
    )
    if building.problem:
        failed = Words("索引没有更新，仍使用原来的：", "The index was not updated, the old one stays in use: ")
        return f'<div class="pa-error" role="alert">{say(failed)} {say_sentence(building.problem)}{again}</div>'
    if desk.outdated:
        behind = Words("有改动还没有进入索引。", "Some changes are not in the index yet.")
        return f'<div class="pa-run" id="pa-building"><span>{say(behind)}</span>{again}</div>'
    return ""


def name_file(source: str) -> str:
    """Give the id of a document's element."""
    return f"doc-{hashlib.sha256(source.encode('utf-8', 'replace')).hexdigest()[:10]}"


def _draw_document(parsed: ParsedDocument, desk: Desk | None, *, inline: bool, opened: bool, alone: bool) -> str:
    document = parsed.document
    grey = sum(span.end - span.start for span in parsed.boilerplate)
    facts = [document.publisher or "", document.published.isoformat() if document.published else "", document.source]
    size = Words(
        f"{len(parsed.sections)} 节，{len(parsed.sentences)} 句，{grey} 字为网页或页面附文，不检索",
        f"{len(parsed.sections)} sections, {len(parsed.sentences)} sentences; {grey} characters of page furniture are not searched",
    )
    line = " · ".join([*(escape(fact) for fact in facts if fact), say(size)])
    added = desk is not None and document.source in desk.added
    badge = f' <span class="pa-chip">{say(Words("网页添加", "added here"))}</span>' if added else ""
    body = _draw_sections(parsed, desk, alone=alone) if inline else _draw_link(document.source)
    acts = _draw_acts(parsed, added=added) if desk is not None else ""
    lost = draw_lost(document.source, desk.lost.get(document.source, ())) if desk is not None else ""
    return (
        f'<details class="pa-file" id="{name_file(document.source)}"{" open" if opened else ""}><summary>'
        f'<b>{escape(document.title)}</b>{badge}<span class="pa-facts">{line}</span></summary>{lost}{body}{acts}</details>'
    )


def _draw_link(source: str) -> str:
    words = Words("查看各节，更正标签", "See its sections, correct labels")
    return f'<p><a href="/documents/one?source={quote(source, safe="", errors="replace")}">{say(words)}</a></p>'


def _draw_sections(parsed: ParsedDocument, desk: Desk | None, *, alone: bool) -> str:
    counts = Counter(sentence.section for sentence in parsed.sentences)
    editable = desk is not None
    rows = "".join(
        draw_row(parsed, section, counts[i], editable=editable, alone=alone)
        for i, section in enumerate(parsed.sections[:_SECTIONS])
    )
    more = len(parsed.sections) - _SECTIONS
    rest = f"<p>… {say(Words(f'还有 {more} 节', f'{more} more sections'))}</p>" if more > 0 else ""
    head = "".join(
        f"<th>{say(words)}</th>"
        for words in (Words("章节", "Section"), Words("标签", "Labels"), Words("依据", "Why"), Words("句", "Sentences"))
    )
    return f'<div class="pa-table" tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{rest}'


def _draw_acts(parsed: ParsedDocument, *, added: bool) -> str:
    source = parsed.document.source
    text = ""
    if parsed.document.media in EXTRACTED:
        words = Words("查看提取出的文字", "see the text that was extracted")
        text = f'<a href="/documents/text?source={quote(source, safe="", errors="replace")}">{say(words)}</a>'
    why = REMOVE_ADDED if added else REMOVE_GIVEN
    return (
        f'<div class="pa-acts-file">{text}<details class="pa-delete"><summary>{say(Words("移除", "Remove"))}</summary>'
        f'<form method="post" action="/documents/remove"><p>{say(why)}</p>{_hide("source", source)}'
        f'<button type="submit">{say(Words("确认移除", "Yes, remove"))}</button></form></details></div>'
    )


def _hide(name: str, value: str) -> str:
    return f'<input type="hidden" name="{name}" value="{escape(value)}">'


def _draw_removed(desk: Desk) -> str:
    if not desk.removed:
        return ""
    rows = "".join(_draw_gone(removed) for removed in desk.removed)
    hint = Words(
        "不再用于回答，重建索引后也不会回来；可以恢复。",
        "Not used for answers, nor after the index was built anew; they can be restored.",
    )
    return (
        f'<h3 id="pa-removed">{say(Words("已移除", "Removed"))}</h3><p class="pa-hint">{say(hint)}</p>'
        f'<ul class="pa-lines">{rows}</ul>'
    )


def _draw_gone(removed: Removed) -> str:
    where = (
        Words("网页添加的文件", "added here")
        if removed.added
        else Words("文件夹里的原文件还在", "its file is still in your folder")
    )
    delete = ""
    if removed.added:
        sure = Words("确认彻底删除", "Yes, delete for good")
        delete = (
            f'<details class="pa-delete"><summary>{say(Words("彻底删除", "Delete for good"))}</summary>'
            f'<form method="post" action="/documents/delete">{_hide("source", removed.source)}'
            f'<button type="submit">{say(sure)}</button></form></details>'
        )
    return (
        f'<li><div><b>{escape(removed.title)}</b><span class="pa-facts">{escape(removed.source)} · '
        f'{escape(removed.when[:10])} · {say(where)}</span></div><div class="pa-acts-file">'
        f'<form method="post" action="/documents/restore">{_hide("source", removed.source)}'
        f'<button type="submit">{say(Words("恢复", "Restore"))}</button></form>{delete}</div></li>'
    )


def find_place(source: str, start: int, *, alone: bool) -> str:
    """Give the address of a section on the page that it was corrected on."""
    page = f"/documents/one?source={quote(source, safe='', errors='replace')}" if alone else "/documents"
    return f"{page}#{name_section(source, start)}"
