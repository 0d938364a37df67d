"""The environment and the command line in, one frozen value out; nothing below the command line reads the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Settings:
    """Where things are and how much may be used."""

    seeds: Path = _ROOT / "seeds"
    data: Path = (
        _ROOT / "vectorstore" / "data"
    )  # the index, the chosen model, the history, and what was added on the page (library/)
    embedder: str | None = None  # None: the built-in one; a path: an embedding GGUF
    threads: int | None = None  # of the model; None: the cores that this process may use
    llm_url: str = ""  # a server that speaks OpenAI's protocol answers in the place of the chosen model
    llm_key: str = field(default="", repr=False)
    llm_key_file: str = ""
    llm_model: str = ""
    llm_kind: str = ""  # how it takes a grammar; empty: found out
    llm_context: str = ""  # tokens; empty: what it says
    ignore_memory: bool = False  # load a model also where it seems not to fit
    hub: str = ""  # address that takes the place of the model hub's; only `assistant model pull` asks it


def read_settings() -> Settings:
    """Read ``ASSISTANT_…`` (each field's name in capitals) and ``HF_ENDPOINT``."""
    default = Settings()
    threads = os.environ.get("ASSISTANT_THREADS", "")
    return Settings(
        seeds=Path(os.environ.get("ASSISTANT_SEEDS") or default.seeds),
        data=Path(os.environ.get("ASSISTANT_DATA") or default.data),
        embedder=os.environ.get("ASSISTANT_EMBEDDER") or None,
        threads=int(threads) if threads.isdigit() and int(threads) > 0 else None,
        llm_url=os.environ.get("ASSISTANT_LLM_URL", ""),
        llm_key=os.environ.get("ASSISTANT_LLM_KEY", ""),
        llm_key_file=os.environ.get("ASSISTANT_LLM_KEY_FILE", ""),
        llm_model=os.environ.get("ASSISTANT_LLM_MODEL", ""),
        llm_kind=os.environ.get("ASSISTANT_LLM_KIND", ""),
        llm_context=os.environ.get("ASSISTANT_LLM_CONTEXT", ""),
        ignore_memory=os.environ.get("ASSISTANT_IGNORE_MEMORY", "") not in ("", "0"),
        hub=os.environ.get("HF_ENDPOINT", ""),
    )
