"""Parsed documents and manifests <-> JSON.

A quote is not written: it is read from the text again by its offsets, so that a stored sentence can never say
anything but what stands in its document. A value that does not fit its form raises ``KeyError``, ``TypeError`` or
``ValueError``.
"""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import date
from typing import Any

from vectorstore.types import (
    Asked,
    Boilerplate,
    Document,
    LabelReasons,
    Labels,
    Manifest,
    Media,
    ParsedDocument,
    Part,
    Section,
    Sentence,
)

Json = dict[str, Any]


def parsed_to_json(parsed: ParsedDocument) -> Json:
    """Give the JSON form of a parsed document."""
    return {
        "document": _document_to_json(parsed.document),
        "boilerplate": [[b.start, b.end, b.reason] for b in parsed.boilerplate],
        "sections": [_section_to_json(section) for section in parsed.sections],
        "sentences": [_sentence_to_json(sentence) for sentence in parsed.sentences],
    }


def parsed_from_json(data: Json) -> ParsedDocument:
    """Read a parsed document from its JSON form."""
    document = _document_from_json(data["document"])
    return ParsedDocument(
        document=document,
        boilerplate=tuple(Boilerplate(*span) for span in data["boilerplate"]),
        sections=tuple(_section_from_json(document, section) for section in data["sections"]),
        sentences=tuple(_sentence_from_json(document, sentence) for sentence in data["sentences"]),
    )


def manifest_to_json(manifest: Manifest) -> Json:
    """Give the JSON form of a manifest."""
    return asdict(manifest)


def manifest_from_json(data: Json) -> Manifest:
    """Read a manifest from its JSON form; keys that it does not know are left to later programs."""
    known = {f.name: data[f.name] for f in fields(Manifest)}
    known["files"] = tuple((str(path), int(size), str(digest)) for path, size, digest in data["files"])
    return Manifest(**known)


def _document_to_json(document: Document) -> Json:
    return {
        "source": document.source,
        "text": document.text,
        "media": document.media.value,
        "sha256": document.sha256,
        "title": document.title,
        "publisher": document.publisher,
        "published": document.published.isoformat() if document.published else None,
    }


def _document_from_json(data: Json) -> Document:
    published = data["published"]
    return Document(
        source=data["source"],
        text=data["text"],
        media=Media(data["media"]),
        sha256=data["sha256"],
        title=data["title"],
        publisher=data["publisher"],
        published=date.fromisoformat(published) if published else None,
    )


def _section_to_json(section: Section) -> Json:
    written: Json = {
        "start": section.start,
        "end": section.end,
        "headings": list(section.headings),
        "labels": _labels_to_json(section.labels),
        "reasons": asdict(section.reasons),
    }
    if section.before is not None:
        written["before"] = [_labels_to_json(section.before[0]), asdict(section.before[1])]
    return written


def _section_from_json(document: Document, data: Json) -> Section:
    before = data.get("before")
    return Section(
        source=document.source,
        start=data["start"],
        end=data["end"],
        headings=tuple(data["headings"]),
        labels=_labels_from_json(data["labels"]),
        reasons=LabelReasons(**data["reasons"]),
        before=(_labels_from_json(before[0]), LabelReasons(**before[1])) if before else None,
    )


def _sentence_to_json(sentence: Sentence) -> Json:
    data: Json = {
        "start": sentence.start,
        "end": sentence.end,
        "section": sentence.section,
        "paragraph": sentence.paragraph,
        "labels": _labels_to_json(sentence.labels),
        "places": list(sentence.places),
        "regions": list(sentence.regions),
    }
    if sentence.asked is not None:
        data["asked"] = [sentence.asked.start, sentence.asked.end, sentence.asked.plain]
    return data if sentence.plain == sentence.quote else data | {"plain": sentence.plain}


def _sentence_from_json(document: Document, data: Json) -> Sentence:
    start, end = data["start"], data["end"]
    if not 0 <= start < end <= len(document.text):
        raise ValueError(f"sentence {start}-{end} lies outside {document.source}")
    quote = document.text[start:end]
    return Sentence(
        source=document.source,
        start=start,
        end=end,
        quote=quote,
        plain=data.get("plain", quote),
        section=data["section"],
        paragraph=data["paragraph"],
        labels=_labels_from_json(data["labels"]),
        places=tuple(data["places"]),
        regions=tuple(data["regions"]),
        asked=Asked(*data["asked"]) if "asked" in data else None,
    )


def _labels_to_json(labels: Labels) -> list[Any]:
    return [labels.region, labels.year, labels.part.value if labels.part else None]


def _labels_from_json(data: list[Any]) -> Labels:
    region, year, part = data
    return Labels(region=region, year=year, part=Part(part) if part else None)
