"""an offered model's name -> its checked file in the data folder, ready to be chosen.

Fetched by :mod:`assistant.llm.download`; the file gets its own name only after its size, its checksum and its header were right.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import DownloadFailed, ModelMissing, ModelUnusable
from assistant.llm.catalog import Form, ModelSpec, hash_file, register_model
from assistant.llm.download import Progress, download, remove_part
from assistant.llm.header import read_header
from assistant.llm.offers import UNVERIFIED, Offer, Use, find_offer, locate

FOLDER = "models"
_RECORD = "pulled.json"
_SPARE = 200 << 20  # bytes that stay free on the disk


@dataclass(frozen=True, slots=True)
class Pulled:
    """A model that lies in the data folder."""

    offer: Offer
    path: Path
    sha256: str
    verified: bool  # whether the checksum was known before; else this one is kept for the next time
    fetched: bool  # False: it was there already


def pull(
    name: str,
    home: Path,
    *,
    source: str = "hf",
    endpoint: str = "",
    report: Callable[[Progress], None] = lambda _: None,
    offer: Offer | None = None,
) -> Pulled:
    """Fetch an offered model, check it, and make it known to ``assistant model use``.

    Args:
        name: of :func:`assistant.llm.offers.list_offers`.
        home: the data folder.
        source: where from, as :func:`assistant.llm.offers.locate` takes it.
        endpoint: address of the hub for the source ``hf``.
        report: told how far it is.
        offer: the model itself, where it stands in no table.

    Raises:
        ModelMissing: no such offer.
        InputInvalid: an unknown source.
        DownloadFailed: not fetched; what came is kept, except where its checksum is wrong.
    """
    offer = offer or find_offer(name)
    if offer is None:
        raise ModelMissing(
            f"没有可下载的模型 {name}，请看 assistant model list。 There is no model {name} to fetch; see `assistant model list`."
        )
    url = locate(offer, source, endpoint)
    target = home / FOLDER / offer.file
    expected = offer.sha256 if offer.sha256 != UNVERIFIED else recorded_checksum(home, offer.name)
    fetched = not _is_there(target, expected)
    if fetched:
        part = download(url, target, size=offer.size, report=report, reserve=lambda size: _reserve(target.parent, size))
        checksum = _check(part, target, expected, url)
        part.replace(target)
        remove_part(target)
    else:
        checksum = expected
    _record(home, offer.name, checksum)
    if offer.kind is Use.INSTRUCT:
        register_model(home, _spec(offer, target, checksum))
    return Pulled(offer, target, checksum, verified=bool(expected), fetched=fetched)


def installed(home: Path, offer: Offer) -> bool:
    """Whether an offered model lies in the data folder; looks at its size only."""
    path = home / FOLDER / offer.file
    return path.is_file() and path.stat().st_size == offer.size


def recorded_checksum(home: Path, name: str) -> str:
    """The checksum that a first pull recorded; empty where there was none."""
    return str(_read_record(home).get(name, ""))


def describe(progress: Progress) -> str:
    """One short line: ``512 MB / 2.5 GB  20%  12.3 MB/s  2:41``."""
    parts = [name_size(progress.done)]
    if progress.total:
        parts[0] += f" / {name_size(progress.total)}"
        parts.append(f"{100 * progress.done // progress.total}%")
    if progress.rate > 0:
        parts.append(f"{name_size(int(progress.rate))}/s")
    if progress.left is not None:
        minutes, seconds = divmod(int(progress.left), 60)
        hours, minutes = divmod(minutes, 60)
        parts.append(f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}")
    return "  ".join(parts)


def name_size(size: int) -> str:
    """Bytes as people write them, in powers of ten: ``397 MB``, ``2.5 GB``."""
    if size >= 10**9:
        return f"{size / 10**9:.1f} GB"
    return f"{size / 10**6:.0f} MB" if size >= 10**6 else f"{size / 10**3:.0f} kB"


def _is_there(target: Path, expected: str) -> bool:
    return bool(expected) and target.is_file() and hash_file(target) == expected


def _reserve(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < size + _SPARE:
        raise DownloadFailed(
            f"磁盘空间不够：还要 {name_size(size + _SPARE)}，只剩 {name_size(free)}({folder})。请清理，或用 ASSISTANT_DATA 换个位置。 "
            f"Not enough room in {folder}: {name_size(size + _SPARE)} are needed, {name_size(free)} are free; make room, or choose "
            "another place with ASSISTANT_DATA."
        )


def _check(part: Path, target: Path, expected: str, url: str) -> str:
    checksum = hash_file(part)
    if expected and checksum != expected:
        remove_part(target)
        raise DownloadFailed(
            f"下载的文件校验和不对，已删除：{url}。请换一个 --source 再试。 The file from {url} is not the right one and was deleted "
            f"(expected {expected[:12]}…, got {checksum[:12]}…); try another --source."
        )
    try:
        read_header(part)
    except ModelUnusable as error:
        remove_part(target)
        raise DownloadFailed(
            f"下载的不是模型文件，已删除：{url}。请换一个 --source 再试。 What came from {url} is no model and was deleted; try "
            f"another --source. ({error})"
        ) from error
    return checksum


def _spec(offer: Offer, path: Path, checksum: str) -> ModelSpec:
    return ModelSpec(
        name=offer.name,
        path=path.resolve(),
        sha256=checksum,
        quantization=offer.quantization,
        form=Form.INSTRUCT,
        template=offer.template,
        context=offer.context,
        temperature=offer.temperature,
        thinks=offer.thinks,
    )


def _read_record(home: Path) -> Mapping[str, str]:
    try:
        record = json.loads((home / FOLDER / _RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _record(home: Path, name: str, checksum: str) -> None:
    path = home / FOLDER / _RECORD
    content = json.dumps({**_read_record(home), name: checksum}, indent=1, sort_keys=True)
    whole = path.with_name(_RECORD + ".new")
    whole.write_text(content + "\n", encoding="utf-8")
    whole.replace(path)
