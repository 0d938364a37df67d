"""a question with its passages + an instruct model -> drafts of an answer: prompt, generate, read, and ask once more.

Pieces are passed on while they come, unchecked; what the drafts are worth is decided behind this stage.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace

from assistant.checking.cite import Draft, read_drafts
from assistant.llm.catalog import ModelSpec
from assistant.llm.decode import citation_grammar
from assistant.llm.engine import LanguageModel
from assistant.llm.exchange import only_thought
from assistant.llm.template import apply_template
from assistant.llm.thoughts import VisibleText
from assistant.types import Passage, Piece, Prompt, Question, Turn
from assistant.writing.budget import Fitted, answer_room, fit_prompt
from assistant.writing.prompt import Messages, PromptTemplate, load_prompt
from assistant.writing.repair import ask_again, find_failing, mend

SENTENCES = 6  # of a generated answer; longer ones stop being read
_REWRITTEN = 128  # tokens that a sentence takes when it is written anew, at most
_RELATED = 0.25  # of what the best sentence holds of the question
_ENDS = ("。", "！", "？", ".", "!", "?")
_PLAIN = "chatml"  # its frame is counted where a server has a template of its own


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be written."""

    question: Question
    passages: tuple[Passage, ...]  # best first
    turns: tuple[Turn, ...]
    titles: dict[str, str]
    stop: threading.Event


@dataclass(frozen=True, slots=True)
class Drafted:
    """What the model wrote, and the passages that it was shown."""

    drafts: tuple[Draft, ...]
    passages: tuple[Passage, ...]
    notes: tuple[str, ...]


def keep_related(passages: Sequence[Passage]) -> tuple[Passage, ...]:
    """Leave out sentences that share next to nothing with the question: they are no evidence, and may be orders to the model."""
    least = _RELATED * max((p.coverage for p in passages), default=0.0)
    kept = [p for p in passages if p.coverage >= least]
    return tuple(replace(passage, number=n) for n, passage in enumerate(kept, 1))


def write_drafts(
    engine: LanguageModel, spec: ModelSpec, task: Task, on_first: Callable[[], None]
) -> Generator[Piece, None, Drafted]:
    """Let the model write; sentences that do not stand in what they cite are asked for a second time, by name.

    Raises:
        InputInvalid: not one passage fits into the model's context.
        AssistantError: those of the engine.
    """
    template = load_prompt()
    fitted = _fit(engine, spec, task, template)
    if task.stop.is_set():
        return Drafted((), fitted.passages, fitted.notes)
    visible = VisibleText(thinking=spec.thinks)
    for piece in _generate(engine, spec, fitted.messages, len(fitted.passages), SENTENCES, template, task):
        on_first()
        if shown := visible.push(piece):
            yield Piece(shown)
    if rest := visible.finish():
        yield Piece(rest)
    if visible.only_thought and not task.stop.is_set():
        raise only_thought()
    drafts = _read(visible.text, fitted.passages, template)
    if not task.stop.is_set():
        drafts = _repair(engine, spec, drafts, fitted, template, task)
    return Drafted(tuple(drafts), fitted.passages, fitted.notes)


def _fit(engine: LanguageModel, spec: ModelSpec, task: Task, template: PromptTemplate) -> Fitted:
    empty = apply_template(spec.template or _PLAIN, "", "")
    frame = sum(engine.count([s.text for s in empty.segments], control=True))
    return fit_prompt(
        task.question,
        task.passages,
        task.turns,
        task.titles,
        template,
        context=spec.context,
        room=answer_room(spec.context, thinks=spec.thinks),
        frame=frame,
        count=engine.count,
    )


def _generate(
    engine: LanguageModel,
    spec: ModelSpec,
    messages: Messages,
    numbers: int,
    sentences: int,
    template: PromptTemplate,
    task: Task,
) -> Generator[str, None, None]:
    prompt: Prompt = apply_template(spec.template or _PLAIN, messages.system, messages.user)
    # A thought is no cited sentence, so a model that cannot be kept from thinking writes freely and is checked after.
    grammar = None if spec.thinks else citation_grammar(numbers, sentences, template.refusal)
    yield from engine.generate(
        prompt,
        grammar=grammar,
        max_tokens=answer_room(spec.context, thinks=spec.thinks),
        temperature=spec.temperature,
        stop=task.stop,
    )


def _read(text: str, passages: tuple[Passage, ...], template: PromptTemplate) -> list[Draft]:
    """Cut what a model wrote into sentences; the words of its refusal and an unfinished, uncited end are none."""
    drafts = list(read_drafts(text, passages))
    if drafts and not drafts[-1].passages and not text.rstrip().endswith(_ENDS):
        drafts.pop()
    refusal = template.refusal.rstrip("。")
    return [draft for draft in drafts if refusal not in draft.text]


def _room_to_repair(spec: ModelSpec, sentences: int) -> int:
    room = answer_room(spec.context, thinks=spec.thinks)
    return room if spec.thinks else min(room, _REWRITTEN * sentences)


def _repair(
    engine: LanguageModel,
    spec: ModelSpec,
    drafts: list[Draft],
    fitted: Fitted,
    template: PromptTemplate,
    task: Task,
) -> list[Draft]:
    failing = find_failing(drafts, task.titles)
    if not failing:
        return drafts
    messages = ask_again(fitted.messages, drafts, failing, task.titles, template)
    added = sum(engine.count([messages.user[len(fitted.messages.user) :]]))
    if fitted.tokens + added + _room_to_repair(spec, len(failing)) > spec.context:
        return drafts  # there is no room to ask again: the exact quotes take their places
    visible = VisibleText(thinking=spec.thinks)
    for piece in _generate(engine, spec, messages, len(fitted.passages), len(failing), template, task):
        visible.push(piece)
    visible.finish()
    rewritten = _read(visible.text, fitted.passages, template)
    return mend(drafts, failing, rewritten, task.titles)
