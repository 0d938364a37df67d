"""A Word file -> its text, one paragraph a line: headings with their levels, tables row by row, notes at the end.

Read with the parser of the standard library, piece by piece and without a tree: python-docx passes over what stands in
content controls and in tracked insertions without a word, and a passage that is silently missing is refused later as
"not in the documents". A document type declaration is refused before it is read, so no entity can grow.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from xml.parsers import expat

from vectorstore.errors import SourceUnreadable
from vectorstore.markup_extracted import Paragraph, write_extracted

LARGEST_UNPACKED = 200 * 1024 * 1024
MOST_ENTRIES = 2_000
HIGHEST_RATIO = 100  # unpacked to packed; Word's own files stay below 30
_SMALL = 1024 * 1024  # unpacked bytes that are no bomb at any ratio
_STEP = 1 << 16
_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main "
_STRICT = "http://purl.oclc.org/ooxml/wordprocessingml/main "
_FALLBACK = "http://schemas.openxmlformats.org/markup-compatibility/2006 Fallback"
_HEADING = re.compile(r"(?:heading|标题) ?([1-9])", re.IGNORECASE)
_CONTENTS = re.compile(r"(?:toc|目录) ?\d", re.IGNORECASE)
_ENCRYPTED = 0x1
_DAMAGED = (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, NotImplementedError, expat.ExpatError)
_FORMULA = "http://schemas.openxmlformats.org/officeDocument/2006/math "
_OFF = ("0", "false", "off", "none")
_SKIPPED = {"del", "moveFrom", "instrText", "delText", "delInstrText", "rt"}  # not, or no longer, part of the text

Attributes = dict[str, str]


def extract_docx(data: bytes, name: str) -> str:
    """Take the text out of a Word file.

    Raises:
        SourceUnreadable: it is damaged, encrypted, no Word file, too large when unpacked, or has no text.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            _check_package(package, len(data), name)
            text = write_extracted(_read_package(package, name))
    except _Declared as error:
        raise SourceUnreadable(
            f"{name}：含有文档类型声明（DTD），可能是实体炸弹，没有读取。 "
            "It declares a document type, as entity bombs do; it was not read."
        ) from error
    except _DAMAGED as error:
        raise SourceUnreadable(
            f"{name}：文件已损坏，无法读取（{error}），请重新导出。 The file is damaged: export it again."
        ) from error
    if not text:
        raise SourceUnreadable(f"{name}：文件里没有文字。 There is no text in it.")
    return text


def _check_package(package: zipfile.ZipFile, packed: int, name: str) -> None:
    entries = package.infolist()
    unpacked = sum(entry.file_size for entry in entries)
    if len(entries) > MOST_ENTRIES:
        raise SourceUnreadable(
            f"{name}：压缩包里有 {len(entries)} 个文件，上限是 {MOST_ENTRIES}。 "
            f"It holds {len(entries)} entries, the limit is {MOST_ENTRIES}."
        )
    if unpacked > LARGEST_UNPACKED or (unpacked > _SMALL and unpacked > HIGHEST_RATIO * packed):
        raise SourceUnreadable(
            f"{name}：解压后有 {unpacked // 2**20} MB，超过上限（{LARGEST_UNPACKED // 2**20} MB，且不超过原大小的"
            f" {HIGHEST_RATIO} 倍）。 Unpacked it has {unpacked // 2**20} MB, which is more than may be."
        )
    if any(entry.flag_bits & _ENCRYPTED for entry in entries):
        raise SourceUnreadable(f"{name}：有密码保护，请去掉密码后再添加。 It is protected by a password: remove that.")


def _read_package(package: zipfile.ZipFile, name: str) -> Iterator[Paragraph]:
    names = set(package.namelist())
    main = _find_main(package, names)
    if main is None:
        raise SourceUnreadable(
            f"{name}：不是 Word 文档（.docx），请核对文件类型。 It is no Word document: check its type."
        )
    folder = posixpath.dirname(main)
    styles = _Styles()
    if f"{folder}/styles.xml" in names:
        _feed(package, f"{folder}/styles.xml", styles.start, styles.end, _ignore)
    for part in (main, f"{folder}/footnotes.xml", f"{folder}/endnotes.xml"):
        if part in names:
            body = _Body(styles.levels())
            _feed(package, part, body.start, body.end, body.write)
            yield from body.paragraphs


def _find_main(package: zipfile.ZipFile, names: set[str]) -> str | None:
    """Find the part that holds the document; the package says which."""
    found: list[str] = []

    def start(tag: str, attributes: Attributes) -> None:
        if tag.endswith("Relationship") and attributes.get("Type", "").endswith("/officeDocument"):
            found.append(posixpath.normpath(attributes.get("Target", "")).lstrip("/"))

    if "_rels/.rels" in names:
        _feed(package, "_rels/.rels", start, _ignore, _ignore)
    main = found[0] if found else "word/document.xml"
    return main if main in names and main.startswith("word/") else None


def _ignore(*_: object) -> None:
    pass


def _feed(
    package: zipfile.ZipFile,
    part: str,
    start: Callable[[str, Attributes], None],
    end: Callable[[str], None],
    characters: Callable[[str], None],
) -> None:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = lambda tag, attributes: start(
        _local(tag), {_local(k): v for k, v in attributes.items()}
    )
    parser.EndElementHandler = lambda tag: end(_local(tag))
    parser.CharacterDataHandler = characters
    parser.StartDoctypeDeclHandler = _refuse_doctype
    with package.open(part) as stream:
        while piece := stream.read(_STEP):
            parser.Parse(piece, False)
        parser.Parse(b"", True)


class _Declared(Exception):
    """A part declares a document type, which Word never does and entity bombs do."""


def _refuse_doctype(*_: object) -> None:
    raise _Declared


def _local(tag: str) -> str:
    return "t" if tag == _FORMULA + "t" else tag.removeprefix(_W).removeprefix(_STRICT)


@dataclass(slots=True)
class _Styles:
    """The levels of headings that the styles of a document stand for; -1 is a line of a table of contents."""

    own: dict[str, int] = field(default_factory=dict)
    based: dict[str, str] = field(default_factory=dict)
    _current: str = ""

    def start(self, tag: str, attributes: Attributes) -> None:
        if tag == "style":
            self._current = attributes.get("styleId", "")
        elif tag == "name":
            self._name(attributes.get("val", ""))
        elif tag == "basedOn":
            self.based[self._current] = attributes.get("val", "")
        elif tag == "outlineLvl":
            self.own.setdefault(self._current, _outline(attributes))

    def _name(self, name: str) -> None:
        heading = _HEADING.fullmatch(name)
        if heading:
            self.own[self._current] = int(heading[1])
        elif name.lower() in ("title", "标题"):
            self.own[self._current] = 1
        elif _CONTENTS.fullmatch(name):
            self.own[self._current] = -1

    def end(self, tag: str) -> None:
        if tag == "style":
            self._current = ""

    def levels(self) -> dict[str, int]:
        """Give the level of every style, its own or that of a style it is based on."""
        return {style: self._level(style) for style in {*self.own, *self.based}}

    def _level(self, style: str) -> int:
        seen: set[str] = set()
        while style not in self.own and style in self.based and style not in seen:
            seen.add(style)
            style = self.based[style]
        return self.own.get(style, 0)


def _outline(attributes: Attributes) -> int:
    value = attributes.get("val", "")
    return int(value) + 1 if value.isdigit() and int(value) < 9 else 0


@dataclass(slots=True)
class _Open:
    """A paragraph that is being read."""

    text: list[str] = field(default_factory=list)
    level: int = 0
    item: bool = False


@dataclass(slots=True)
class _Cell:
    """A cell of a table that is being read."""

    paragraphs: list[Paragraph] = field(default_factory=list)
    span: int = 1
    goes_on: bool = False  # merged with the cell above


@dataclass(slots=True)
class _Table:
    """A table that is being read, and what stood in each column of the row before."""

    cells: list[_Cell] = field(default_factory=list)
    above: dict[int, str] = field(default_factory=dict)


class _Body:
    """Elements of a document -> its paragraphs."""

    def __init__(self, levels: dict[str, int]) -> None:
        self.paragraphs: list[Paragraph] = []
        self._levels = levels
        self._open: list[_Open] = []
        self._tables: list[_Table] = []
        self._skipped = 0  # how deep inside what is passed over
        self._inside_text = self._hidden = self._of_separator = False

    def start(self, tag: str, attributes: Attributes) -> None:
        """An element begins."""
        if self._skipped or tag in _SKIPPED or tag == _FALLBACK:
            self._skipped += 1
        elif tag == "p":
            self._open.append(_Open())
        elif tag == "tbl":
            self._tables.append(_Table())
        elif self._tables and tag in ("tr", "tc", "gridSpan", "vMerge"):
            self._start_in_table(tag, attributes)
        elif self._open:
            self._start_in_paragraph(tag, attributes)
        if tag in ("footnote", "endnote"):
            self._of_separator = "type" in attributes

    def _start_in_table(self, tag: str, attributes: Attributes) -> None:
        table = self._tables[-1]
        if tag == "tr":
            table.cells = []
        elif tag == "tc":
            table.cells.append(_Cell())
        elif table.cells and tag == "gridSpan" and attributes.get("val", "").isdigit():
            table.cells[-1].span = min(int(attributes["val"]), 100)
        elif table.cells and tag == "vMerge":
            table.cells[-1].goes_on = attributes.get("val", "continue") == "continue"

    def _start_in_paragraph(self, tag: str, attributes: Attributes) -> None:
        paragraph = self._open[-1]
        if tag == "pStyle":
            paragraph.level = self._levels.get(attributes.get("val", ""), 0)
        elif tag == "outlineLvl":
            paragraph.level = _outline(attributes) or paragraph.level
        elif tag == "numPr":
            paragraph.item = True
        elif tag == "r":
            self._hidden = False
        elif tag == "vanish":
            self._hidden = attributes.get("val", "true") not in _OFF
        elif tag == "t":
            self._inside_text = True
        elif tag in ("tab", "ptab", "br", "cr"):
            paragraph.text.append("\n" if tag in ("br", "cr") else " ")
        elif tag == "noBreakHyphen":
            paragraph.text.append("-")

    def write(self, text: str) -> None:
        """Take characters, where they are text that a reader of the document sees."""
        if self._inside_text and not self._skipped and not self._hidden and self._open:
            self._open[-1].text.append(text)

    def end(self, tag: str) -> None:
        """An element ends."""
        if self._skipped:
            self._skipped -= 1
        elif tag == "t":
            self._inside_text = False
        elif tag == "p" and self._open:
            self._finish_paragraph(self._open.pop())
        elif tag == "tr" and self._tables:
            self._finish_row(self._tables[-1])
        elif tag == "tbl" and self._tables:
            self._tables.pop()

    def _finish_paragraph(self, read: _Open) -> None:
        text = _without_breaks("".join(read.text))
        if self._of_separator or not text.strip():
            return
        self._put(
            Paragraph((text,), level=max(read.level, 0), item=read.item and not read.level, page=read.level < 0),
            self._tables,
        )

    def _put(self, paragraph: Paragraph, tables: Sequence[_Table]) -> None:
        """Add a paragraph to the innermost cell that is open, or to the document."""
        cell = next((table.cells[-1] for table in reversed(tables) if table.cells), None)
        (cell.paragraphs if cell else self.paragraphs).append(paragraph)

    def _finish_row(self, table: _Table) -> None:
        """Write a row as one line; a cell merged with the one above says again what that says, so that a row is whole."""
        cells, table.cells = table.cells, []
        texts: list[str] = []
        column = 0
        for cell in cells:
            text = " ".join(" ".join(p.cells) for p in cell.paragraphs)
            if cell.goes_on and not text.strip():
                text = table.above.get(column, "")
            table.above[column] = text
            texts.append(text)
            column += cell.span
        filled = [cell for cell in cells if cell.paragraphs]
        if len(filled) == 1 and sum(bool(text.strip()) for text in texts) == 1:
            for paragraph in filled[0].paragraphs:  # a frame around text rather than a table
                self._put(paragraph, self._tables[:-1])
        elif any(text.strip() for text in texts):
            self._put(Paragraph(tuple(texts)), self._tables[:-1])


_BREAK = re.compile(r"\s*\n\s*")


def _without_breaks(text: str) -> str:
    """Join what was broken inside a paragraph: without a space between two Chinese characters."""

    def join(match: re.Match[str]) -> str:
        before, after = text[: match.start()][-1:], text[match.end() :][:1]
        return "" if before > "\u2e80" and after > "\u2e80" else " "

    return _BREAK.sub(join, text)
