"""The values that pass between the stages from a question to a checked answer.

All are frozen. ``Answer.to_json`` is the public form that ``assistant ask --json`` prints; its keys only ever grow.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from vectorstore.types import Labels, Part, Scope, Sentence


class Role(StrEnum):
    """Who said a turn of the conversation. There is no system role: nobody outside the program may give orders."""

    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the conversation."""

    role: Role
    content: str


class Kind(StrEnum):
    """What a question wants."""

    FACT = "fact"
    LIST = "list"
    YES_NO = "yes_no"
    COMPARE = "compare"
    SUMMARY = "summary"
    CORPUS = "corpus"  # about the documents themselves: which are there, which regions, which years
    NONE = "none"  # not a question that documents could answer: a greeting, an order, arithmetic


class Asks(StrEnum):
    """The kind of thing that a short answer would be."""

    QUANTITY = "quantity"
    REGION = "region"
    YEAR = "year"
    NAME = "name"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Question:
    """A question as it was understood."""

    text: str  # as typed
    standalone: str  # complete without the conversation; equal to text where it already was
    kind: Kind
    asks: Asks
    scope: Scope  # regions, places, years and part that it names
    terms: tuple[str, ...]  # its telling words: without regions, years, question words and filler
    counted: tuple[str, ...] = ()  # of its telling words those behind 多少: what a figure has to be the number of
    focus: str = ""  # the sentence of it that asks, where others stand beside; what is searched for


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence that is shown to the model under a number."""

    number: int  # from 1
    sentence: Sentence
    score: float  # the retriever's, or the reader's and the retriever's together
    coverage: float  # share of the question's telling terms, weighted by rarity, that it holds
    reader: float | None = None  # the reader's P(this sentence answers), where the model scores sentences
    likely: float | None = None  # P(it answers) by all that is known of it, where one sentence has to answer
    headings: tuple[str, ...] = ()  # of a summary by headings those that it stands under, from the outermost


class Refusal(StrEnum):
    """Why a question was not answered."""

    NOT_IN_CORPUS = "not_in_corpus"
    OTHER_REGION = "other_region"
    OTHER_YEAR = "other_year"
    FALSE_PREMISE = "false_premise"
    NOT_A_QUESTION = "not_a_question"


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a prompt. Only our own templates are ``control``; any other text can never become a control token."""

    text: str
    control: bool = False


@dataclass(frozen=True, slots=True)
class Prompt:
    """What an instruct model is given."""

    segments: tuple[Segment, ...]
    stop: tuple[str, ...] = ()
    fixed: int = 0  # leading segments that are the same for every question, so that their reading can be kept
    messages: tuple[tuple[str, str], ...] = ()  # (role, text): the same for a server that has a template of its own


@dataclass(frozen=True, slots=True)
class ReaderScores:
    """What the bundled reader says of the candidate sentences of one question."""

    answers: tuple[float, ...]  # P(<y>) against P(<n>) at each candidate's number, in their order
    none: float  # P([0]) after <a>: that no candidate answers


class Verdict(StrEnum):
    """Whether a claim really stands in what it cites."""

    SUPPORTED = "supported"
    PARTIAL = "partial"
    UNSUPPORTED = "unsupported"
    UNCITED = "uncited"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class Citation:
    """A cited sentence and the number that it has in the answer."""

    n: int
    sentence: Sentence
    title: str

    def to_json(self) -> dict[str, Any]:
        """The public form."""
        return {
            "n": self.n,
            "source": self.sentence.source,
            "start": self.sentence.start,
            "end": self.sentence.end,
            "quote": self.sentence.quote,
            "labels": labels_to_json(self.sentence.labels),
            "title": self.title,
        }


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of an answer, what it cites, and whether that says so."""

    text: str  # without markers
    verdict: Verdict
    reason: str
    citations: tuple[int, ...]
    reason_zh: str = ""  # the same for Chinese readers; empty where there is only one wording


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """Which model answered."""

    name: str
    sha256: str
    quantization: str

    def to_json(self) -> dict[str, Any]:
        """The public form."""
        return {"name": self.name, "sha256": self.sha256, "quantization": self.quantization}


@dataclass(frozen=True, slots=True)
class IndexFacts:
    """Which generation of the index the evidence came from."""

    generation: str
    corpus_sha256: str

    def to_json(self) -> dict[str, Any]:
        """The public form."""
        return {"generation": self.generation, "corpus_sha256": self.corpus_sha256}


@dataclass(frozen=True, slots=True)
class Seconds:
    """How long each stage took."""

    understand: float = 0.0
    retrieve: float = 0.0
    first_token: float = 0.0
    generate: float = 0.0
    check: float = 0.0
    total: float = 0.0

    def to_json(self) -> dict[str, float]:
        """The public form, in milliseconds' precision."""
        names = ("understand", "retrieve", "first_token", "generate", "check", "total")
        return {name: round(getattr(self, name), 4) for name in names}


@dataclass(frozen=True, slots=True)
class Answer:
    """A checked answer, or a refusal with its reason and the nearest sentences."""

    question: Question
    text: str
    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]
    model: ModelFacts
    index: IndexFacts
    refusal: Refusal | None = None
    nearest: tuple[Citation, ...] = ()
    stopped: bool = False  # the user stopped it; what stands is what was checked until then
    notes: tuple[str, ...] = ()  # what the user should know besides: something did not fit, a label is inferred
    seconds: Seconds = field(default_factory=Seconds)

    @property
    def refused(self) -> bool:
        """Whether this is a refusal."""
        return self.refusal is not None

    def to_json(self) -> dict[str, Any]:
        """The public form, as ``assistant ask --json`` prints it."""
        return {
            "question": self.question.text,
            "standalone_question": self.question.standalone,
            "answer": self.text,
            "refused": self.refused,
            "refusal_reason": self.refusal.value if self.refusal else None,
            "claims": [
                {
                    "text": c.text,
                    "verdict": c.verdict.value,
                    "reason": c.reason,
                    "reason_zh": c.reason_zh,
                    "citations": list(c.citations),
                }
                for c in self.claims
            ],
            "citations": [c.to_json() for c in self.citations],
            "nearest": [c.to_json() for c in self.nearest],
            "stopped": self.stopped,
            "notes": list(self.notes),
            "model": self.model.to_json(),
            "index": self.index.to_json(),
            "seconds": self.seconds.to_json(),
        }


def labels_to_json(labels: Labels) -> dict[str, Any]:
    """The public form of labels."""
    part: Part | None = labels.part
    return {"region": labels.region, "year": labels.year, "part": part.value if part else None}


@dataclass(frozen=True, slots=True)
class Understood:
    """First event of a streamed answer: how the question was read."""

    question: Question


@dataclass(frozen=True, slots=True)
class Found:
    """Second event: the sentences that the model may cite, best first."""

    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of unchecked text from the model, to show that work goes on; the checked answer replaces it."""

    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """Last event: the checked answer."""

    answer: Answer


Event = Understood | Found | Piece | Finished
