"""drafts whose check failed -> a second request that names them, and its sentences in their places where they hold.

Asked once only. What still fails afterwards is replaced by the exact quote, as ever, so that a second mistake costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assistant.checking.check import check_claim
from assistant.checking.cite import Draft
from assistant.types import Verdict
from assistant.writing.prompt import Messages, PromptTemplate, render_repair

_STANDS = (Verdict.SUPPORTED, Verdict.PARTIAL)


def find_failing(drafts: Sequence[Draft], titles: Mapping[str, str]) -> tuple[int, ...]:
    """Positions of the drafts that cite something which does not say so; those that cite nothing are another matter."""
    return tuple(n for n, draft in enumerate(drafts) if draft.passages and not _holds(draft, titles))


def ask_again(
    messages: Messages,
    drafts: Sequence[Draft],
    failing: Sequence[int],
    titles: Mapping[str, str],
    template: PromptTemplate,
) -> Messages:
    """The same request with the failing sentences named, each with what is wrong with it."""
    named = [(drafts[n].text, tuple(p.number for p in drafts[n].passages), _reason(drafts[n], titles)) for n in failing]
    return Messages(system=messages.system, user=f"{messages.user}\n{render_repair(named, template)}")


def mend(
    drafts: Sequence[Draft], failing: Sequence[int], rewritten: Sequence[Draft], titles: Mapping[str, str]
) -> list[Draft]:
    """Put rewritten sentences, in their order, in the places of the failing ones; only where they hold."""
    mended = list(drafts)
    for place, draft in zip(failing, rewritten, strict=False):
        if draft.passages and _holds(draft, titles):
            mended[place] = draft
    return mended


def _holds(draft: Draft, titles: Mapping[str, str]) -> bool:
    cited = tuple(p.sentence for p in draft.passages)
    text = draft.text.rstrip("。.;； ")
    return check_claim(text, cited, [titles.get(s.source, s.source) for s in cited]).verdict in _STANDS


def _reason(draft: Draft, titles: Mapping[str, str]) -> str:
    cited = tuple(p.sentence for p in draft.passages)
    finding = check_claim(draft.text.rstrip("。.;； "), cited, [titles.get(s.source, s.source) for s in cited])
    return finding.reason_zh or finding.reason
