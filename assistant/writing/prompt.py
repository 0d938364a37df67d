"""A question and its passages in, the prompt of an instruct model out. The words stand in ``prompts/*.toml``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from string import Template

from assistant.checking.cite import neutralise
from assistant.errors import PromptInvalid
from assistant.reading.orders import drop_invisible, gives_orders
from assistant.types import Passage, Question, Role, Turn
from vectorstore.types import Labels, Part

_MARKER = re.compile(r"\[\d{1,3}\]")
_ROLES = {Role.USER: "用户", Role.ASSISTANT: "助手"}
_UNTITLED = "资料"  # for a title that speaks to the model
PART_NAMES = {Part.REVIEW: "回顾", Part.TASKS: "任务"}


@dataclass(frozen=True, slots=True)
class PromptTemplate:
    """One file of ``prompts/``: the keys are fixed, a misspelt one is an error."""

    description: str
    system: str
    group: str
    passage: str
    user: str
    history: str
    turn: str
    repair: str
    failing: str
    refusal: str


@dataclass(frozen=True, slots=True)
class Messages:
    """What is said to the model, before a family's chat template is put around it."""

    system: str
    user: str


@cache
def load_prompt(name: str = "answer") -> PromptTemplate:
    """Read ``prompts/<name>.toml``; PromptInvalid names the file and the key that does not fit."""
    return read_prompt((files("prompts") / f"{name}.toml").read_text(encoding="utf-8"), f"prompts/{name}.toml")


def read_prompt(text: str, where: str) -> PromptTemplate:
    """Read a prompt file's text."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PromptInvalid(f"{where} 不是有效的 TOML。 {where} is not valid TOML: {error}.") from error
    names = {f.name for f in fields(PromptTemplate)}
    missing, unknown = sorted(names - data.keys()), sorted(data.keys() - names)
    if missing or unknown:
        raise PromptInvalid(
            f"{where}：缺少键 {missing}，多余键 {unknown}，请改正。 {where}: keys missing {missing}, unknown {unknown}."
        )
    return PromptTemplate(**{key: str(value).strip("\n") for key, value in data.items()})


def name_labels(labels: Labels) -> str:
    """Write labels as people read them: ``上海 · 2024 · 任务``."""
    part = PART_NAMES[labels.part] if labels.part else None
    return " · ".join(str(x) for x in (labels.region, labels.year, part) if x)


def render(
    question: Question,
    passages: Sequence[Passage],
    titles: dict[str, str],
    prompt: PromptTemplate,
    turns: Sequence[Turn] = (),
) -> Messages:
    """Fill a prompt: passages grouped by source and labels, the conversation before; markers in all of them neutralised.

    What never changes stands first, so that a model has to read it only once.
    """
    groups: dict[tuple[str, Labels], list[Passage]] = {}
    for passage in passages:
        groups.setdefault((passage.sentence.source, passage.sentence.labels), []).append(passage)
    blocks: list[str] = []
    for group in groups.values():
        blocks.append(render_group(group[0], titles, prompt))
        blocks += [render_passage(passage, prompt) for passage in group]
    said = "\n".join([prompt.history, *(render_turn(turn, prompt) for turn in turns), ""]) if turns else ""
    return Messages(
        system=_fill(prompt.system, refusal=prompt.refusal),
        user=said + _fill(prompt.user, passages="\n".join(blocks), question=neutralise(question.standalone)),
    )


def render_group(passage: Passage, titles: dict[str, str], prompt: PromptTemplate) -> str:
    """The line above the sentences of one source with the same labels."""
    source = passage.sentence.source
    title = drop_invisible(titles.get(source, source))
    shown = _UNTITLED if gives_orders(title) else neutralise(title)
    return _fill(prompt.group, title=shown, labels=name_labels(passage.sentence.labels))


def render_passage(passage: Passage, prompt: PromptTemplate) -> str:
    """The line of one numbered sentence."""
    text = neutralise(drop_invisible(" ".join(passage.sentence.with_question.split())))
    return _fill(prompt.passage, number=str(passage.number), text=text)


def render_turn(turn: Turn, prompt: PromptTemplate) -> str:
    """The line of one turn; the markers of an earlier answer name other sentences by now, so they are gone."""
    text = " ".join(neutralise(_MARKER.sub("", turn.content)).split())
    return _fill(prompt.turn, role=_ROLES[turn.role], text=text)


def render_repair(failing: Sequence[tuple[str, Sequence[int], str]], prompt: PromptTemplate) -> str:
    """What is added to a request whose answer failed: each sentence, the numbers that it cited, and what is wrong."""
    lines = [
        _fill(prompt.failing, text=neutralise(text), numbers="".join(f"[{n}]" for n in numbers), reason=reason)
        for text, numbers, reason in failing
    ]
    return _fill(prompt.repair, failing="\n".join(lines), refusal=prompt.refusal)


def _fill(template: str, **values: str) -> str:
    """Put values into a template once; what a value holds is never looked at again."""
    try:
        return Template(template).substitute(values)
    except (KeyError, ValueError) as error:
        raise PromptInvalid(
            f"提示词里的占位符有误：{error}。 A placeholder of the prompt is wrong: {error}."
        ) from error
