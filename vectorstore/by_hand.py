"""Sections and what a person says of them -> the sections with those labels; the last word on a section wins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from vectorstore.types import LabelCorrection, Section

BY_FILE = "人工更正(sources.toml) / corrected by hand"
BY_PAGE = "在网页上更正 / corrected on the page"
NAMES = ("region", "year", "part")


def find_section(text: str, sections: Iterable[Section], after: str) -> int | None:
    """Give the number of the section that begins with, or holds, a string that stands in the text exactly once."""
    place = text.find(after)
    if not after or place < 0 or text.find(after, place + 1) >= 0:
        return None
    return next((number for number, section in enumerate(sections) if section.start <= place < section.end), None)


def name_place(text: str, section: Section, length: int = 12) -> str | None:
    """Give a string that begins in a section, at its first words, and stands in the text exactly once; none if there is none."""
    start = section.start
    while start < section.end and not text[start].isalnum():
        start += 1
    end = min(start + length, len(text))
    while start < section.end:
        if text.find(text[start:end]) == start and text.find(text[start:end], start + 1) < 0:
            return text[start:end]
        if end == len(text):
            return None
        end = min(end + length, len(text))
    return None


def correct(section: Section, correction: LabelCorrection, reason: str) -> Section:
    """Give a section the labels that a person set; those that were not named stay as they are."""
    labels, reasons = section.labels, section.reasons
    for name in NAMES:
        value = getattr(correction, name)
        if value is not None or name in correction.clear:
            labels, reasons = replace(labels, **{name: value}), replace(reasons, **{name: reason})
    return replace(section, labels=labels, reasons=reasons)


def is_by_hand(section: Section) -> bool:
    """Whether a person set one of the labels."""
    reasons = section.reasons
    return section.before is not None or BY_FILE in (reasons.region, reasons.year, reasons.part)
