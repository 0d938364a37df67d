"""``Document`` -> ``ParsedDocument``: boilerplate, sections and sentences, in one pure function."""

from __future__ import annotations

from vectorstore.asked import mark_asked
from vectorstore.boilerplate import find_boilerplate
from vectorstore.layout import read_layout
from vectorstore.sections import find_sections
from vectorstore.sentences import split_sentences
from vectorstore.types import Document, ParsedDocument, SourceFacts


def parse(document: Document, facts: SourceFacts | None = None) -> ParsedDocument:
    """Cut a document into labelled sections and sentences; ``facts`` hold the labels that a person corrected."""
    layout = read_layout(document.text, document.media)
    boilerplate = find_boilerplate(document, layout)
    sections = find_sections(document, boilerplate, facts, layout)
    sentences = split_sentences(document, sections, boilerplate, layout)
    return ParsedDocument(document, boilerplate, sections, mark_asked(sentences, sections, layout))
