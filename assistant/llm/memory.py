"""a model and this machine -> whether it fits, before anything is loaded.

An estimate from the file's size and what a token of the context costs; a process that is killed for memory cannot say why.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from assistant.errors import ModelUnusable
from assistant.llm.catalog import Form, ModelSpec, bundled
from assistant.llm.header import read_header
from assistant.llm.offers import Offer, Use, estimate_memory, list_offers

_MEMINFO = Path("/proc/meminfo")
_GROUPS = Path("/sys/fs/cgroup")
_LIMITS = (
    ("memory.max", "memory.current"),  # version 2
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),  # version 1
)
_NO_LIMIT = 1 << 60


def available_memory(meminfo: Path = _MEMINFO, groups: Path = _GROUPS) -> int:
    """Bytes that a program can still get: what the system has free, or less where its container allows less."""
    return min(_of_system(meminfo), _of_container(groups))


def needed_memory(spec: ModelSpec) -> int:
    """Bytes that a model needs, from its file; raises ``ModelUnusable`` where that cannot be read."""
    header = read_header(spec.path)
    return estimate_memory(spec.path.stat().st_size, header.kv, spec.context)


def check_memory(spec: ModelSpec, available: int | None = None) -> None:
    """Refuse a model that does not fit, and name the next smaller one that does.

    A file that cannot be read is left to the engine, whose message says what is wrong with it.

    Raises:
        ModelUnusable: it does not fit.
    """
    if spec.form is Form.READER or not spec.path.is_file():
        return
    free, need = available_memory() if available is None else available, needed_memory(spec)
    if need <= free:
        return
    smaller = suggest_smaller(free)
    named = f"assistant model pull {smaller.name}" if smaller else f"assistant model use {bundled().name}"
    raise ModelUnusable(
        f"内存不够：{spec.name} 约需 {_gb(need)}，现有 {_gb(free)}。请关掉别的程序，或换小一些的模型：{named}。 {spec.name} needs about "
        f"{_gb(need)} of memory, {_gb(free)} are free; close other programs, or take a smaller model: `{named}`. "
        "ASSISTANT_IGNORE_MEMORY=1 tries it all the same."
    )


def suggest_smaller(memory: int) -> Offer | None:
    """The largest offered model that writes answers and fits into so many bytes; ``None`` where none does."""
    fitting = [offer for offer in list_offers() if offer.kind is Use.INSTRUCT and offer.memory <= memory]
    return max(fitting, key=lambda offer: offer.memory, default=None)


def say_memory(available: int | None = None) -> str:
    """One line for ``assistant doctor``: what is free, which offered models fit, and which do not."""
    free = available_memory() if available is None else available
    offers = [offer for offer in list_offers() if offer.kind is Use.INSTRUCT]
    fitting = [bundled().name, *(offer.name for offer in offers if offer.memory <= free)]
    larger = [f"{offer.name} ({_gb(offer.memory)})" for offer in offers if offer.memory > free]
    told = f"内存可用 memory free {_gb(free)}：能运行 fits {', '.join(fitting)}"
    return f"{told}；装不下 too large {', '.join(larger)}" if larger else told


def _of_system(meminfo: Path) -> int:
    with suppress(OSError):
        for line in meminfo.read_text(encoding="ascii").splitlines():
            name, _, value = line.partition(":")
            if name == "MemAvailable":
                return int(value.split()[0]) << 10
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return _NO_LIMIT  # nobody can say; the engine's own message has to do


def _of_container(groups: Path) -> int:
    for limit, used in _LIMITS:
        with suppress(OSError, ValueError):  # no such file, or "max"
            most = int((groups / limit).read_text(encoding="ascii"))
            reclaimable = _cached(groups / Path(limit).parent / "memory.stat")
            return max(0, most - int((groups / used).read_text(encoding="ascii")) + reclaimable)
    return _NO_LIMIT


def _cached(statistics: Path) -> int:
    """Bytes of files that the container keeps in memory and would give back."""
    with suppress(OSError, ValueError):
        for line in statistics.read_text(encoding="ascii").splitlines():
            name, _, value = line.partition(" ")
            if name in ("inactive_file", "total_inactive_file"):
                return int(value)
    return 0


def _gb(size: int) -> str:
    return f"{size / 10**9:.1f} GB"
