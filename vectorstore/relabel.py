"""A parsed document and the labels that a person set on the page -> the document with them, and its sentences' labels.

Each time from the labels as they were before: taking a correction back gives the automatic label again, without reading
the file. A correction whose words no longer stand in the text exactly once is not applied, and given back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vectorstore.asked import mark_asked
from vectorstore.by_hand import BY_PAGE, correct, find_section
from vectorstore.layout import read_layout
from vectorstore.sentences import split_sentences
from vectorstore.types import LabelCorrection, ParsedDocument, Section


def relabel(
    parsed: ParsedDocument, corrections: Sequence[LabelCorrection]
) -> tuple[ParsedDocument, tuple[LabelCorrection, ...]]:
    """Apply corrections; give the document and the corrections that fit it no longer."""
    before = [_automatic(section) for section in parsed.sections]
    sections = list(before)
    lost: list[LabelCorrection] = []
    for correction in corrections:
        number = find_section(parsed.document.text, before, correction.after)
        if number is None:
            lost.append(correction)
            continue
        changed = correct(sections[number], correction, BY_PAGE)
        sections[number] = replace(changed, before=(before[number].labels, before[number].reasons))
    if tuple(sections) == parsed.sections:
        return parsed, tuple(lost)
    layout = read_layout(parsed.document.text, parsed.document.media)
    sentences = split_sentences(parsed.document, sections, parsed.boilerplate, layout)
    return replace(parsed, sections=tuple(sections), sentences=mark_asked(sentences, sections, layout)), tuple(lost)


def _automatic(section: Section) -> Section:
    if section.before is None:
        return section
    labels, reasons = section.before
    return replace(section, labels=labels, reasons=reasons, before=None)
