"""The values that pass between the stages of the vector store.

Everything here is frozen, holds no behaviour beyond its own consistency, and imports no sibling.
Offsets are Unicode code points into ``Document.text``, which is the source file decoded and otherwise untouched (of a PDF
or a Word file the text taken out of it, see ``markup_extracted``):
``document.text[sentence.start:sentence.end] == sentence.quote`` holds for every sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


class Part(StrEnum):
    """What a section reports: the past year, or the plans for the coming one."""

    REVIEW = "review"
    TASKS = "tasks"


class Media(StrEnum):
    """How a source file is marked up."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"
    PDF = "pdf"
    DOCX = "docx"


@dataclass(frozen=True, slots=True)
class Document:
    """One source file as it was read."""

    source: str  # unique name: the path below the corpus folder, with forward slashes
    text: (
        str  # decoded, a byte order mark dropped, nothing else changed; of a PDF or Word file what was taken out of it
    )
    media: Media
    sha256: str  # of the file's bytes
    title: str
    publisher: str | None = None
    published: date | None = None


@dataclass(frozen=True, slots=True)
class Labels:
    """What a piece of text is about. ``None`` means unknown or several, never "any"."""

    # A province-level name in its short form (上海, 江苏), or the city, county or body whose document it is (扬州, 云泽县): what is
    # planned or told there is no plan or figure of the province.
    region: str | None = None
    year: int | None = None
    part: Part | None = None


@dataclass(frozen=True, slots=True)
class LabelReasons:
    """Why each label was given or withheld, one sentence each, for a person to judge; empty where nothing speaks for any."""

    region: str = ""
    year: str = ""
    part: str = ""


@dataclass(frozen=True, slots=True)
class Boilerplate:
    """A span that belongs to the page and not to the document: shown grey, never retrieved."""

    start: int
    end: int
    reason: str


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of a document under one heading; sections do not overlap and keep the document's order."""

    source: str
    start: int
    end: int
    headings: tuple[str, ...]  # from the outermost to its own; empty where the text has none
    labels: Labels
    reasons: LabelReasons
    before: tuple[Labels, LabelReasons] | None = None  # as they were before a person set them on the page


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of the document itself: its place there, and its words without the mark of who asks it."""

    start: int
    end: int
    plain: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """The unit of evidence. Its identity is its place, so equal sentences in two places stay two."""

    source: str
    start: int
    end: int
    quote: str  # text[start:end], exactly
    plain: str  # the same without markup and without 问： and 答：; mostly equal to quote except in HTML and Markdown
    section: int  # position in ParsedDocument.sections
    paragraph: int  # running number of the paragraph in the document
    labels: Labels  # the section's, made narrower where the sentence itself names one region or year
    places: tuple[str, ...] = ()  # places that it names, or that its paragraph is about (short forms, 镇江)
    regions: tuple[str, ...] = ()  # the provinces of its places and of its region label, without repeats
    asked: Asked | None = None  # the question of its document that it answers; of that question itself the same

    @property
    def only_asks(self) -> bool:
        """Whether it is the question itself, which says nothing."""
        return self.asked is not None and self.asked.start <= self.start < self.asked.end

    @property
    def with_question(self) -> str:
        """What it says, behind the question that it answers."""
        return f"{self.asked.plain}{self.plain}" if self.asked and not self.only_asks else self.plain

    @property
    def id(self) -> str:
        """The public name of the sentence."""
        return f"{self.source}#{self.start}-{self.end}"


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """A document cut into sections and sentences."""

    document: Document
    boilerplate: tuple[Boilerplate, ...]
    sections: tuple[Section, ...]
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """Which sentences may be found. An empty field does not restrict."""

    regions: frozenset[str] = frozenset()  # provinces, short form
    places: frozenset[str] = frozenset()  # places below a province: 镇江
    years: frozenset[int] = frozenset()
    part: Part | None = None
    sources: frozenset[str] = frozenset()

    def allows(self, sentence: Sentence) -> bool:
        """Whether a sentence lies inside the scope."""
        if self.places and not self.places & {*sentence.places, sentence.labels.region}:
            return False
        # A section's label decides: a sentence of Jiangsu's plan that mentions Shanghai is no sentence of Shanghai.
        own = {sentence.labels.region} if sentence.labels.region else set(sentence.regions)
        if self.regions and not self.regions & own and not self.places & own:
            return False
        if self.years and sentence.labels.year not in self.years:
            return False
        if self.part is not None and sentence.labels.part not in (None, self.part):
            return False
        return not self.sources or sentence.source in self.sources


@dataclass(frozen=True, slots=True)
class Hit:
    """A sentence that a search found; a higher score is closer."""

    sentence: Sentence
    score: float  # fused, comparable within one search only
    lexical: float = 0.0  # BM25
    dense: float = 0.0  # cosine


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation of the index was made from; written last, so that a generation without one is unfinished."""

    generation: str
    program: str  # version of this program
    chromadb: str  # version of Chroma that wrote the vectors
    embedder: str
    dimensions: int
    corpus_sha256: str
    documents: int
    sections: int
    sentences: int
    files: tuple[tuple[str, int, str], ...] = ()  # path below the generation, bytes, sha256
    canary: str = ""  # id of a sentence that its own text must find


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did."""

    manifest: Manifest
    documents: tuple[ParsedDocument, ...]
    skipped: tuple[tuple[str, str], ...] = ()  # path and reason, only with skip_unreadable
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class LabelCorrection:
    """A label that a person set; it wins over what was inferred. Fields that are ``None`` keep the inferred label."""

    source: str
    after: str  # the section that starts at, or holds, this exact string
    region: str | None = None
    year: int | None = None
    part: Part | None = None
    clear: tuple[str, ...] = ()  # names of labels that the section has none of


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What ``sources.toml`` says of one file."""

    title: str | None = None
    publisher: str | None = None
    published: date | None = None
    corrections: tuple[LabelCorrection, ...] = field(default=())


class Embedder(Protocol):
    """Turns texts into vectors."""

    @property
    def name(self) -> str:
        """Names the embedder and its parameters; an index is only opened with the embedder that made it."""
        ...

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Give one row of unit length for each text: shape ``(len(texts), dimensions)``."""
        ...
