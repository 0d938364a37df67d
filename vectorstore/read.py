"""Paths -> ``Document``: finds the files of a corpus, decodes them, and reads title, publisher and date.

The text is the file decoded and otherwise untouched: line breaks stay what they are, only a byte order mark is dropped.
Of a PDF or a Word file it is what was taken out of it (``markup_extracted``); ``confine`` does that in a process of its own.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from vectorstore.boilerplate import find_boilerplate
from vectorstore.errors import SourceUnreadable
from vectorstore.kinds import EXTRACTED, MEDIA, check_kind
from vectorstore.layout import read_layout
from vectorstore.markup import Layout
from vectorstore.normalize import normalize
from vectorstore.title import find_title
from vectorstore.types import Document, Media, SourceFacts

_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_PLAUSIBLE = 0.98  # share of characters that Chinese or English text is made of; noise read as GB18030 has about 0.7
_FREQUENT = (
    0.7  # share of Chinese characters from the first level of GB 2312; text has over 0.9, damaged text about 0.3
)
_SAMPLE = 4000  # characters that are looked at for it
_TOP = 15  # blocks: where the date and the publisher of a page stand, or as many from its end
_DATE = r"((?:19|20)\d{2})\s*[-/年.]\s*(\d{1,2})\s*[-/月.]\s*(\d{1,2})"
_DATED = (
    re.compile(r"(?:发布时间|发布日期|发文日期|成文日期|发表时间|时间|日期)\s*:\s*" + _DATE),
    re.compile(r"^[(]?\s*" + _DATE + r"日?"),
    # 来源：某某网 2026-02-11 08:36 记者 …
    re.compile(
        r"^(?=.{0,60}(?:来源|稿源|作者|记者|编辑|原创|发布))[^。，,]{0,60}?(?<![\d〔])"
        + _DATE
        + r"日?(?!\d)[^。，,]{0,60}$"
    ),
)
_STEP = re.compile("(?:通过|批准|修订|修正|修改|公布)(?:[的,，。)）]|$)")  # of a law, on lines of their own
_META_DATE = re.compile(r"(?:date|time|publish)[^:]*: *" + _DATE)
_PUBLISHER = re.compile(r"(?:来源|稿源|信息来源|文章来源|发布机构|发文机关)\s*:\s*([^\s:,。;|()《》]{2,30})")


def find_sources(paths: Sequence[Path]) -> list[tuple[Path, Path]]:
    """List the files of a corpus, sorted, each with the folder that its name counts from.

    Folders are walked; hidden files and other suffixes in them are passed over.

    Raises:
        SourceUnreadable: a path does not exist, or a named file has a suffix that cannot be read.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        if path.is_dir():
            inside = (p for p in sorted(path.rglob("*")) if p.is_file() and p.suffix.lower() in MEDIA)
            for file in inside:
                if not any(part.startswith(".") for part in file.relative_to(path).parts):
                    found.setdefault(file, path)
        else:
            _check_named(path)
            found.setdefault(path, path.parent)
    return list(found.items())


def read_document(path: Path, *, root: Path | None = None, facts: SourceFacts | None = None) -> Document:
    """Read one file; ``facts`` win over what the text says of its title, publisher and date.

    Raises:
        SourceUnreadable: the file is missing, empty, binary, of another type, or in an unknown encoding.
    """
    _check_named(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceUnreadable(
            f"{path.name}：无法打开（{error.strerror}），请检查文件权限。 Cannot open it: check its permissions."
        ) from error
    media = MEDIA[path.suffix.lower()]
    if not data.strip():
        raise _empty(path.name)
    check_kind(data, media, path.name)
    text = _extract(data, media, path.name) if media in EXTRACTED else _decode(data, path.name)
    document = Document(name_source(path, root), text, media, hashlib.sha256(data).hexdigest(), title="")
    return _describe(document, facts or SourceFacts(), path.stem)


def name_source(path: Path, root: Path | None) -> str:
    """Give the name of a file in its corpus: its path below the folder, with forward slashes."""
    return (path.relative_to(root) if root and path.is_relative_to(root) else Path(path.name)).as_posix()


def _extract(data: bytes, media: Media, name: str) -> str:
    # PDFium is a library of 8 MB, and a corpus may hold no PDF; also, both belong into a confined process.
    if media is Media.PDF:
        from vectorstore.read_pdf import extract_pdf

        return extract_pdf(data, name)
    from vectorstore.read_docx import extract_docx

    return extract_docx(data, name)


def _check_named(path: Path) -> None:
    if not path.exists():
        raise SourceUnreadable(f"{path}：没有这个文件，请检查路径。 There is no such file: check the path.")
    if path.suffix.lower() not in MEDIA:
        raise SourceUnreadable(
            f"{path.name}：不支持“{path.suffix}”格式，请转换为 {'、'.join(MEDIA)}。 "
            f"This type cannot be read: convert it to one of {' '.join(MEDIA)}."
        )


def _decode(data: bytes, name: str) -> str:
    """Decode a file by its byte order mark, as UTF-8, or as GB18030 where that gives plausible text."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _decode_as(data[len(mark) :], encoding, name)
    if b"\x00" in data:
        raise SourceUnreadable(f"{name}：是二进制文件，请另存为文本。 It is a binary file: save it as text.")
    try:
        return _checked(data.decode("utf-8"), name)
    except UnicodeDecodeError:
        text = _decode_as(data, "gb18030", name)
    if not _plausible(text):
        raise _unknown_encoding(name)
    return text


def _decode_as(data: bytes, encoding: str, name: str) -> str:
    try:
        return _checked(data.decode(encoding), name)
    except UnicodeDecodeError as error:
        raise _unknown_encoding(name) from error


def _unknown_encoding(name: str) -> SourceUnreadable:
    return SourceUnreadable(f"{name}：无法识别编码，请转换为 UTF-8。 Its encoding is unknown: convert it to UTF-8.")


def _checked(text: str, name: str) -> str:
    if "\x00" in text:
        raise SourceUnreadable(f"{name}：是二进制文件，请另存为文本。 It is a binary file: save it as text.")
    if not text.strip():
        raise _empty(name)
    return text


def _empty(name: str) -> SourceUnreadable:
    return SourceUnreadable(f"{name}：是空文件，请补上内容或移走。 It is empty: fill it or take it away.")


def _plausible(text: str) -> bool:
    """Whether text decoded as GB18030 is text: a damaged UTF-8 file also decodes, into characters that nobody uses."""
    usual = sum(1 for c in text if c.isspace() or "!" <= c <= "~" or "\u2010" <= c <= "\u33ff" or _common(c))
    han = [c for c in normalize(text[:_SAMPLE]) if "\u4e00" <= c <= "\u9fff"]
    frequent = sum(1 for c in han if b"\xb0" <= c.encode("gb18030")[:1] <= b"\xd7")
    return usual >= _PLAUSIBLE * len(text) and frequent >= _FREQUENT * len(han)


def _common(char: str) -> bool:
    return "\u4e00" <= char <= "\u9fff" or "\uff01" <= char <= "\uffe5" or char in "·×÷±°§"


def _describe(document: Document, facts: SourceFacts, stem: str) -> Document:
    layout = read_layout(document.text, document.media)
    boilerplate = find_boilerplate(document)
    return replace(
        document,
        title=facts.title or find_title(layout, boilerplate) or stem,
        publisher=facts.publisher or _find_publisher(layout),
        published=facts.published or _find_date(layout),
    )


def _edges(layout: Layout) -> list[str]:
    blocks = layout.blocks
    chosen = blocks[:_TOP] if len(blocks) <= 2 * _TOP else blocks[:_TOP] + blocks[-_TOP:]
    return [unicodedata.normalize("NFKC", b.plain) for b in chosen]


def _find_publisher(layout: Layout) -> str | None:
    for line in _edges(layout):
        match = _PUBLISHER.search(line)
        if match and len(line) <= 100 and not line.endswith("。"):
            return match.group(1)
    return None


def _find_date(layout: Layout) -> date | None:
    for fact in layout.metadata:
        if found := _date_of(_META_DATE.search(fact)):
            return found
    lines = _edges(layout)[:_TOP]
    steps = [found for line in lines if _STEP.search(line) and (found := _date_of(_DATED[1].search(line)))]
    if steps:  # a law that was amended is that of its last step
        return max(steps)
    for pattern in _DATED:
        for line in lines:
            if found := _date_of(pattern.search(line)):
                return found
    return None


def _date_of(match: re.Match[str] | None) -> date | None:
    if not match:
        return None
    try:
        return date(int(match.group(1)), int(match.group(2)), int(match.group(3)))
    except ValueError:
        return None
