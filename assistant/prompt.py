"""A question and its passages in, the prompt of an instruct model out. The words stand in ``prompts/*.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from itertools import groupby
from string import Template

from assistant.cite import neutralise
from assistant.errors import PromptInvalid
from assistant.types import Passage, Question
from vectorstore.types import Labels, Part

PART_NAMES = {Part.REVIEW: "回顾", Part.TASKS: "任务"}


@dataclass(frozen=True, slots=True)
class PromptTemplate:
    """One file of ``prompts/``: the keys are fixed, a misspelt one is an error."""

    description: str
    system: str
    group: str
    passage: str
    user: str
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
            f"{where}:缺少键 {missing},多余键 {unknown},请改正。 {where}: keys missing {missing}, unknown {unknown}."
        )
    return PromptTemplate(**{key: str(value).strip("\n") for key, value in data.items()})


def name_labels(labels: Labels) -> str:
    """Write labels as people read them: ``上海 · 2024 · 任务``."""
    part = PART_NAMES[labels.part] if labels.part else None
    return " · ".join(str(x) for x in (labels.region, labels.year, part) if x)


def render(question: Question, passages: Sequence[Passage], titles: dict[str, str], prompt: PromptTemplate) -> Messages:
    """Fill a prompt: passages grouped by source and labels, markers in documents and question neutralised."""
    blocks: list[str] = []
    for (source, labels), group in groupby(passages, key=lambda p: (p.sentence.source, p.sentence.labels)):
        title = neutralise(titles.get(source, source))
        blocks.append(_fill(prompt.group, title=title, labels=name_labels(labels)))
        blocks += [
            _fill(prompt.passage, number=str(p.number), text=neutralise(" ".join(p.sentence.plain.split())))
            for p in group
        ]
    return Messages(
        system=_fill(prompt.system, refusal=prompt.refusal),
        user=_fill(prompt.user, passages="\n".join(blocks), question=neutralise(question.standalone)),
    )


def _fill(template: str, **values: str) -> str:
    """Put values into a template once; what a value holds is never looked at again."""
    try:
        return Template(template).substitute(values)
    except (KeyError, ValueError) as error:
        raise PromptInvalid(f"提示词里的占位符有误:{error}。 A placeholder of the prompt is wrong: {error}.") from error
