"""names and files -> ModelSpec: which models there are, which one answers, and whether its file is what it should be.

The bundled models stand in ``models/catalog.toml``; the user's choice and the user's own files in ``model.toml`` in the
data folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
import tomllib
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from assistant.errors import ModelDamaged, ModelMissing, ModelUnusable
from assistant.llm.header import Header, read_header
from assistant.llm.offers import Use, find_offer
from assistant.llm.reader import SPECIALS
from assistant.llm.template import guess_template, load_templates
from assistant.types import ModelFacts

LARGEST_CONTEXT = 4096  # what the product's prompts need; more costs memory
_CHOICE = "model.toml"
_ENCODERS = frozenset({"bert", "nomic-bert", "nomic-bert-moe", "jina-bert-v2", "jina-bert-v3", "t5encoder", "clip"})


class Form(StrEnum):
    """What a model can do."""

    READER = "reader"  # scores candidate sentences
    INSTRUCT = "instruct"  # writes free text


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model that can be used."""

    name: str
    path: Path
    sha256: str  # of the whole file
    quantization: str
    form: Form
    template: str | None  # of prompts/templates.toml; None for a reader
    context: int = LARGEST_CONTEXT
    temperature: float = 0.0  # of its sampling
    thinks: bool = False  # writes its thoughts before the answer; they are hidden

    def facts(self) -> ModelFacts:
        """What an answer says of the model."""
        return ModelFacts(name=self.name, sha256=self.sha256, quantization=self.quantization)


@dataclass(frozen=True, slots=True)
class _Seal:
    """The state of a user's file when its checksum was computed; while it is the same the file is not read again."""

    size: int
    mtime_ns: int
    inode: int


@dataclass(frozen=True, slots=True)
class _Choice:
    """What ``model.toml`` holds."""

    current: str
    own: tuple[tuple[ModelSpec, _Seal], ...]


def bundled() -> ModelSpec:
    """The model that comes with the program and answers where nothing else was chosen."""
    return _read_bundled()[0]


def list_models(home: Path) -> tuple[ModelSpec, ...]:
    """The bundled models and those that the user registered."""
    return _read_bundled() + tuple(spec for spec, _ in _read_choice(home).own)


def current_model(home: Path) -> ModelSpec:
    """The chosen model; the bundled one where none was chosen.

    Raises:
        ModelMissing: the chosen model is not known any more.
    """
    return _find(_read_choice(home).current or bundled().name, home)


def use_model(home: Path, name_or_file: str, template: str | None = None) -> ModelSpec:
    """Choose a model by its name, or register a GGUF file and choose it.

    Args:
        home: the data folder, where the choice is written.
        name_or_file: a name of :func:`list_models`, or the path of a file.
        template: a name in ``prompts/templates.toml``, where the family cannot be told from the file.

    Raises:
        ModelMissing: neither a known name nor a file.
        ModelUnusable: not a whole GGUF file, of an unknown kind, or the template is unknown.
    """
    choice = _read_choice(home)
    if name_or_file in {spec.name for spec in list_models(home)}:
        spec = _find(name_or_file, home)
        if template is not None:
            raise ModelUnusable(f"请给出模型文件。 --template needs the model's file, not the name {name_or_file}.")
        _write_choice(home, replace(choice, current=spec.name))
        return spec
    path = Path(name_or_file).expanduser().resolve()
    if not path.is_file():
        raise _missing(name_or_file, home)
    spec = _examine(path, template)
    taken = {s.name for s in _read_bundled()} | {s.name for s, _ in choice.own if s.path != path}
    spec = replace(spec, name=_free_name(spec.name, taken))
    own = tuple(entry for entry in choice.own if entry[0].path != path)
    _write_choice(home, _Choice(spec.name, (*own, (spec, _seal(path)))))
    return spec


def register_model(home: Path, spec: ModelSpec) -> None:
    """Make a checked file known under its name, in the place of what had that name; the choice stays as it is."""
    choice = _read_choice(home)
    own = tuple(entry for entry in choice.own if entry[0].name != spec.name and entry[0].path != spec.path)
    _write_choice(home, _Choice(choice.current or bundled().name, (*own, (spec, _seal(spec.path)))))


def verify_model(spec: ModelSpec, *, home: Path | None = None) -> None:
    """Hold the model's file against its checksum.

    With ``home`` a user's own file that has not changed since its checksum was computed is not read again.

    Raises:
        ModelMissing: the file is not there.
        ModelDamaged: the file is not what it was.
    """
    try:
        if home is not None and (spec, _seal(spec.path)) in _read_choice(home).own:
            return
        actual = hash_file(spec.path)
    except OSError as error:
        raise ModelMissing(
            f"模型文件不在了：{spec.path}。请运行 assistant model use 另选一个。 The model file {spec.path} cannot be read "
            f"({error.strerror}); choose another with `assistant model use`."
        ) from error
    if actual != spec.sha256:
        raise ModelDamaged(
            f"模型文件与校验和不符：{spec.path}。请换回原来的文件，或重新运行 assistant model use。 The model file {spec.path} "
            f"is not what its checksum says (expected {spec.sha256[:12]}…, is {actual[:12]}…); put the right file back, or "
            "run `assistant model use` with it again."
        )


def hash_file(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def _read_bundled() -> tuple[ModelSpec, ...]:
    folder = files("assistant") / "models"
    tables = tomllib.loads((folder / "catalog.toml").read_text(encoding="utf-8"))["model"]
    return tuple(_read_spec({**table, "path": str(folder / table["path"])}) for table in tables)


def _read_spec(table: dict[str, Any]) -> ModelSpec:
    return ModelSpec(
        name=table["name"],
        path=Path(table["path"]),
        sha256=table["sha256"],
        quantization=table["quantization"],
        form=Form(table["form"]),
        template=table.get("template"),
        context=table["context"],
        temperature=float(table.get("temperature", 0.0)),
        thinks=bool(table.get("thinks", False)),
    )


def _find(name: str, home: Path) -> ModelSpec:
    for spec in list_models(home):
        if spec.name == name:
            return spec
    raise _missing(name, home)


def _missing(name: str, home: Path) -> ModelMissing:
    offer = find_offer(name)
    if offer is not None and offer.kind is not Use.INSTRUCT:
        return ModelMissing(
            f"{name} 不写答案。向量模型请这样用：ASSISTANT_EMBEDDER=文件 assistant index。 {name} writes no answers; an embedding model "
            "is used with `ASSISTANT_EMBEDDER=FILE assistant index`."
        )
    if offer is not None:
        return ModelMissing(
            f"模型 {name} 还没有下载，请先运行 assistant model pull {name}。 The model {name} was not fetched yet; run "
            f"`assistant model pull {name}` first."
        )
    known = ", ".join(spec.name for spec in list_models(home))
    return ModelMissing(
        f"没有名为 {name} 的模型，也没有这个文件。已知的有：{known}。 There is neither a model nor a file {name}; "
        f"known models: {known}."
    )


def _examine(path: Path, template: str | None) -> ModelSpec:
    """Make a spec of a user's file."""
    header = read_header(path)
    if header.architecture in _ENCODERS:
        raise ModelUnusable(
            f"这是向量模型({header.architecture})，不能写答案：{path}。 {path} is an embedding model "
            f"({header.architecture}) and cannot write answers."
        )
    form = Form.READER if header.tokens.issuperset(SPECIALS) else Form.INSTRUCT
    return ModelSpec(
        name=re.sub(r"[^\w.-]+", "-", path.stem).strip("-") or "model",
        path=path,
        sha256=hash_file(path),
        quantization=header.quantization,
        form=form,
        template=None if form is Form.READER else _choose_template(path, header, template),
        context=_usable_context(header.context),
    )


def _choose_template(path: Path, header: Header, asked: str | None) -> str:
    known = load_templates()
    found = asked or guess_template(header.architecture, header.tokens)
    if found is None or found not in known:
        problem = f"没有模板 no template {asked}" if asked else f"看不出对话模板 its family cannot be told: {path.name}"
        raise ModelUnusable(
            f"{problem}。请加 --template 并给出其中之一。 Add --template with one of: {', '.join(known)}."
        )
    return found


def _usable_context(trained: int) -> int:
    context = min(trained or LARGEST_CONTEXT, LARGEST_CONTEXT)
    return max(256, context - context % 256)  # llama.cpp works in steps of 256


def _free_name(name: str, taken: set[str]) -> str:
    candidates = (name if n == 1 else f"{name}-{n}" for n in range(1, len(taken) + 2))
    return next(candidate for candidate in candidates if candidate not in taken)


def _seal(path: Path) -> _Seal:
    state = path.stat()
    return _Seal(state.st_size, state.st_mtime_ns, state.st_ino)


def _read_choice(home: Path) -> _Choice:
    try:
        text = (home / _CHOICE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return _Choice("", ())
    try:
        data = tomllib.loads(text)
        own = tuple(
            (_read_spec(table), _Seal(table["size"], table["mtime_ns"], table["inode"]))
            for table in data.get("model", [])
        )
        return _Choice(str(data["current"]), own)
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise ModelUnusable(
            f"{home / _CHOICE} 有误，请删除后重新选择模型。 {home / _CHOICE} is broken ({error!r}); delete it and run "
            "`assistant model use` again."
        ) from error


def _write_choice(home: Path, choice: _Choice) -> None:
    """Replace ``model.toml`` as a whole, so that it is never seen half written."""
    lines = [f"current = {_toml(choice.current)}"]
    for spec, seal in choice.own:
        lines += ["", "[[model]]", *_spec_lines(spec)]
        lines += [f"size = {seal.size}", f"mtime_ns = {seal.mtime_ns}", f"inode = {seal.inode}"]
    home.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=home, prefix=_CHOICE)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        os.fsync(file.fileno())
    Path(temporary).replace(home / _CHOICE)


def _spec_lines(spec: ModelSpec) -> list[str]:
    texts = {"name": spec.name, "path": str(spec.path), "sha256": spec.sha256, "quantization": spec.quantization}
    texts |= {"form": spec.form.value} | ({"template": spec.template} if spec.template else {})
    lines = [f"{key} = {_toml(text)}" for key, text in texts.items()] + [f"context = {spec.context}"]
    lines += [f"temperature = {spec.temperature!r}"] if spec.temperature else []
    return lines + (["thinks = true"] if spec.thinks else [])


def _toml(text: str) -> str:
    """A basic string of TOML: JSON's form, without its surrogate pairs."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
