"""read: files are found and decoded untouched, and what cannot be read is named with its reason."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import pytest

from vectorstore.errors import SourceUnreadable
from vectorstore.read import find_sources, read_document
from vectorstore.types import Document, Media, SourceFacts

TEXT = "某市2021年公报\n\n新建公园12座,绿地30公顷。\r\n道路完工。\n"


def write(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def read_text(folder: Path, name: str, text: str) -> Document:
    return read_document(write(folder, name, text.encode()))


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode("utf-8"),
        b"\xef\xbb\xbf" + TEXT.encode("utf-8"),
        b"\xff\xfe" + TEXT.encode("utf-16-le"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"),
        TEXT.encode("gb18030"),
    ],
    ids=["utf-8", "utf-8 with mark", "utf-16-le", "utf-16-be", "gb18030"],
)
def test_every_encoding_gives_the_same_text_with_its_line_breaks(tmp_path: Path, data: bytes) -> None:
    document = read_document(write(tmp_path, "a.txt", data))
    assert document.text == TEXT
    assert document.sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.txt", b"", "空文件"),
        ("a.txt", b" \r\n\t\n", "空文件"),
        ("a.txt", "\ufeff".encode(), "空文件"),
        ("a.txt", b"abc\x00def", "二进制"),
        ("a.txt", b"\xff\xfea\x00\x00\x00", "二进制"),
        ("a.txt", bytes(range(128, 256)) * 8, "UTF-8"),
        ("a.txt", "Größe café naïve über Straße élan".encode("latin-1"), "UTF-8"),
        ("a.txt", ("积极稳妥推进碳达峰碳中和,建设美丽家园。" * 9).encode()[:-4] + "。".encode(), "UTF-8"),
        ("a.pdf", b"%PDF-1.7", "损坏"),
        ("a.pdf", b"", "空文件"),
        ("a.pdf", b"no pdf at all", "不是 PDF"),
        ("a.docx", b"no docx at all", "不是 DOCX"),
        ("a.txt", b"%PDF-1.7 and more", "改为 .pdf"),
        ("a.md", b"PK\x03\x04 and more", "改为 .docx"),
        ("a.txt", b"<!DOCTYPE html><p>x</p>", "改为 .html"),
        ("a.docx", b"%PDF-1.7 and more", "改为 .pdf"),
        ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "密码"),
        ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 9, "Word 97"),
        ("a.pdf", b"\x89PNG\r\n", "PNG"),
        ("a.doc", b"text", "不支持"),
        ("a", b"text", "不支持"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_reason(tmp_path: Path, name: str, data: bytes, reason: str) -> None:
    with pytest.raises(SourceUnreadable) as caught:
        read_document(write(tmp_path, name, data))
    assert name in str(caught.value)
    assert reason in str(caught.value)


def test_traditional_characters_in_gb18030_are_text_too(tmp_path: Path) -> None:
    text = "環境保護與綠色發展報告,積極推動節能減碳。\n"
    assert read_document(write(tmp_path, "a.txt", text.encode("gb18030"))).text == text


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match=r"nowhere\.txt"):
        read_document(tmp_path / "nowhere.txt")


def test_a_source_is_named_by_its_path_below_the_corpus(tmp_path: Path) -> None:
    path = write(tmp_path, "2021/a.md", TEXT.encode())
    assert read_document(path, root=tmp_path).source == "2021/a.md"
    assert read_document(path).source == "a.md"
    assert read_document(path).media is Media.MARKDOWN


def test_folders_are_walked_in_order_without_hidden_and_foreign_files(tmp_path: Path) -> None:
    for name in ("b.txt", "a.html", "c/d.md", "c/e.HTM", ".hidden.txt", ".git/f.txt", "g.jpg", "sources.toml"):
        write(tmp_path, name, b"x")
    found = find_sources([tmp_path])
    assert [path.relative_to(root).as_posix() for path, root in found] == ["a.html", "b.txt", "c/d.md", "c/e.HTM"]


def test_a_file_named_twice_is_found_once_and_a_wrong_name_stops(tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt", b"x")
    assert find_sources([path, tmp_path, path]) == [(path, tmp_path)]
    for wrong in (tmp_path / "b.txt", write(tmp_path, "c.jpg", b"x")):
        with pytest.raises(SourceUnreadable, match=wrong.name):
            find_sources([path, wrong])


@pytest.mark.parametrize(
    ("name", "text", "title"),
    [
        ("a.txt", "首页 新闻 财经 视频 教育\n\n某市试点城市成绩单公布\n\n来源:某报\n\n试点全面展开。\n", "某市试点城市成绩单公布"),
        ("a.txt", "导言\n\n近期各地公布了报告,本文加以整理,供读者参考使用。\n", "a"),
        ("a.txt", "今年以来,试点工作全面展开。\n", "a"),
        ("a.md", "正文在前。\n\n# 年度*公报*摘要\n", "年度公报摘要"),
        ("a.md", "---\ntitle: \"能源公报\"\n---\n\n正文。\n", "能源公报"),
        ("a.html", "<title>水利工作要点 - 某网</title><p>正文。</p>", "水利工作要点"),
        ("a.html", "<title>某网</title><h1>水利工作要点</h1><p>正文。</p>", "水利工作要点"),
    ],
)  # fmt: skip
def test_the_title_is_what_looks_like_one(tmp_path: Path, name: str, text: str, title: str) -> None:
    assert read_text(tmp_path, name, text).title == title


@pytest.mark.parametrize(
    ("text", "published"),
    [
        ("标题一则\n\n来源:中国某报    发布时间:2023-08-15 12:19:42\n\n正文。\n", date(2023, 8, 15)),
        ("标题一则\n\n(2022年1月20日在某省人民代表大会上)\n\n正文。\n", date(2022, 1, 20)),
        ("标题一则\n\n2021/3/5\n\n正文。\n", date(2021, 3, 5)),
        ("标题一则\n\n计划在2030年1月1日前建成。\n", None),
        ("标题一则\n\n发布时间:2023-18-45\n\n正文。\n", None),
    ],
)
def test_the_date_is_that_of_publication_only(tmp_path: Path, text: str, published: date | None) -> None:
    assert read_text(tmp_path, "a.txt", text).published == published


def test_the_publisher_stands_in_the_byline_and_not_in_a_sentence(tmp_path: Path) -> None:
    assert read_text(tmp_path, "a.txt", "标题一则\n\n来源:中国某报\n\n正文。\n").publisher == "中国某报"
    assert read_text(tmp_path, "a.txt", "标题一则\n\n资金来源:各级财政。\n").publisher is None


def test_facts_win_over_what_the_text_says(tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt", "标题一则\n\n来源:某报 发布时间:2023-08-15\n\n正文。\n".encode())
    document = read_document(path, facts=SourceFacts("题", "社", date(2020, 1, 1)))
    assert (document.title, document.publisher, document.published) == ("题", "社", date(2020, 1, 1))
