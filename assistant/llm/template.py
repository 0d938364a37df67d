"""messages -> Prompt: the chat templates of the model families, kept as data in ``prompts/templates.toml``.

A GGUF file brings a template of its own, which is a program that anyone may have written; it is never run. Only the
text of our templates can become control tokens; what it is put around cannot.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from typing import Any

from assistant.errors import PromptInvalid
from assistant.types import Prompt, Segment

_WHERE = "prompts/templates.toml"


@dataclass(frozen=True, slots=True)
class Template:
    """One family of models; the keys of the file are these fields."""

    description: str
    system: str  # "{text}" stands for the message, as in user
    user: str
    answer: str  # opens the model's turn
    begin: str = ""
    stop: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()  # a vocabulary with all of these is taken for this family
    architectures: tuple[str, ...] = ()  # and only a model of one of these, where any is given


def apply_template(name: str, system: str, user: str) -> Prompt:
    """Put a family's template around a system message and the user's.

    Raises:
        PromptInvalid: there is no such template.
    """
    templates = load_templates()
    if name not in templates:
        raise PromptInvalid(
            f"没有名为 {name!r} 的对话模板。 There is no chat template {name!r} in {_WHERE}: {', '.join(templates)}."
        )
    template = templates[name]
    segments = (
        Segment(template.begin, control=True),
        *_around(template.system, system),
        *_around(template.user, user),
        Segment(template.answer, control=True),
    )
    fixed = (Segment(template.begin, control=True), *_around(template.system, system))
    before = Segment(template.user.partition("{text}")[0], control=True)
    return Prompt(
        segments=tuple(s for s in segments if s.text),
        stop=template.stop,
        fixed=sum(1 for s in (*fixed, before) if s.text),
        messages=(("system", system), ("user", user)),
    )


def guess_template(architecture: str, tokens: frozenset[str]) -> str | None:
    """The first family whose tokens the vocabulary has; ``None`` where it cannot be told."""
    for name, template in load_templates().items():
        fits = not template.architectures or architecture in template.architectures
        if fits and template.tokens and tokens.issuperset(template.tokens):
            return name
    return None


@cache
def load_templates() -> Mapping[str, Template]:
    """All families, in the order of the file."""
    return read_templates((files("prompts") / "templates.toml").read_text(encoding="utf-8"))


def read_templates(text: str) -> Mapping[str, Template]:
    """Read the text of a templates file.

    Raises:
        PromptInvalid: with the place that is wrong.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PromptInvalid(f"{_WHERE} 不是有效的 TOML。 {_WHERE} is not valid TOML: {error}.") from error
    return {name: _read_template(name, table) for name, table in tables.items()}


def _read_template(name: str, table: object) -> Template:
    known = {f.name for f in fields(Template)}
    needed = {"description", "system", "user", "answer"}
    if not isinstance(table, dict) or not needed <= table.keys() <= known:
        raise _invalid(name, f"needs {', '.join(sorted(needed))} and knows {', '.join(sorted(known - needed))}")
    for key, value in table.items():
        wanted = tuple if key in {"stop", "tokens", "architectures"} else str
        if not isinstance(value, list if wanted is tuple else str):
            raise _invalid(name, f"{key} has the wrong type")
    if any(table[key].count("{text}") != 1 for key in ("system", "user")):
        raise _invalid(name, "system and user hold {text} once")
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    return Template(**values)


def _invalid(name: str, problem: str) -> PromptInvalid:
    return PromptInvalid(f"{_WHERE} 里的模板 [{name}] 有误。 Template [{name}] in {_WHERE}: {problem}.")


def _around(template: str, text: str) -> Iterator[Segment]:
    before, after = template.split("{text}")
    yield Segment(before, control=True)
    yield Segment(text)
    yield Segment(after, control=True)
