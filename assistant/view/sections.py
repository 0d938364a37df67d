"""A section of a document -> its row: labels, why, and the form that corrects them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from assistant.view.source import draw_chips
from assistant.view.text import escape, say, say_reason, shorten
from assistant.view.words import PARTS, Words, name_labels
from vectorstore.by_hand import is_by_hand
from vectorstore.gazetteer import Gazetteer
from vectorstore.types import LabelCorrection, Labels, ParsedDocument, Part, Section

_HEADING = 60  # characters
_WORDS = 40
_NONE = Words("无", "none")
_BY_HAND = Words("✎ 人工", "✎ by hand")


def name_section(source: str, start: int) -> str:
    """Give the id of a section's row."""
    return f"sec-{hashlib.sha256(source.encode('utf-8', 'replace')).hexdigest()[:10]}-{start}"


def draw_row(parsed: ParsedDocument, section: Section, count: int, *, editable: bool, alone: bool) -> str:
    """Draw one section; ``alone`` says that the page shows its document only."""
    heading = escape(shorten(section.headings[-1], _HEADING)) if section.headings else "–"
    reasons = [reason for reason in (section.reasons.region, section.reasons.year, section.reasons.part) if reason]
    why = "<br>".join(say_reason(reason) for reason in reasons)
    labels = draw_chips(name_labels(section.labels)) or say(_NONE)
    hand = f' <span class="pa-hand">{say(_BY_HAND)}</span>' if is_by_hand(section) else ""
    form = _draw_form(parsed.document.source, section, alone=alone) if editable else ""
    return (
        f'<tr id="{name_section(section.source, section.start)}"><td>{heading}</td><td>{labels}{hand}{form}</td>'
        f'<td class="pa-facts">{why}</td><td>{count}</td></tr>'
    )


def _draw_form(source: str, section: Section, *, alone: bool) -> str:
    labels = section.labels
    automatic = section.before[0] if section.before else labels
    set_by_hand = section.before is not None
    reset = (
        f'<button type="submit" name="reset" value="1">{say(Words("恢复自动", "Back to automatic"))}</button>'
        if set_by_hand
        else ""
    )
    was = f'<p class="pa-hint">{say(_say_automatic(automatic))}</p>' if set_by_hand else ""
    return (
        f'<details class="pa-correct"><summary>{say(Words("更正", "correct"))}</summary>'
        f'<form method="post" action="/documents/labels">{was}<input type="hidden" name="source" value="{escape(source)}">'
        f'<input type="hidden" name="start" value="{section.start}">'
        f'<input type="hidden" name="alone" value="{int(alone)}">'
        f"<label>{say(Words('地区', 'Region'))} "
        f'<input name="region" list="pa-regions" maxlength="20" autocomplete="off" value="{escape(labels.region or "")}"></label>'
        f"<label>{say(Words('年份', 'Year'))} "
        f'<input name="year" inputmode="numeric" maxlength="5" size="6" autocomplete="off" value="{labels.year or ""}"></label>'
        f"<label>{say(Words('部分', 'Part'))} {_draw_parts(labels.part)}</label>"
        f'<button type="submit" class="pa-main">{say(Words("保存", "Save"))}</button>{reset}</form></details>'
    )


def _say_automatic(labels: Labels) -> Words:
    named = " · ".join(name_labels(labels))
    return Words(f"自动标签：{named or '无'}", f"automatic: {named or 'none'}")


def _draw_parts(chosen: Part | None) -> str:
    options = (
        f'<option value=""{"" if chosen else " selected"}>{escape(_NONE.zh)} {escape(_NONE.en)}</option>'
        + "".join(
            f'<option value="{part.value}"{" selected" if part is chosen else ""}>{escape(words.zh)} {escape(words.en)}</option>'
            for part, words in PARTS.items()
        )
    )
    return f'<select name="part">{options}</select>'


def draw_regions() -> str:
    """Draw the list that the fields for regions offer; once a page."""
    names = "".join(f'<option value="{escape(name)}"></option>' for name in Gazetteer.load().provinces())
    return f'<datalist id="pa-regions">{names}</datalist>'


def draw_lost(source: str, lost: Sequence[LabelCorrection]) -> str:
    """Say which corrections fit the document no longer, with a way to drop each."""
    return "".join(
        '<form class="pa-error" method="post" action="/documents/labels/drop"><span>'
        f"{say(Words('一处标签更正不再适用，它指的文字已不在文件中：', 'A corrected label fits no longer, its words are gone: '))} "
        f"{escape(shorten(correction.after, _WORDS))}</span> "
        f'<input type="hidden" name="source" value="{escape(source)}">'
        f'<input type="hidden" name="after" value="{escape(correction.after)}">'
        f'<button type="submit">{say(Words("删除这处更正", "Drop it"))}</button></form>'
        for correction in lost
    )
