"""The indexed documents in, an answer to "what is in here?" out.

It is read off the index and not off a sentence, so its claims are called unchecked, and cite nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from assistant.answering.say import Line, Said
from assistant.checking.check import Finding
from assistant.types import Verdict
from vectorstore.issuer import is_own_name, unlisted_place
from vectorstore.types import ParsedDocument

_FINDING = Finding(Verdict.UNCHECKED, "read off the index, not off a sentence", "来自索引目录，不是某个句子")


def say_contents(documents: Sequence[ParsedDocument]) -> tuple[Line, ...]:
    """One line for each document: title, publisher, date, regions and years."""
    return tuple(Line((Said(_describe(parsed), (), _FINDING),)) for parsed in documents)


def _is_body(label: str) -> bool:
    """Whether a document says that it is of a company or a school rather than of a place."""
    return is_own_name(label) and unlisted_place(label) is None


def _describe(parsed: ParsedDocument) -> str:
    document = parsed.document
    labels = dict.fromkeys(s.labels.region for s in parsed.sections if s.labels.region)
    regions = "、".join(label for label in labels if not _is_body(label))
    bodies = "、".join(filter(_is_body, labels))
    years = "、".join(str(year) for year in sorted({s.labels.year for s in parsed.sections if s.labels.year}))
    facts = [
        document.publisher or "",
        document.published.isoformat() if document.published else "",
        f"地区：{regions}" if regions else "",
        f"单位：{bodies}" if bodies else "",
        f"年份：{years}" if years else "",
        f"{len(parsed.sentences)}个句子",
    ]
    return f"《{document.title}》({'；'.join(fact for fact in facts if fact)})"
