"""A cited sentence and the telling words of a question in, the clause to quote and the short answer out; both verbatim.

A quote is a run of whole clauses of the sentence, so that it can be read by itself; of an enumeration it goes from the clause's start,
where the verb stands, to the item that was asked for. A short answer is given only where the clause leaves one choice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from assistant.finding.mismatch import is_of_another_number
from assistant.question.weigh import Weighing
from assistant.reading.clauses import Clause, split_clauses
from assistant.reading.continued import end_of_naming
from assistant.reading.expect import (
    DAY,
    DEADLINE,
    MONTH,
    NAMED,
    OTHER_TIME,
    PERIOD,
    SPAN,
    UNSETTLED,
    WHEN,
    holds_answer,
    unit_fits,
    wants_date,
    wants_deadline,
    wants_label,
)
from assistant.reading.owners import About, find_years, is_named, read_about
from assistant.reading.pairs import Figure, governs, is_of_others, names_them, read_figures, said_of
from assistant.reading.quantities import Measure, Quantity, find_quantities
from assistant.reading.reached import is_under_way
from assistant.reading.rules import end_of_rule
from assistant.reading.stated import name_years, opens_with_year_before
from assistant.types import Asks
from vectorstore.gazetteer import Gazetteer
from vectorstore.issuer import is_own_name
from vectorstore.segment import leading_verb
from vectorstore.tables import is_row
from vectorstore.types import Sentence

_NOTE_BEFORE = re.compile(r"^\s*[（(][^（()）]*(?:牵头|配合|负责|责任单位)[^（()）]*[)）](?=\S)")
_HANGING = re.compile("(?:^|[，,])?(?:在|当|以|从|据|根据|对于|除|随着).*(?:中|里|上|下|时|后|来看|为例|方面)$")
_ROW = 200  # characters; a row of a table is quoted whole
_BOUND_BEFORE = re.compile(
    r"(?:不低于|不少于|不高于|不超过|不多于|不足|不到|(?:不得|不能|不可|不应当?|不准|不许|不宜)?(?:低于|高于|少于|多于|超过)|至少|最多|最高|最低|超|约)$"
)
_BOUND_VERB = re.compile(r"(?:至少|最多|不少于|不超过)(?:应当?|要|须)?[配备建成设有安排完成提供]{1,4}$")  # 至少配备三名
_BOUND_BEHIND = re.compile(r"(?:及?以[上下内]|左右|上下)")
_MOST = re.compile("最[高多低少]|上限|下限|封顶")
_MOST_BEFORE = re.compile(r"(?:最[高多低少]|上限|下限|封顶)[^,，。;；\d]{0,8}$")
_FEW_THINGS, _HOW_MANY = re.compile("[一二两三四五六七八九十]+[个类种项大]$"), re.compile("几|多少(?!$|[?？])|数|哪")
_TOO_LONG = 60  # characters; a quote this long is no longer read
_BOUNDED = re.compile(r"\d[\d.]*[万亿千百]*[\u4e00-\u9fff]{1,4}?以[上下]")
_WHO = re.compile("谁|哪[1一]?个(?:部门|单位|机构|人)|什么(?:部门|单位|机构|人)")
_GOES_ON = re.compile("并(?!网)|且")
_GOES_ON_WHO = re.compile("并(?!网)|且|负责")
_CUT_UNIT = re.compile(r"\d$")  # a figure whose unit is not known ends before it: 30 of 30分钟
# Of a county or company that documents are of: in 在哪个部门办理 it is not what is asked for.
_WHOSE = re.compile(
    r"哪[1一]?[个家座所]?(?:省|市|县|区|镇|乡|州|城市|地区|地方|集团|公司|企业|单位|学校|大学)(?!长)|谁"
)


def choose_quote(
    sentence: Sentence,
    weighing: Weighing,
    *,
    whole: int = 0,
    items: bool = False,
    asks: Asks = Asks.OTHER,
    question: str = "",
    about: About | None = None,
) -> str:
    """Choose the shortest run of clauses that holds as much of the question as the whole sentence does.

    Where the sentence speaks of several places or years, the quote names the one that was asked for (``about``, or else what
    the question names), and what is said of the others counts for nothing. A sentence of up to ``whole`` characters is quoted
    as it stands, and with ``items`` an enumeration goes on to its end: a list wants its items, not the one that was named.
    """
    text, about = drop_note(sentence.plain), name_years(about or read_about(question), sentence)
    if len(text) <= max(whole, _ROW if is_row(text) else 0):
        return text.rstrip("。;；")
    clauses = split_clauses(text)
    if len(clauses) < 2 or not weighing.terms:
        return text.rstrip("。;；")
    dated = states_other_year(sentence, about)
    others = _find_others(text, clauses, about, question, dated=dated)
    goal = weighing.coverage(_leave_out(text, clauses, others))
    bounds = [
        bound for bound in (*_BOUNDED.findall(question), *_MOST.findall(question)) if bound in text
    ]  # 500万元以下 is not what is said of 500万元以上
    best: tuple[float, int, int, int] | None = None
    for i in range(len(clauses)):
        first = _clause_start(clauses, i)
        for j in range(i, len(clauses)):
            if (
                others[j]
                or (dated and others[first])
                or not names_them(text, clauses[first].start, clauses[j].end, about)
                or any(bound not in text[clauses[first].start : clauses[j].end] for bound in bounds)
            ):
                continue
            piece = text[clauses[first].start : clauses[j].end]
            said = _leave_out(text, clauses[first : j + 1], others[first : j + 1])
            held = weighing.coverage(said)
            # A longer quote has to earn its length: a tenth of the question for twenty-five characters, then faster.
            fits = 0.3 if _holds(asks, said, question) else 0.0
            worth = held + fits - 0.004 * len(piece) - 0.01 * max(0, len(piece) - _TOO_LONG)
            if best is None or worth > best[0] + 1e-9:
                best = (worth, len(piece), first, j)
            if held >= goal - 1e-9 and fits:
                break
    if best is None:
        return text.rstrip("。;；")
    first, last = _begin_whole(clauses, others, best[2], question), best[3]
    while (whole or items) and last + 1 < len(clauses) and not clauses[last + 1].opens:
        last += 1  # the rest of the enumeration
    last = end_of_rule(clauses, first, _end_of_row(text, clauses, last))
    if asks not in (Asks.QUANTITY, Asks.YEAR):
        last = end_of_naming(clauses, last)
    while last + 1 < len(clauses) and _HANGING.search(clauses[last].text) and not others[last + 1]:
        last += 1  # 在…规划中 says where something stands, and not yet what
    return text[clauses[first].start : clauses[last].end].strip()


def _holds(asks: Asks, said: str, question: str) -> bool:
    """Whether a run of clauses holds what is asked for, and a figure in the measure of that: 多少电 is told in no money."""
    return holds_answer(asks, said, question) and (asks is not Asks.QUANTITY or unit_fits(said, question))


def drop_note(text: str) -> str:
    """Leave out (…牵头,…配合) behind the paragraph before: it is said of that paragraph, and not of what follows."""
    return _NOTE_BEFORE.sub("", text)


def _find_others(text: str, clauses: Sequence[Clause], about: About, question: str, *, dated: bool) -> list[bool]:
    """Which clauses speak of other places, years or numbered things."""
    return [
        is_of_others(text, clause, about)
        or (dated and not governs(about.years, text, clause))
        or is_of_another_number(question, clause.text)
        for clause in clauses
    ]


def _begin_whole(clauses: Sequence[Clause], others: Sequence[bool], first: int, question: str) -> int:
    """Go back to the condition that a clause goes on from (满三年,并符合…的), and to who does it, where that is asked for."""
    wanted = _GOES_ON_WHO if _WHO.search(question) else _GOES_ON
    while first > 0 and wanted.match(clauses[first].text) and not others[first - 1]:
        first -= 1
    return first - (first > 0 and opens_with_year_before(clauses[first].text))  # 上年为66.5% says not of what


def states_other_year(sentence: Sentence, about: About) -> bool:
    """Whether a sentence is of the asked year by its own words alone: what it says without naming that is of its section's year."""
    year = sentence.labels.year
    return year is not None and str(year) not in about.years and is_named(about.years, find_years(sentence.plain))


def _end_of_row(text: str, clauses: Sequence[Clause], last: int) -> int:
    """A row of figures (分别为8、6、7) is quoted to its end: half of it would give the figure of one thing to another."""
    clause, told = clauses[last], [figure for figure in read_figures(text) if figure.row is not None]
    rows = {figure.row for figure in told if clause.start <= figure.quantity.start < clause.end}
    end = max((figure.end for figure in told if figure.row in rows), default=0)
    return max([last, *(n for n, other in enumerate(clauses) if other.start < end)])


def _leave_out(text: str, clauses: Sequence[Clause], others: Sequence[bool]) -> str:
    """A run of clauses without those that speak of others."""
    if not any(others):
        return text[clauses[0].start : clauses[-1].end]
    return ",".join(clause.text for clause, other in zip(clauses, others, strict=True) if not other)


def _clause_start(clauses: tuple[Clause, ...], position: int) -> int:
    """Go back to where the clause of an enumeration's item starts, unless that makes the quote too long to read."""
    first = position
    while first > 0 and not clauses[first].opens:
        first -= 1
    return first if clauses[position].end - clauses[first].start <= _TOO_LONG else position


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of whole clauses and how much it says."""

    start: int
    text: str
    worth: float


def cut_pieces(sentence: Sentence, weighing: Weighing, limit: int = _TOO_LONG) -> tuple[Piece, ...]:
    """Cut a sentence into runs of whole clauses of at most ``limit`` characters, each rated by what it says.

    Figures, names in quotation marks and the question's words count. A single clause may be longer than the limit.
    """
    pieces: list[Piece] = []
    text, clauses = sentence.plain, split_clauses(sentence.plain)
    first = 0
    while first < len(clauses):
        last = first
        while last + 1 < len(clauses) and clauses[last + 1].end - clauses[first].start <= limit:
            last += 1
        # Better to stop before an enumeration than in the middle of it.
        stop = last
        while stop > first and stop + 1 < len(clauses) and not clauses[stop + 1].opens:
            stop -= 1
        last = stop if stop > first or clauses[first].opens else last
        piece = text[clauses[first].start : clauses[last].end].strip()
        said = len(find_quantities(piece)) + len(NAMED.findall(piece)) + 2 * weighing.coverage(piece)
        pieces.append(Piece(clauses[first].start, piece, said + 0.02 * len(piece)))
        first = last + 1
    return tuple(pieces)


def open_piece(sentence: Sentence, piece: Piece) -> str:
    """A piece from where its clause opens: without its first items an enumeration is another."""
    clauses = split_clauses(sentence.plain)
    first = next((n for n, clause in enumerate(clauses) if clause.start == piece.start), 0)
    while first > 0 and not clauses[first].opens:
        first -= 1
    return sentence.plain[clauses[first].start : piece.start] + piece.text


def most_telling(sentence: Sentence, weighing: Weighing, about: About | None = None) -> str:
    """The run of clauses of a sentence that says most; of one that speaks of several places, one that names the asked one."""
    pieces, about = cut_pieces(sentence, weighing), about or About()
    naming = [p for p in pieces if names_them(sentence.plain, p.start, p.start + len(p.text), about)]
    if pieces and not naming:
        return choose_quote(sentence, weighing, about=about)
    return max(naming, key=lambda piece: piece.worth).text if naming else sentence.plain


def short_answer(
    asks: Asks, sentence: Sentence, quote: str, weighing: Weighing, question: str = "", about: About | None = None
) -> str | None:
    """Find the short answer in a quote, or nothing where there is more than one candidate."""
    about = name_years(about or read_about(question), sentence)
    if asks is Asks.QUANTITY and is_row(sentence.plain) and _states_several(sentence.plain):
        return None  # which of the figures in a row of a table is meant the head of its column says, and the question may not
    if asks is Asks.QUANTITY:
        return _only_quantity(sentence, quote, weighing, question, about)
    if asks is Asks.REGION and (not is_own_name(sentence.labels.region) or _WHOSE.search(question)):
        found = _only_region(sentence)
        return None if found and found in question else found  # 浙江在哪三地: not 浙江
    if asks is Asks.NAME:
        names = [m[0] for m in NAMED.finditer(quote)]
        return names[0] if len(set(names)) == 1 else None
    if asks is Asks.YEAR:
        return _only_year(sentence, _drop_other_numbers(quote, question), question)
    return None


def _drop_other_numbers(quote: str, question: str) -> str:
    """A quote without its clauses on other numbered things: when 1号站 is built says nothing of 2号站."""
    clauses = split_clauses(quote)
    kept = [clause.text for clause in clauses if not is_of_another_number(question, clause.text)]
    return ",".join(kept) if len(kept) < len(clauses) else quote


def _states_several(text: str) -> bool:
    return sum(quantity.measure is Measure.QUANTITY for quantity in find_quantities(text)) > 1


def _only_quantity(sentence: Sentence, quote: str, weighing: Weighing, question: str, about: About) -> str | None:
    """The quantity of the one item that fits the question best; none where that is not sure.

    It is one that is said of the place and the year that were asked for. An item of an enumeration shares the verb of its first
    one. What the item lacks of the question's words must not stand behind it, where it belongs to another figure.
    """
    text, offset = (sentence.plain, sentence.plain.find(quote)) if quote in sentence.plain else (quote, 0)
    figures = [
        figure
        for figure in read_figures(text)
        if offset <= figure.quantity.start < offset + len(quote) and said_of(text, figure, about)
    ]
    stated = find_quantities(question)  # 三年 of 三年换了几任 is not what is asked for
    figures = [figure for figure in figures if not any(figure.quantity.equals(one) for one in stated)]
    if states_other_year(sentence, about):
        figures = [figure for figure in figures if is_named(about.years, figure.years or ())]
    if any(_stand_together(one, other) for one, other in pairwise(figures)):
        return None
    rated = [(weighing.coverage(figure.words), figure) for figure in figures]
    fitting = [one for one in rated if unit_fits(one[1].quantity.text, question)]
    most = max((coverage for coverage, _ in fitting), default=0.0)
    leading = [figure for coverage, figure in fitting if coverage == most]
    if most <= 0 or len(leading) != 1 or not leading[0].sure:
        return None
    figure = leading[0]
    if _MOST.search(question) and _MOST.search(text) and not _MOST_BEFORE.search(text[: figure.quantity.start]):
        return None  # of 最高多少 the rate beside it (按5%奖励,最高10万元) says nothing
    if _FEW_THINGS.match(figure.quantity.text) and not _HOW_MANY.search(question):
        return None  # 两个类别 are no amount of what is emitted
    own = weighing.held(figure.words)
    if any(weighing.held(other.words) - own for _, other in rated):
        return None  # of the question's words another figure has some that this one has not: 累计建成企业 beside 累计建成县
    end = figure.end - offset
    held, behind = weighing.held(quote[:end] + leading_verb(quote)), weighing.held(quote[end:])
    if behind - held:
        return None
    return _with_bound(text, figure.quantity)


def _with_bound(text: str, quantity: Quantity) -> str | None:
    """The figure with the word that makes it a bound: 5000人以上, 不少于50个; none that is cut from a unit that is not known."""
    before = _BOUND_BEFORE.search(text[: quantity.start]) or _BOUND_VERB.search(text[: quantity.start])
    after = _BOUND_BEHIND.match(text, quantity.end)
    if after is None and _CUT_UNIT.search(text[: quantity.end]) and text[quantity.end : quantity.end + 1].isalpha():
        return None
    return text[before.start() if before else quantity.start : after.end() if after else quantity.end]


def _stand_together(one: Figure, other: Figure) -> bool:
    """Whether two figures stand in one clause, so that its words do not tell which is meant."""
    return one.end == other.end and one.item == other.item


def _only_region(sentence: Sentence) -> str | None:
    own = [m.place.name for m in Gazetteer.load().find_places(sentence.plain) if m.place.name != m.place.province]
    if sentence.labels.region and not own:
        return sentence.labels.region
    if len(set(own)) == 1 and sentence.labels.region:
        return own[0] if sentence.places == (own[0],) else sentence.labels.region
    return sentence.places[0] if len(sentence.places) == 1 else None


def _only_year(sentence: Sentence, quote: str, question: str) -> str | None:
    """The one year that a quote states; one that it only compares with is none. Else that of the label.

    Until when (最晚哪一年) has to stand in the words, and is given with its 前 or 底前. So has a day or a month, where one is asked
    for. A label is no answer where the words up to the quote's end set another time (到明年底, 今明两年, 三年内): that is the answer.
    """
    if wants_label(question) and sentence.labels.year is not None:
        return f"{sentence.labels.year}年"
    if UNSETTLED.search(quote):
        return None
    exact = dict.fromkeys(DAY.findall(quote) or MONTH.findall(quote))
    if exact and WHEN.search(question) and len({m["until"] or m["by"] for m in DEADLINE.finditer(quote)}) > 1:
        return None
    if wants_date(question) or (WHEN.search(question) and exact):  # 2025年 is less than 2025年12月31日之前
        return next(iter(exact)) if len(exact) == 1 else None
    if (wants_deadline(question) or WHEN.search(question)) and DEADLINE.search(quote):
        until = [m["until"] or m["by"] for m in DEADLINE.finditer(quote)]
        return until[0] if len(set(until)) == 1 else None
    period = dict.fromkeys(m[0] for m in PERIOD.finditer(quote))
    if WHEN.search(question) and period and not any(one in question for one in period):
        return next(iter(period)) if len(period) == 1 and not find_years(quote) else None
    named = {one.name for owners in find_years(quote) for one in owners.members}
    stated = [name for name in named if name.isdigit()]
    if any(f"{name}年" in question for name in stated):
        return None  # the question's own year
    if len(named) == 1 and stated:
        return f"{stated[0]}年"
    relative = dict.fromkeys(OTHER_TIME.findall(quote))
    if relative:
        return next(iter(relative)) if len(relative) == 1 and not stated else None
    before = sentence.plain[: max(sentence.plain.find(quote), 0) + len(quote)]
    elsewhen = any(pattern.search(before) for pattern in (OTHER_TIME, SPAN, DEADLINE))
    if elsewhen or wants_deadline(question) or named or sentence.labels.year is None or is_under_way(question, quote):
        return None
    return None if any(q.measure is Measure.YEAR for q in find_quantities(quote)) else f"{sentence.labels.year}年"
