"""Which models there are, what their files say, and what is done with files that anyone may have made."""

from __future__ import annotations

import os
import shutil
import struct
from dataclasses import replace
from pathlib import Path

import gguf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import ModelDamaged, ModelMissing, ModelUnusable
from assistant.llm import catalog
from assistant.llm.catalog import Form, bundled, current_model, hash_file, list_models, use_model, verify_model
from assistant.llm.header import read_header
from tests.tiny_gguf import tiny_gguf

HEADER = 27_000  # bytes at the start of the tiny model that hold its header


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A copy of the tiny model that the test may break."""
    return Path(shutil.copyfile(tiny_gguf(), tmp_path / "mine.gguf"))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "data"


def write_gguf(path: Path, architecture: str, tokens: list[str] | None) -> Path:
    writer = gguf.GGUFWriter(path, architecture)
    if tokens is not None:
        writer.add_tokenizer_model("gpt2")
        writer.add_token_list(tokens)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    return path


def test_the_bundled_model_is_the_default_and_whole(home: Path) -> None:
    spec = current_model(home)
    assert spec == bundled()
    assert (spec.form, spec.quantization, spec.template) == (Form.READER, "Q4_K_M", None)
    verify_model(spec)
    assert not home.exists()


def test_the_catalogue_says_of_the_bundled_model_what_its_file_says() -> None:
    header = read_header(bundled().path)
    assert (header.quantization, header.context) == (bundled().quantization, bundled().context)


def test_the_card_names_the_checksum_and_the_licence() -> None:
    card = (bundled().path.parent / "README.md").read_text("utf-8")
    assert bundled().sha256 in card
    assert "CC BY-SA 4.0" in card


def test_a_header_says_what_was_written(model: Path) -> None:
    header = read_header(model)
    assert (header.architecture, header.name, header.quantization) == ("llama", "tiny random", "F32")
    assert (header.context, header.tokenizer) == (1024, "llama")
    assert {"<|im_start|>", "碳"} <= header.tokens


def test_a_chosen_file_stays_chosen(home: Path, model: Path) -> None:
    spec = use_model(home, str(model))
    assert (spec.name, spec.form, spec.template, spec.context) == ("mine", Form.INSTRUCT, "chatml", 1024)
    assert spec.sha256 == hash_file(model)
    assert current_model(home) == spec
    assert list_models(home) == (bundled(), spec)
    assert use_model(home, bundled().name) == current_model(home) == bundled()
    assert use_model(home, "mine") == current_model(home) == spec
    assert [p.name for p in home.iterdir()] == ["model.toml"]


def test_a_file_chosen_again_takes_the_place_of_itself(home: Path, model: Path) -> None:
    use_model(home, str(model))
    spec = use_model(home, str(model), "llama3")
    assert list_models(home) == (bundled(), spec)
    assert spec.template == "llama3"


def test_two_files_of_one_name_get_two_names(home: Path, model: Path) -> None:
    other = model.parent / "other" / model.name
    other.parent.mkdir()
    shutil.copyfile(model, other)
    assert [use_model(home, str(p)).name for p in (model, other, model)] == ["mine", "mine-2", "mine"]


@pytest.mark.parametrize("name", ['a"b\\c.gguf', "模型 七.gguf", "x\x7f\ty.gguf", "𠀀.gguf", "....gguf"])
def test_any_file_name_survives_the_file_of_choices(home: Path, model: Path, name: str) -> None:
    path = model.rename(model.parent / name)
    assert use_model(home, str(path)).path == path
    assert current_model(home).path == path


def test_an_unknown_name_names_the_known_models(home: Path) -> None:
    with pytest.raises(ModelMissing, match=bundled().name):
        use_model(home, "nonesuch")


def test_a_model_of_unknown_family_asks_for_the_template(home: Path, tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "base.gguf", "llama", ["a", "b"])
    with pytest.raises(ModelUnusable, match=r"--template.*chatml"):
        use_model(home, str(path))
    with pytest.raises(ModelUnusable, match="nonesuch"):
        use_model(home, str(path), "nonesuch")
    assert use_model(home, str(path), "chatml").template == "chatml"


def test_a_name_takes_no_template(home: Path) -> None:
    with pytest.raises(ModelUnusable, match="--template"):
        use_model(home, bundled().name, "chatml")


def test_an_embedding_model_and_a_file_without_vocabulary_are_refused(home: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelUnusable, match="embedding"):
        use_model(home, str(write_gguf(tmp_path / "e.gguf", "bert", ["a"])))
    with pytest.raises(ModelUnusable, match="no language model"):
        use_model(home, str(write_gguf(tmp_path / "v.gguf", "llama", None)))


def test_a_refused_file_leaves_the_choice_as_it_was(home: Path, model: Path, tmp_path: Path) -> None:
    spec = use_model(home, str(model))
    (tmp_path / "text.gguf").write_text("not a model")
    with pytest.raises(ModelUnusable, match=r"text\.gguf"):
        use_model(home, str(tmp_path / "text.gguf"))
    assert current_model(home) == spec


def test_a_broken_file_of_choices_says_which(home: Path) -> None:
    home.mkdir()
    for text in ("current = ", "x = 1", 'current = "a"\n[[model]]\nname = "a"\n'):
        (home / "model.toml").write_text(text)
        with pytest.raises(ModelUnusable, match=r"model\.toml"):
            current_model(home)


def test_a_chosen_model_that_is_forgotten_is_missing(home: Path) -> None:
    home.mkdir()
    (home / "model.toml").write_text('current = "old"')
    with pytest.raises(ModelMissing, match="old"):
        current_model(home)


def test_a_flipped_bit_is_damage(home: Path, model: Path) -> None:
    spec = use_model(home, str(model))
    data = bytearray(model.read_bytes())
    data[-1] ^= 1
    model.write_bytes(data)
    for where in (None, home):
        with pytest.raises(ModelDamaged, match=r"mine\.gguf"):
            verify_model(spec, home=where)


def test_an_unchanged_file_of_the_user_is_read_once(home: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = use_model(home, str(model))
    read: list[Path] = []

    def watch(path: Path) -> str:
        read.append(path)
        return spec.sha256

    monkeypatch.setattr(catalog, "hash_file", watch)
    verify_model(spec, home=home)
    assert read == []
    os.utime(model, ns=(1, 1))
    verify_model(spec, home=home)
    verify_model(replace(spec, name="other"), home=home)  # not registered
    verify_model(spec)
    assert len(read) == 3


def test_a_file_that_is_gone_is_missing(home: Path, model: Path) -> None:
    spec = use_model(home, str(model))
    model.unlink()
    for where in (None, home):
        with pytest.raises(ModelMissing, match=r"mine\.gguf"):
            verify_model(spec, home=where)


def test_a_reader_of_the_user_is_known_by_its_vocabulary(home: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copyfile(bundled().path, tmp_path / "reader-v1.gguf"))
    spec = use_model(home, str(copy))
    assert (spec.form, spec.template, spec.context) == (Form.READER, None, 1024)


@given(length=st.integers(0, 970_000))
def test_a_cut_file_is_unusable(length: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "cut.gguf"
    data = tiny_gguf().read_bytes()
    path.write_bytes(data[: min(length, len(data) - 1)])
    with pytest.raises(ModelUnusable):
        read_header(path)


@given(changes=st.lists(st.tuples(st.integers(0, HEADER), st.integers(0, 255)), min_size=1, max_size=8))
def test_flipped_bytes_never_do_worse_than_unusable(
    changes: list[tuple[int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = bytearray(tiny_gguf().read_bytes())
    for place, value in changes:
        data[place] ^= value
    _read_or_refuse(tmp_path_factory.getbasetemp() / "flipped.gguf", bytes(data))


@given(garbage=st.binary(max_size=300))
def test_garbage_behind_the_magic_never_does_worse_than_unusable(
    garbage: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "garbage.gguf"
    _read_or_refuse(path, b"GGUF" + struct.pack("<IQQ", 3, 2, 3) + garbage)


def _read_or_refuse(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    try:
        assert read_header(path).tokens is not None
    except ModelUnusable as error:
        assert path.name in str(error)


def test_a_file_that_cannot_be_read_is_unusable(tmp_path: Path) -> None:
    with pytest.raises(ModelUnusable, match="directory"):
        read_header(tmp_path)
