"""question, passages and conversation -> the prompt that the model can read whole: by tokens, and never half a sentence.

What does not fit is left out, the least telling first, and the user is told. Older turns go before newer ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from assistant.errors import InputInvalid
from assistant.types import Passage, Question, Turn
from assistant.writing.prompt import Messages, PromptTemplate, render, render_group, render_passage, render_turn
from vectorstore.types import Labels

ANSWER_TOKENS = 512
THOUGHT_TOKENS = 2048  # of a thought that cannot be switched off, and the answer behind it
MARGIN = 24  # tokens: pieces that are counted alone may meet as more
_TURNS = 8  # of the conversation, at most; the question was made complete without them

Count = Callable[[Sequence[str]], Sequence[int]]  # tokens of each text


@dataclass(frozen=True, slots=True)
class Fitted:
    """What is said to the model, and what had to stay out."""

    messages: Messages
    passages: tuple[Passage, ...]  # numbered from 1
    turns: tuple[Turn, ...]
    notes: tuple[str, ...]
    tokens: int  # of the prompt, by the parts


def answer_room(context: int, *, thinks: bool = False) -> int:
    """Tokens that stay free for the answer: ``ANSWER_TOKENS``, less in a small context, more where a thought comes first."""
    return min(THOUGHT_TOKENS, context // 2) if thinks else min(ANSWER_TOKENS, context // 4)


def fit_prompt(
    question: Question,
    passages: Sequence[Passage],
    turns: Sequence[Turn],
    titles: dict[str, str],
    template: PromptTemplate,
    *,
    context: int,
    room: int,
    frame: int,
    count: Count,
) -> Fitted:
    """Choose the passages, best first, and then the last turns that fit beside the answer.

    Args:
        question: what is asked.
        passages: in the order of their worth.
        turns: of the conversation before, oldest first.
        titles: of the sources.
        template: the words around it.
        context: tokens that the model reads and writes together.
        room: tokens of these that stay free for the answer.
        frame: tokens of the chat template around the messages.
        count: counts the tokens of texts.

    Raises:
        InputInvalid: not one sentence fits beside the question.
    """
    empty = render(question, (), titles, template)
    groups = {_group(p): render_group(p, titles, template) for p in passages}
    lines = [render_passage(p, template) for p in passages]
    recent = [turn for turn in turns[-_TURNS:] if turn.content.strip()]
    said = [render_turn(turn, template) for turn in recent]
    costs = list(count([empty.system + empty.user, *lines, *groups.values(), *said, template.history]))
    left = context - room - frame - MARGIN - costs[0]
    of_lines, of_groups = costs[1 : 1 + len(lines)], dict(zip(groups, costs[1 + len(lines) :], strict=False))
    of_turns = costs[1 + len(lines) + len(groups) : -1]
    kept, left = _choose(passages, of_lines, of_groups, left)
    if passages and not kept:
        raise InputInvalid(
            f"问题太长，模型一次只能读 {context} 个词元，请缩短问题。 The question leaves no room for a sentence of the documents: "
            f"the model reads {context} tokens; shorten it."
        )
    first = _first_turn(of_turns, left - costs[-1])
    chosen = tuple(replace(p, number=n) for n, p in enumerate(kept, 1))
    return Fitted(
        messages=render(question, chosen, titles, template, recent[first:]),
        passages=chosen,
        turns=tuple(recent[first:]),
        notes=_notes(len(passages), len(kept), len(recent), len(recent) - first),
        tokens=context - room - left + sum(of_turns[first:]),
    )


def _choose(
    passages: Sequence[Passage], of_lines: Sequence[int], of_groups: dict[tuple[str, Labels], int], room: int
) -> tuple[list[Passage], int]:
    """Take passages by rank; one that does not fit is passed over, and a shorter one after it may still fit."""
    kept: list[Passage] = []
    opened: set[tuple[str, Labels]] = set()
    for passage, line in zip(passages, of_lines, strict=True):
        group = _group(passage)
        cost = line + 1 + (0 if group in opened else of_groups[group] + 1)
        if cost <= room:
            kept.append(passage)
            opened.add(group)
            room -= cost
    return kept, room


def _first_turn(costs: Sequence[int], room: int) -> int:
    """Position of the oldest turn that is kept, counted back from the newest until one does not fit."""
    first = len(costs)
    while first > 0 and costs[first - 1] + 1 <= room:
        first -= 1
        room -= costs[first] + 1
    return first


def _group(passage: Passage) -> tuple[str, Labels]:
    return passage.sentence.source, passage.sentence.labels


def _notes(found: int, kept: int, said: int, heard: int) -> tuple[str, ...]:
    notes = []
    if kept < found:
        notes.append(
            f"模型一次读不下全部资料：{found} 句中按相关程度给它看了 {kept} 句。 The model could not read everything at once: it "
            f"was shown {kept} of {found} sentences, the most telling ones."
        )
    if heard < said:
        notes.append(
            f"对话较长，模型只看了最近 {heard} 条。 The conversation is long; the model was shown its last {heard} messages."
        )
    return tuple(notes)
