"""A question in, a cited and checked answer out. ``from assistant import Assistant`` is the Python interface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assistant.api import Assistant

__all__ = ["Assistant"]


def __getattr__(name: str) -> Any:
    """Import the interface when it is asked for, so that the command line starts without it."""
    if name != "Assistant":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from assistant.environment import make_offline

    make_offline()
    from assistant.api import Assistant

    return Assistant
