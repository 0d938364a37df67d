"""An answer -> JSON that it can be made from again, and back; what is kept of old conversations.

The JSON is the public form (``Answer.to_json``) with what that leaves out beside it, so that other programs can read the
history too. Reading is lenient: what a newer or older program does not know is left out or at its default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from assistant.types import (
    Answer,
    Asks,
    Citation,
    Claim,
    IndexFacts,
    Kind,
    ModelFacts,
    Question,
    Refusal,
    Seconds,
    Verdict,
)
from vectorstore.types import Labels, Part, Scope, Sentence


def answer_to_json(answer: Answer) -> dict[str, Any]:
    """Give the public form with the reading of the question and the sentences' remaining facts."""
    question = answer.question
    public = answer.to_json()
    public["reading"] = {
        "kind": question.kind.value,
        "asks": question.asks.value,
        "scope": scope_to_json(question.scope),
        "terms": list(question.terms),
    }
    for name, citations in (("citations", answer.citations), ("nearest", answer.nearest)):
        for row, citation in zip(public[name], citations, strict=True):
            sentence = citation.sentence
            row |= {"plain": sentence.plain, "section": sentence.section, "paragraph": sentence.paragraph}
    return public


def answer_from_json(value: Mapping[str, Any]) -> Answer:
    """Make the answer again; ``KeyError``, ``TypeError`` or ``ValueError`` where this is no stored answer."""
    reading = value.get("reading", {})
    question = Question(
        text=value["question"],
        standalone=value["standalone_question"],
        kind=Kind(reading.get("kind", "fact")),
        asks=Asks(reading.get("asks", "other")),
        scope=scope_from_json(reading.get("scope", {})),
        terms=tuple(reading.get("terms", ())),
    )
    refusal = value["refusal_reason"]
    known = {field.name for field in fields(Seconds)}
    return Answer(
        question=question,
        text=value["answer"],
        claims=tuple(_read_claim(row) for row in value["claims"]),
        citations=tuple(_read_citation(row) for row in value["citations"]),
        nearest=tuple(_read_citation(row) for row in value["nearest"]),
        model=ModelFacts(**{name: value["model"][name] for name in ("name", "sha256", "quantization")}),
        index=IndexFacts(**{name: value["index"][name] for name in ("generation", "corpus_sha256")}),
        refusal=Refusal(refusal) if refusal else None,
        stopped=bool(value.get("stopped", False)),
        notes=tuple(value.get("notes", ())),
        seconds=Seconds(**{name: float(n) for name, n in value.get("seconds", {}).items() if name in known}),
    )


def _read_claim(row: Mapping[str, Any]) -> Claim:
    return Claim(
        row["text"], Verdict(row["verdict"]), row["reason"], tuple(row["citations"]), str(row.get("reason_zh", ""))
    )


def _read_citation(row: Mapping[str, Any]) -> Citation:
    labels = row["labels"]
    part = labels.get("part")
    sentence = Sentence(
        source=row["source"],
        start=int(row["start"]),
        end=int(row["end"]),
        quote=row["quote"],
        plain=row.get("plain", row["quote"]),
        section=int(row.get("section", 0)),
        paragraph=int(row.get("paragraph", 0)),
        labels=Labels(labels.get("region"), labels.get("year"), Part(part) if part else None),
    )
    return Citation(int(row["n"]), sentence, row["title"])


def scope_to_json(scope: Scope) -> dict[str, Any]:
    """Give a scope in an order that is always the same."""
    return {
        "regions": sorted(scope.regions),
        "places": sorted(scope.places),
        "years": sorted(scope.years),
        "part": scope.part.value if scope.part else None,
    }


def scope_from_json(value: Mapping[str, Any]) -> Scope:
    """Make the scope again."""
    part = value.get("part")
    return Scope(
        regions=frozenset(value.get("regions", ())),
        places=frozenset(value.get("places", ())),
        years=frozenset(value.get("years", ())),
        part=Part(part) if part else None,
    )
