"""confine: a file that hangs, eats memory or breaks the parser costs that file only, and says which it was."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from tests.made_files import make_docx, make_flate_bomb, make_pdf, paragraph, set_lines
from vectorstore.confine import Limits, parse_confined, read_confined
from vectorstore.errors import SourceUnreadable
from vectorstore.types import SourceFacts

pytestmark = pytest.mark.slow  # many processes or waits, each short; together too long for the fast suite

MANY = "<p>新建公园120座。</p>" * 6_000


def write(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def refusal(path: Path, limits: Limits) -> str:
    with pytest.raises(SourceUnreadable) as caught:
        parse_confined(path, limits=limits)
    return str(caught.value)


def test_a_file_is_read_as_it_would_be_in_this_process(tmp_path: Path) -> None:
    path = write(tmp_path, "a.pdf", make_pdf([set_lines(["某市2024年工作要点", "全年新建公园120座。"])]))
    parsed = parse_confined(path)
    assert [s.quote for s in parsed.sentences][-1] == "全年新建公园120座。"
    assert read_confined(path, facts=SourceFacts(title="别的题目")).title == "别的题目"
    assert read_confined(path).text == parsed.document.text


def test_a_refusal_comes_through_as_it_was_said(tmp_path: Path) -> None:
    assert "扫描件" in refusal(write(tmp_path, "a.pdf", make_pdf([[]], pictured=True)), Limits())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_reader_that_hangs_is_stopped(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "never.txt")  # opening it waits for somebody who writes, and nobody does
    assert "已停止" in refusal(tmp_path / "never.txt", Limits(wait=0.5))


def test_a_parser_that_takes_too_much_processor_time_is_stopped(tmp_path: Path) -> None:
    path = write(tmp_path, "a.html", (MANY * 5).encode())
    assert "超过 1 秒" in refusal(path, Limits(seconds=1, memory=8 << 30))


def test_a_parser_that_takes_too_much_memory_is_stopped_and_with_enough_it_is_not(tmp_path: Path) -> None:
    path = write(tmp_path, "a.html", MANY.encode())
    assert "内存" in refusal(path, Limits(memory=3 << 20))
    assert len(parse_confined(path).sentences) == 6_000


def test_what_holds_too_much_text_is_stopped(tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt", ("新建公园120座。\n" * 3_000).encode())
    assert "文字过多" in refusal(path, Limits(output=20_000))


def test_a_small_pdf_that_unpacks_to_more_than_the_memory_is_stopped(tmp_path: Path) -> None:
    path = write(tmp_path, "bomb.pdf", make_pdf([[]], content=make_flate_bomb(160 << 20)))
    assert path.stat().st_size < 100_000
    said = refusal(path, Limits(memory=64 << 20, seconds=20))
    assert any(reason in said for reason in ("内存", "损坏", "没有文字", "超过"))


def test_a_parser_that_breaks_is_said_as_a_damaged_file(tmp_path: Path) -> None:
    deep = make_docx("<w:tbl><w:tr><w:tc>" * 50 + paragraph("字") + "</w:tc></w:tr></w:tbl>" * 49)
    assert "损坏" in refusal(write(tmp_path, "a.docx", deep), Limits())


def test_a_file_over_the_limit_is_refused_unread_and_one_at_the_limit_is_not(tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt", "新建公园120座。".encode())
    size = path.stat().st_size
    assert "上限" in refusal(path, Limits(largest=size - 1))
    assert len(parse_confined(path, limits=Limits(largest=size)).sentences) == 1


def test_the_process_is_killed_and_this_one_goes_on(tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("no named pipes here")
    os.mkfifo(tmp_path / "wait.txt")
    said: list[str] = []
    thread = threading.Thread(target=lambda: said.append(refusal(tmp_path / "wait.txt", Limits(wait=60))))
    thread.start()
    child = _wait_for_child()
    os.kill(child, 9)
    thread.join(30)
    assert "内存" in said[0]  # what the system's own guard of memory does looks the same


def _wait_for_child() -> int:
    """Give the process that reads, once it has begun to; it is the only child of this one that waits on the pipe."""
    mine = str(os.getpid())
    for _ in range(10_000):
        for status in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = status.read_text().rpartition(")")[2].split()
                command = (status.parent / "cmdline").read_bytes()
            except OSError:
                continue
            if fields[1] == mine and b"vectorstore.confined" in command:
                return int(status.parent.name)
        threading.Event().wait(0.005)
    raise AssertionError("no child was started")
