"""A question and the sentence that is nearest to it in, whether that speaks of another body, country or kind of thing out.

Such a sentence has most of the question's words and not the one that tells it from its like: of a city's share of a fund it gives
the province's total, of the 美国 tariff the 欧盟 one, of 电视机以旧换新 what is said of 汽车以旧换新. Not even as the nearest wording
is it shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from assistant.finding.mismatch import is_end_of_another
from assistant.question.weigh import Searchable, Weighing
from assistant.reading.nearness import find_near
from assistant.types import Question
from vectorstore.issuer import unlisted_place
from vectorstore.normalize import normalize
from vectorstore.types import ParsedDocument, Sentence

_COUNTRIES = {
    name: re.compile(forms)
    for name, forms in (
        ("美国", "美国|美方|[中日欧]美|美[中日欧]"),
        ("欧盟", "欧盟|欧洲|欧方|[中美日]欧|欧[中美日]"),
        ("日本", "日本|日方|[中美欧]日"),
        ("韩国", "韩国|韩方|[中日]韩"),
        ("英国", "英国|英方|[中欧]英"),
        ("德国", "德国|德方|[中法]德"),
        ("法国", "法国|法方|[中德]法"),
        ("俄罗斯", "俄罗斯|俄方|[中]俄"),
        ("印度", "印度(?!尼)|印方|[中]印"),
        ("东盟", "东盟|东南亚"),
        ("加拿大", "加拿大"),
        ("澳大利亚", "澳大利亚|澳洲"),
        ("新加坡", "新加坡|[中]新(?=[^能增建型区])"),
    )
}
_KIND = re.compile("[市县镇乡]")
_STEMS = (4, 3, 2)  # characters of a name before its kind
_NEAR = 0.5  # from where on two words may mean one thing
_COMPOUND = 2  # characters of each half


def speaks_of_another(question: Question, sentence: Sentence, index: Searchable) -> bool:
    """Whether a sentence is of another country, or leaves out the unlisted place that is asked about."""
    return _is_of_another_country(question.focus, sentence.plain) or _leaves_out_place(question, sentence, index)


def is_of_another_compound(question: Question, text: str, weighing: Weighing) -> bool:
    """Whether a text has the end of what is asked for behind another noun only, and the word before it stands in no document."""
    told, focus = normalize(text), normalize(question.focus)
    for term in weighing.terms:
        if term.known or len(term.text) < _COMPOUND or find_near(term.text, told) >= _NEAR:
            continue
        for other in weighing.terms:
            if not other.known or len(other.text) < _COMPOUND or f"{term.text}{other.text}" not in focus:
                continue
            if is_end_of_another(f"{term.text}{other.text}", told):
                return True
    return False


def _is_of_another_country(focus: str, text: str) -> bool:
    asked = {name for name in _COUNTRIES if name in focus}
    told = {name for name, forms in _COUNTRIES.items() if forms.search(text)}
    return bool(asked and told) and not asked & told


def _leaves_out_place(question: Question, sentence: Sentence, index: Searchable) -> bool:
    """Whether neither the sentence, nor its paragraph up to it, nor what it stands under has the place."""
    names = tuple(_find_unlisted(question.focus, index.documents))
    if not names:
        return False
    parsed = next(one for one in index.documents if one.document.source == sentence.source)
    before = [s.plain for s in parsed.sentences if s.paragraph == sentence.paragraph and s.start <= sentence.start]
    section = parsed.sections[sentence.section]
    told = "\n".join((parsed.document.title, section.labels.region or "", *section.headings, *before))
    return not any(name in told for name in names)


def _find_unlisted(focus: str, documents: Sequence[ParsedDocument]) -> Iterator[str]:
    """The names, without their kind, of places in a question that no gazetteer has and the documents know."""
    for match in _KIND.finditer(focus):
        for size in _STEMS:
            stem = focus[max(0, match.start() - size) : match.start()]
            if (
                len(stem) == size
                and unlisted_place(stem + match[0])
                and any(stem in d.document.text for d in documents)
            ):
                yield stem
                break
