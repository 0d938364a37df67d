"""pieces of a model's text -> the pieces that are answer: what it writes between think tags is never shown and never cited.

Where the template cannot switch thinking off, the thought comes first. A closing tag without an opening one means that the
template had opened it, so all before it was thought, too.
"""

from __future__ import annotations

_OPENING = ("<think>", "<thinking>")
_CLOSING = ("</think>", "</thinking>")


class VisibleText:
    """Takes pieces in and gives out what may be seen; ``text`` is all of it so far.

    Args:
        thinking: whether the text begins inside a thought.
    """

    def __init__(self, *, thinking: bool = False) -> None:
        self._thinking = thinking
        self._held = ""  # may become a tag
        self.text = ""

    @property
    def only_thought(self) -> bool:
        """Whether it ended inside a thought, before any answer."""
        return self._thinking and not self.text.strip()

    def push(self, piece: str) -> str:
        """What of a piece is certain to be answer; the start of what may be a tag is held back."""
        self._held += piece
        shown = ""
        while (found := self._first_tag()) is not None:
            at, tag = found
            before, self._held = self._held[:at], self._held[at + len(tag) :]
            if tag in _OPENING:
                shown += self._show(before)
            elif not self._thinking:  # the template had opened it: all until here was thought
                shown = self.text = ""
            self._thinking = tag in _OPENING
        keep = self._possible_tag()
        certain, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        return shown + self._show(certain)

    def finish(self) -> str:
        """What was held back, once no more comes."""
        held, self._held = self._held, ""
        return self._show(held)

    def _show(self, text: str) -> str:
        if self._thinking:
            return ""
        text = text if self.text else text.lstrip()
        self.text += text
        return text

    def _first_tag(self) -> tuple[int, str] | None:
        found = [(at, tag) for tag in (*_OPENING, *_CLOSING) if (at := self._held.find(tag)) >= 0]
        return min(found, default=None)

    def _possible_tag(self) -> int:
        for length in range(min(len(self._held), len(_CLOSING[1]) - 1), 0, -1):
            if any(tag.startswith(self._held[-length:]) for tag in (*_OPENING, *_CLOSING)):
                return length
        return 0
