"""What can be chosen in an index -> chips beside the question box; closed, they take one short line."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.page.scope import Choices
from assistant.view.text import escape, say, say_label
from assistant.view.words import PARTS, Words

_MOST = 60  # chips of one kind


def draw_filter(choices: Choices) -> str:
    """Draw the chips, none pressed; nothing where there is nothing to choose between."""
    groups = (
        ("region", Words("地区", "Region"), [(name, name) for name in choices.regions]),
        ("year", Words("年份", "Year"), [(str(year), f"{year}年") for year in choices.years]),
        ("part", Words("部分", "Part"), [(part.value, PARTS[part].zh) for part in choices.parts]),
    )
    rows = "".join(_draw_group(kind, words, items) for kind, words, items in groups if len(items) > 1)
    if not rows:
        return ""
    every, clear = Words("按问题", "as asked"), Words("清除", "Clear")
    return (
        f'<details class="pa-filter"><summary>{say(Words("范围：", "Scope: "))}<span class="pa-chosen" data-none="true">'
        f'{say(every)}</span></summary><div class="pa-choices">{rows}'
        f'<button type="button" class="pa-clear" data-clear="true">{say(clear)}</button></div></details>'
    )


def _draw_group(kind: str, words: Words, items: Sequence[tuple[str, str]]) -> str:
    chips = "".join(
        f'<button type="button" class="pa-choice" data-kind="{kind}" data-value="{escape(value)}" aria-pressed="false">'
        f"{say_label(label)}</button>"
        for value, label in items[:_MOST]
    )
    return (
        f'<div class="pa-group" role="group" aria-labelledby="pa-by-{kind}"><span id="pa-by-{kind}">{say(words)}</span>'
        f"{chips}</div>"
    )
