"""PDF and Word files for tests, made of the bytes that their formats ask for: what stands where is known exactly."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

PAGE = (595, 842)  # A4, points
_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


@dataclass(frozen=True)
class Put:
    """A stretch of text on a page: from the left and from the upper edge."""

    text: str
    x: float = 90
    y: float = 100
    size: float = 12


def is_chinese(text: str) -> bool:
    return any(c > "\u2e80" for c in text)


def set_lines(lines: Iterable[str], *, x: float = 90, y: float = 100, size: float = 12, step: float = 20) -> list[Put]:
    """Put lines under each other; a line that begins with 　 is indented by two characters."""
    return [
        Put(line.lstrip("　"), x + (2 * size if line.startswith("　") else 0), y + step * n, size)
        for n, line in enumerate(lines)
    ]


def make_pdf(
    pages: Sequence[Sequence[Put]], *, pictured: bool = False, encrypted: bool = False, content: bytes | None = None
) -> bytes:
    """Make a PDF; Chinese in a font that is not embedded, whose characters only its character map names."""
    objects: list[bytes] = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H /DescendantFonts [5 0 R] >>",
        b"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /FontDescriptor 6 0 R /DW 1000"
        b" /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 2 >> >>",
        b"<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [-25 -254 1000 880] /ItalicAngle 0"
        b" /Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>",
        _stream(
            b"\x80" * 300,
            b"/Type /XObject /Subtype /Image /Width 10 /Height 10 /ColorSpace /DeviceRGB /BitsPerComponent 8",
        ),
    ]
    kids = []
    for page in pages:
        body = b"".join(_draw(put) for put in page) + (b"q 500 0 0 700 40 60 cm /Im1 Do Q\n" if pictured else b"")
        objects.append(content if content is not None else _stream(body))
        kids.append(len(objects) + 1)
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents %d 0 R /Resources << /Font << /F1 3 0 R /F2 4 0 R >>"
            b" /XObject << /Im1 7 0 R >> >> >>" % (*PAGE, len(objects))
        )
    objects[1] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(b"%d 0 R" % k for k in kids), len(kids))
    return _write_objects(objects, encrypted=encrypted)


def _stream(body: bytes, more: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(body), more, body)


def make_flate_bomb(size: int) -> bytes:
    """Make the content of a page that is ``size`` bytes when unpacked, twice packed, and draws one character a line."""
    line = b"BT /F1 12 Tf 90 700 Td (a) Tj ET\n"
    packer = zlib.compressobj(9)
    once = [packer.compress(line * 1000) for _ in range(size // (len(line) * 1000))]
    packed = zlib.compress(b"".join(once) + packer.flush(), 9)
    return _stream(packed, b"/Filter [/FlateDecode /FlateDecode]")


def _draw(put: Put) -> bytes:
    if is_chinese(put.text):
        font, shown = b"F2", b"<" + put.text.encode("utf-16-be").hex().encode() + b">"
    else:
        raw = put.text.encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
        font, shown = b"F1", b"(" + raw + b")"
    return b"BT /%s %g Tf %g %g Td %s Tj ET\n" % (font, put.size, put.x, PAGE[1] - put.y, shown)


def _write_objects(objects: Sequence[bytes], *, encrypted: bool) -> bytes:
    out = bytearray(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    lock = b"/Encrypt << /Filter /Standard /V 1 /R 2 /O <%s> /U <%s> /P -4 >> /ID [<00> <00>]" % (
        b"ab" * 32,
        b"cd" * 32,
    )
    out += b"trailer << /Size %d /Root 1 0 R %s >>\n" % (len(objects) + 1, lock if encrypted else b"")
    return bytes(out + b"startxref\n%d\n%%%%EOF\n" % start)


def paragraph(text: str, style: str = "", more: str = "") -> str:
    """Write a paragraph of a Word file."""
    named = f'<w:pStyle w:val="{style}"/>' if style else ""
    return f"<w:p><w:pPr>{named}{more}</w:pPr>{run(text)}</w:p>"


def run(text: str, properties: str = "") -> str:
    """Write a run of a paragraph."""
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{escape(text)}</w:t></w:r>'


def table(*rows: Sequence[str]) -> str:
    """Write a table; a cell that begins with < is written as it is."""
    written = "".join(
        "<w:tr>" + "".join(c if c.startswith("<") else f"<w:tc>{paragraph(c)}</w:tc>" for c in row) + "</w:tr>"
        for row in rows
    )
    return f"<w:tbl>{written}</w:tbl>"


STYLES = f"""<w:styles xmlns:w="{_W}">
<w:style w:styleId="1"><w:name w:val="heading 1"/></w:style>
<w:style w:styleId="2"><w:name w:val="heading 2"/></w:style>
<w:style w:styleId="mine"><w:name w:val="Mine"/><w:basedOn w:val="2"/></w:style>
<w:style w:styleId="toc"><w:name w:val="toc 1"/></w:style>
<w:style w:styleId="a"><w:name w:val="Title"/></w:style></w:styles>"""


def make_docx(body: str, *, parts: Mapping[str, str | bytes] | None = None, document: str | None = None) -> bytes:
    """Make a Word file around the body of its document; ``parts`` are put in besides."""
    whole = document or (
        f'<?xml version="1.0" encoding="UTF-8"?><w:document xmlns:w="{_W}" xmlns:mc='
        f'"http://schemas.openxmlformats.org/markup-compatibility/2006"><w:body>{body}</w:body></w:document>'
    )
    relations = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
        'Target="word/document.xml"/></Relationships>'
    )
    entries: dict[str, str | bytes] = {"_rels/.rels": relations, "word/styles.xml": STYLES, "word/document.xml": whole}
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in (entries | dict(parts or {})).items():
            package.writestr(name, content)
    return held.getvalue()
