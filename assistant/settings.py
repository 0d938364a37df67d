"""The environment and the command line in, one frozen value out; nothing below the command line reads the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Settings:
    """Where things are and how much may be used."""

    seeds: Path = _ROOT / "seeds"
    data: Path = _ROOT / "vectorstore" / "data"  # the index, the chosen model, the history; safe to delete
    embedder: str | None = None  # None: the built-in one; a path: an embedding GGUF
    threads: int | None = None  # of the model; None: the cores that this process may use
    hub: str = ""  # address that takes the place of the model hub's; only `assistant model pull` asks it


def read_settings() -> Settings:
    """Read ``ASSISTANT_SEEDS``, ``ASSISTANT_DATA``, ``ASSISTANT_EMBEDDER``, ``ASSISTANT_THREADS`` and ``HF_ENDPOINT``."""
    default = Settings()
    threads = os.environ.get("ASSISTANT_THREADS", "")
    return Settings(
        seeds=Path(os.environ.get("ASSISTANT_SEEDS") or default.seeds),
        data=Path(os.environ.get("ASSISTANT_DATA") or default.data),
        embedder=os.environ.get("ASSISTANT_EMBEDDER") or None,
        threads=int(threads) if threads.isdigit() and int(threads) > 0 else None,
        hub=os.environ.get("HF_ENDPOINT", ""),
    )
