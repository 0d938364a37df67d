"""A PDF with text -> that text, one paragraph a line. The only module that imports pypdfium2.

PDFium (the reader of Chrome) knows the character maps of Chinese fonts that are not embedded, and where each character
stands; pypdf gave radicals in the place of characters (⼯ for 工) and broke words at soft hyphens.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator

import pypdfium2
import pypdfium2.raw as pdfium

from vectorstore.errors import SourceUnreadable
from vectorstore.markup_extracted import clean, write_extracted
from vectorstore.paper import Line, Page, has_text, join_pages, without_gaps

MOST_PAGES = 5_000
_TURNED = 0.05  # radians
_CELL_GAP = 1.6  # times the size of the type: columns of a table rather than words
_WORD_GAP = 0.3  # what programs put between Chinese and figures without being asked
_UNREADABLE = 0.2  # share of characters that no character map leads to
_HYPHEN = 2  # what PDFium gives for a hyphen at the end of a line
_FORMAT = {pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY}


def extract_pdf(data: bytes, name: str) -> str:
    """Take the text out of a PDF.

    Raises:
        SourceUnreadable: it is damaged, encrypted, scanned, has too many pages, or fonts without characters.
    """
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if pdfium.FPDF_GetLastError() in _FORMAT or "assword" in str(error):
            raise SourceUnreadable(
                f"{name}：有密码保护，请去掉密码后再添加。 It is protected by a password: remove that and add it again."
            ) from error
        raise SourceUnreadable(
            f"{name}：PDF 已损坏，无法读取，请重新导出。 The PDF is damaged: export it again."
        ) from error
    try:
        if len(document) > MOST_PAGES:
            raise SourceUnreadable(
                f"{name}：有 {len(document)} 页，上限是 {MOST_PAGES} 页，请拆分。 "
                f"It has {len(document)} pages, the limit is {MOST_PAGES}: split it."
            )
        pages = [_read_page(document, number) for number in range(len(document))]
    finally:
        document.close()
    paragraphs = join_pages(pages)
    if not has_text(paragraphs):
        raise _without_text(name, pictured=any(page.pictured for page in pages))
    _check_readable("".join(line.text for page in pages for line in page.lines), name)
    return write_extracted(paragraphs)


def _without_text(name: str, *, pictured: bool) -> SourceUnreadable:
    if pictured:
        return SourceUnreadable(
            f"{name}：是扫描件，没有文字层，请先做文字识别（OCR）。 It was scanned and holds no text: run OCR on it first."
        )
    return SourceUnreadable(f"{name}：PDF 里没有文字。 There is no text in this PDF.")


def _check_readable(text: str, name: str) -> None:
    """Refuse fonts that draw characters without saying which: their text would be noise."""
    bad = sum(1 for c in text if c == "\ufffd" or "\ue000" <= c <= "\uf8ff" or (c < " " and c != "\t"))
    if bad > _UNREADABLE * len(text):
        raise SourceUnreadable(
            f"{name}：字体没有字符编码，文字无法还原，请用原文件重新导出。 "
            "Its fonts do not say which characters they draw: export it again from the original."
        )


def _read_page(document: pypdfium2.PdfDocument, number: int) -> Page:
    page = document[number]
    try:
        height = page.get_height()
        text = page.get_textpage()
        try:
            lines = tuple(_read_lines(text.raw, text.count_chars(), height))
        finally:
            text.close()
        pictured = any(page.get_objects(filter=(pdfium.FPDF_PAGEOBJ_IMAGE,), max_depth=3))
        return Page(number + 1, height, lines, pictured)
    finally:
        page.close()


def _read_lines(text: object, count: int, height: float) -> Iterator[Line]:
    begin = 0
    for index in range(count + 1):
        code = pdfium.FPDFText_GetUnicode(text, index) if index < count else 10
        if code in (10, 13, _HYPHEN):  # behind a hyphen PDFium gives no end of the line
            line = _read_line(text, begin, index + (code == _HYPHEN), height)
            if line is not None:
                yield line
            begin = index + 1


def _read_line(text: object, begin: int, end: int, height: float) -> Line | None:
    """Read the characters of one line; where wide gaps lie between them, as between the columns of a table, put a tab."""
    boxes: dict[int, tuple[float, float, float, float]] = {}
    chars: list[str] = []
    gaps: list[int] = []
    for index in range(begin, end):
        code = pdfium.FPDFText_GetUnicode(text, index)
        char = "-" if code == _HYPHEN else chr(code) if code <= 0x10FFFF else "\ufffd"
        if char.isspace() and pdfium.FPDFText_IsGenerated(text, index) == 1:
            gaps.append(index)
        elif not char.isspace():
            boxes[index] = _box(text, index)
        chars.append(" " if char.isspace() else char)
    if not boxes:
        return None
    first, last = min(boxes), max(boxes)
    size = pdfium.FPDFText_GetFontSize(text, first) * _scale(text, first) or 1.0
    for index in gaps:
        chars[index - begin] = _say_gap(chars, index - begin, boxes.get(index - 1), boxes.get(index + 1), size)
    written = "\t".join(clean(cell) for cell in "".join(chars[first - begin : last - begin + 1]).split("\t"))
    top = height - max(box[3] for box in boxes.values())
    bottom = height - min(box[1] for box in boxes.values())
    left, right = min(box[0] for box in boxes.values()), max(box[2] for box in boxes.values())
    angle = pdfium.FPDFText_GetCharAngle(text, first)
    upright = not _TURNED < angle < 6.283 - _TURNED
    return without_gaps(Line(written, left, right, top, bottom, size, upright)) if written.strip() else None


def _say_gap(
    chars: list[str], at: int, before: tuple[float, ...] | None, after: tuple[float, ...] | None, size: float
) -> str:
    """Say what an empty place between two characters is: a column, a space, or nothing."""
    if before is None or after is None:
        return " "
    gap = after[0] - before[2]
    if gap > _CELL_GAP * size:
        return "\t"
    chinese = chars[at - 1] > "\u2e80" or chars[at + 1] > "\u2e80"
    return "" if chinese and gap < _WORD_GAP * size else " "


def _box(text: object, index: int) -> tuple[float, float, float, float]:
    """Give left, bottom, right and top of a character, with the room that its line gives it."""
    rect = pdfium.FS_RECTF()
    if not pdfium.FPDFText_GetLooseCharBox(text, index, ctypes.byref(rect)):
        return 0.0, 0.0, 0.0, 0.0
    return rect.left, rect.bottom, rect.right, rect.top


def _scale(text: object, index: int) -> float:
    """Give the factor by which the page enlarges the type."""
    matrix = pdfium.FS_MATRIX()
    if not pdfium.FPDFText_GetMatrix(text, index, ctypes.byref(matrix)):
        return 1.0
    return float((matrix.c**2 + matrix.d**2) ** 0.5)
