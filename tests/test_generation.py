"""Generations: whole or not there; one writer; a pointer that only ever names a whole one; copies that do not pile up."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from vectorstore import generation
from vectorstore.copies import PrivateCopy
from vectorstore.errors import IndexBusy, IndexDamaged, IndexMissing, IndexStale
from vectorstore.generation import Pointer
from vectorstore.types import Manifest

_CORPUS = "abcdef" + "0" * 58


def _make(data: Path, content: bytes = b"content") -> Pointer:
    directory = generation.begin(data, _CORPUS)
    (directory / "part").mkdir()
    (directory / "part" / "file.bin").write_bytes(content)
    files = generation.list_files(directory)
    return generation.finish(directory, Manifest(directory.name, "0.1", "1.5", "e", 2, _CORPUS, 1, 1, 1, files, "c"))


def _publish(data: Path, content: bytes = b"content") -> Pointer:
    pointer = _make(data, content)
    generation.publish(data, pointer)
    return pointer


def _generations(data: Path) -> set[str]:
    return {path.name for path in (data / "generations").iterdir()}


def test_published_generation_is_current_and_reads_back(tmp_path: Path) -> None:
    pointer = _publish(tmp_path)
    assert generation.read_pointer(tmp_path) == pointer
    manifest = generation.read_manifest(tmp_path, pointer)
    assert manifest.generation == pointer.generation
    assert [(name, size) for name, size, _ in manifest.files] == [("part/file.bin", 7)]
    generation.check_files(generation.locate(tmp_path, pointer), manifest, contents=True)


def test_name_holds_time_corpus_and_a_growing_counter(tmp_path: Path) -> None:
    first, second = _publish(tmp_path).generation, _publish(tmp_path).generation
    assert [name.split("-")[1:] for name in (first, second)] == [["abcdef", "1"], ["abcdef", "2"]]


def test_current_and_the_one_before_are_kept_and_no_other(tmp_path: Path) -> None:
    names = [_publish(tmp_path).generation for _ in range(4)]
    assert _generations(tmp_path) == set(names[2:])


def test_unfinished_generation_is_cleared_by_the_next_build_and_never_current(tmp_path: Path) -> None:
    kept = _publish(tmp_path)
    unfinished = generation.begin(tmp_path, _CORPUS)
    (unfinished / "half").write_bytes(b"x")
    assert generation.read_pointer(tmp_path) == kept
    after = _publish(tmp_path)
    assert _generations(tmp_path) == {kept.generation, after.generation}


def test_finished_generation_that_was_not_published_is_not_current(tmp_path: Path) -> None:
    kept = _publish(tmp_path)
    _make(tmp_path)
    assert generation.read_pointer(tmp_path) == kept


def test_half_written_pointer_beside_the_old_one_does_not_matter(tmp_path: Path) -> None:
    kept = _publish(tmp_path)
    (tmp_path / "CURRENT.new").write_bytes(b"2024")
    assert generation.read_pointer(tmp_path) == kept
    made = _publish(tmp_path)
    assert generation.read_pointer(tmp_path) == made


def test_no_pointer_means_missing_and_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing, match="assistant index"):
        generation.read_pointer(tmp_path)


@pytest.mark.parametrize("content", [b"", b"x", b"../../etc 00\n", bytes(range(256))])
def test_pointer_of_another_form_is_damaged(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "CURRENT").write_bytes(content)
    with pytest.raises(IndexDamaged, match="CURRENT"):
        generation.read_pointer(tmp_path)


def test_build_goes_through_although_the_pointer_is_damaged(tmp_path: Path) -> None:
    _publish(tmp_path)
    (tmp_path / "CURRENT").write_bytes(b"garbage")
    made = _publish(tmp_path)
    assert generation.read_pointer(tmp_path) == made
    assert _generations(tmp_path) == {made.generation}


def test_changed_manifest_is_damaged(tmp_path: Path) -> None:
    pointer = _publish(tmp_path)
    path = generation.locate(tmp_path, pointer) / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b'"dimensions": 2', b'"dimensions": 3'))
    with pytest.raises(IndexDamaged, match="manifest"):
        generation.read_manifest(tmp_path, pointer)


def test_form_of_another_program_is_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pointer = _publish(tmp_path)
    monkeypatch.setattr(generation, "FORMAT", generation.FORMAT + 1)
    with pytest.raises(IndexStale, match="assistant index"):
        generation.read_manifest(tmp_path, pointer)


def test_wrong_size_is_noticed_without_reading_and_wrong_content_by_reading(tmp_path: Path) -> None:
    pointer = _publish(tmp_path)
    manifest, directory = generation.read_manifest(tmp_path, pointer), generation.locate(tmp_path, pointer)
    (directory / "part" / "file.bin").write_bytes(b"CONTENT")
    generation.check_files(directory, manifest, contents=False)
    with pytest.raises(IndexDamaged, match=r"file\.bin"):
        generation.check_files(directory, manifest, contents=True)
    (directory / "part" / "file.bin").write_bytes(b"conten")
    with pytest.raises(IndexDamaged, match=r"file\.bin"):
        generation.check_files(directory, manifest, contents=False)


def test_large_generation_is_read_again_only_when_a_time_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation, "_HASH_ALWAYS", 0)
    pointer = _publish(tmp_path)
    manifest, directory = generation.read_manifest(tmp_path, pointer), generation.locate(tmp_path, pointer)
    generation.check_files(directory, manifest, contents=True)
    monkeypatch.setattr(generation, "_digest", lambda path: pytest.fail(f"read {path} again"))
    generation.check_files(directory, manifest, contents=True)
    monkeypatch.undo()
    monkeypatch.setattr(generation, "_HASH_ALWAYS", 0)
    (directory / "part" / "file.bin").write_bytes(b"CONTENT")
    with pytest.raises(IndexDamaged):
        generation.check_files(directory, manifest, contents=True)


def test_second_writer_is_refused_at_once_also_from_another_thread(tmp_path: Path) -> None:
    refused: list[bool] = []

    def write() -> None:
        try:
            with generation.writing(tmp_path):
                refused.append(False)
        except IndexBusy:
            refused.append(True)

    with generation.writing(tmp_path):
        with pytest.raises(IndexBusy, match="Another process"), generation.writing(tmp_path):
            pass
        thread = threading.Thread(target=write)
        thread.start()
        thread.join()
    with generation.writing(tmp_path):
        pass
    assert refused == [True]


def test_lock_of_a_killed_writer_is_free_at_once(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib, time; from vectorstore import generation\n"
        "with generation.writing(pathlib.Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        with pytest.raises(IndexBusy), generation.writing(tmp_path):
            pass
    finally:
        child.kill()
        child.communicate()
    with generation.writing(tmp_path):
        pass


def test_copy_is_private_and_gone_when_closed(tmp_path: Path) -> None:
    directory = generation.locate(tmp_path, _publish(tmp_path))
    one = PrivateCopy.make(tmp_path / "copies", directory, ["part/file.bin"])
    two = PrivateCopy.make(tmp_path / "copies", directory, ["part/file.bin"])
    (one.path / "part" / "file.bin").write_bytes(b"scribble")
    assert (two.path / "part" / "file.bin").read_bytes() == b"content"
    assert (directory / "part" / "file.bin").read_bytes() == b"content"
    one.close()
    two.close()
    assert [path.name for path in (tmp_path / "copies").iterdir()] == ["GUARD"]


def test_copy_of_a_killed_reader_is_swept_by_the_next_one(tmp_path: Path) -> None:
    directory = generation.locate(tmp_path, _publish(tmp_path))
    program = (
        "import sys, os, pathlib, signal; from vectorstore.copies import PrivateCopy\n"
        "copy = PrivateCopy.make(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), ['part/file.bin'])\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "copies"), str(directory)], check=False)
    assert len([path for path in (tmp_path / "copies").iterdir() if path.is_dir()]) == 1
    copy = PrivateCopy.make(tmp_path / "copies", directory, ["part/file.bin"])
    assert [path for path in (tmp_path / "copies").iterdir() if path.is_dir()] == [copy.path]
    copy.close()


def test_copy_that_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    directory = generation.locate(tmp_path, _publish(tmp_path))
    with pytest.raises(FileNotFoundError):
        PrivateCopy.make(tmp_path / "copies", directory, ["part/gone.bin"])
    assert [path.name for path in (tmp_path / "copies").iterdir()] == ["GUARD"]


def test_read_only_index_is_copied_elsewhere_and_that_is_gone_when_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = generation.locate(tmp_path, _publish(tmp_path))
    monkeypatch.setattr("vectorstore.copies.os.access", lambda path, mode: False)
    copy = PrivateCopy.make(tmp_path / "copies", directory, ["part/file.bin"])
    assert not copy.path.is_relative_to(tmp_path)
    assert (copy.path / "part" / "file.bin").read_bytes() == b"content"
    copy.close()
    assert not copy.path.parent.exists()
    assert not (tmp_path / "copies").exists()
