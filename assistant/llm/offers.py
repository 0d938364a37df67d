"""``models/offers.toml`` -> Offer: the models that can be fetched, what they need, and where they lie.

The addresses of the model hubs stand here and nowhere else. Reading the table opens no connection.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cache
from importlib.resources import files

from assistant.errors import InputInvalid

UNVERIFIED = "unverified"
HUGGING_FACE = "https://huggingface.co"
MIRROR = "https://hf-mirror.com"
MODELSCOPE = "https://modelscope.cn/models"
SOURCES = ("hf", "hf-mirror", "modelscope")
WORKING = 256 << 20  # bytes beside weights and context: the buffers of a computation and the program itself


class Use(StrEnum):
    """What an offered model is for."""

    INSTRUCT = "instruct"
    EMBEDDING = "embedding"
    RERANKER = "reranker"


@dataclass(frozen=True, slots=True)
class Offer:
    """One model that can be fetched; the keys of the file are these fields."""

    name: str
    kind: Use
    maker: str
    repository: str
    revision: str
    file: str
    size: int  # bytes
    sha256: str  # of the file, or UNVERIFIED
    quantization: str
    languages: str
    licence: str
    good_for: str
    context: int
    template: str = ""  # of prompts/templates.toml; only for instruct models
    kv: int = 0  # bytes of memory for one token of the context
    temperature: float = 0.0
    thinks: bool = False  # writes its thoughts before the answer, whatever the template says
    modelscope: str = ""  # the repository there; empty where there is none

    @property
    def memory(self) -> int:
        """Bytes of memory that it needs to run."""
        return estimate_memory(self.size, self.kv, self.context)


def estimate_memory(size: int, kv: int, context: int) -> int:
    """Bytes for weights (counted once: a copy in another order takes the place of the mapped file), context and work."""
    return size + kv * context + WORKING


@cache
def list_offers() -> tuple[Offer, ...]:
    """All offers: those that write answers by size, then the others."""
    text = (files("assistant") / "models" / "offers.toml").read_text(encoding="utf-8")
    return read_offers(text)


def read_offers(text: str) -> tuple[Offer, ...]:
    """Read a table of offers; raises ``ValueError`` for a key that is missing, unknown or of the wrong type."""
    known = {field.name: str(field.type) for field in fields(Offer)}
    kinds = {"str": str, "int": int, "float": float, "bool": bool, "Use": str}
    offers = []
    for table in tomllib.loads(text)["offer"]:
        wrong = [key for key, value in table.items() if key not in known or type(value) is not kinds[known[key]]]
        if wrong:
            raise ValueError(f"offer {table.get('name')}: {', '.join(wrong)}")
        try:
            offers.append(Offer(**{**table, "kind": Use(table["kind"])}))
        except (TypeError, KeyError) as error:
            raise ValueError(f"offer {table.get('name')}: {error}") from error
    return tuple(offers)


def find_offer(name: str) -> Offer | None:
    """The offer of a name; ``None`` where there is none."""
    return next((offer for offer in list_offers() if offer.name == name), None)


def locate(offer: Offer, source: str = "hf", endpoint: str = "") -> str:
    """The address of an offer's file.

    Args:
        offer: the model.
        source: one of ``SOURCES``, the address of the file, or, ending with a slash, of a folder that holds it.
        endpoint: takes the place of the hub's address where the source is ``hf`` (``HF_ENDPOINT``).

    Raises:
        InputInvalid: an unknown source, or one that does not have this model.
    """
    if source.startswith(("http://", "https://")):
        return source + offer.file if source.endswith("/") else source
    if source == "modelscope" and offer.modelscope:
        return f"{MODELSCOPE}/{offer.modelscope}/resolve/master/{offer.file}"
    if source in ("hf", "hf-mirror"):
        hub = MIRROR if source == "hf-mirror" else endpoint.rstrip("/") or HUGGING_FACE
        return f"{hub}/{offer.repository}/resolve/{offer.revision}/{offer.file}"
    if source == "modelscope":
        raise InputInvalid(
            f"ModelScope 上没有 {offer.name}，请用 --source hf 或 hf-mirror。 ModelScope does not have {offer.name}; "
            "use --source hf or hf-mirror."
        )
    raise InputInvalid(
        f"不认识来源 {source}，请用 {'、'.join(SOURCES)} 或一个地址。 Unknown source {source}: use one of "
        f"{', '.join(SOURCES)} or an address."
    )
