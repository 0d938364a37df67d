"""A question and the conversation before it in, the question as it is understood out: deterministic, fast, and shown to the user.

A follow-up is made complete only where it is one: it opens with 那/还有/其中/它…, ends in 呢, or is a bare noun phrase, or lacks the region
and the year that the question before it had. A question that stands alone is never rewritten.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from assistant.question.carried import add_condition, exchange_counterpart, exchange_statement, name_item
from assistant.question.places import find_mentions
from assistant.question.understand import MAX_CHARACTERS, WH, YEAR, Corpus, clean, read_question, read_years
from assistant.types import Asks, Kind, Question, Role, Turn
from vectorstore.normalize import normalize
from vectorstore.segment import leading_verb

_EXCHANGE = re.compile(r"^(?:那么|那)?(?:如果|要是)?(?:换成|换作|换到|改成)")
_PRONOUN = re.compile(r"^(?:那么|那)?(?:其中|它们?)|这[笔项件座条家批]")
_IT = re.compile(r"^(?:那么|那)?它们?")
_WHOLE_PERIOD = re.compile(r"(?:整个|整|全)?[“\"]?十[一二三四五六]五[”\"]?(?:时期|期间|这5年)?(?:里|内|全程)?")
_OPENING = re.compile(
    r"^(?:那么|那|还有|另外|再|其中|它们|它|这些|这个|这|该|他们|同样|(?:如果|要是)?(?:换成|换作|换到|改成))+[的,,]?"
)
_ALSO_ASKS = re.compile(r"几|([\u4e00-\u9fff])[不没]\1|吧\?*$")  # 最多补几辆, 能不能回家
_AMOUNT = "提高|增加|新增|达到|降低|补贴?|补助|奖励?|罚款?|收费|报销?"
_IN_CHARGE = re.compile(
    r"^(?P<who>[^,?]*?(?:谁|哪个(?:部门|单位|科室)|什么部门)(?:来|去)?(?:负责|主管|管|审批|审核|批|承担))(?P<noun>[^,?]+)\??$"
)
_TO = ("去", "到", "在")
_LONG = 24  # characters of a subject that is carried on as it stands
_NE = re.compile(r"(?:呢|如何|怎么样)?[??。!!~\s]*$")
_DEICTIC = re.compile(
    r"^(?:那|还有|另外|其中|它|这|该|同样|同年|(?:如果|要是)?(?:换成|换作|换到|改成))|呢(?=[,，])|呢[?？。!！\s]*$"
    r"|它|(?<!在)这[个些笔项件座条家批]|该[市省县区]|当地|那里|这里|同一年|前者|后者|上述"
)
_WH_OR_END = re.compile(r"什么|哪些|哪个|怎么|如何|多少|几|[??]$")

_SHORT = 8  # characters of a question that says little by itself
_HAS_IT = re.compile(r"^[^,?]{2,4}[也又]?有(?:吗|没有|么)\??$")


def understand(text: str, history: Sequence[Turn], corpus: Corpus) -> Question:
    """Read a question; InputInvalid where it is empty or longer than ``MAX_CHARACTERS``."""
    asked = clean(text)
    alone = read_question(asked, name_item(asked, _last_reply(history), corpus.texts), corpus)
    previous = _last_standalone(history, corpus)
    if previous is None or not _is_follow_up(alone, previous):
        return alone
    return read_question(asked, _complete(alone, previous, corpus), corpus)


def understand_as_follow_up(
    text: str, history: Sequence[Turn], corpus: Corpus, *, subject: bool = False
) -> Question | None:
    """Read a question that nothing marks as a follow-up as one: about the place and year that the one before was about.

    For one that finds no answer as it stands; with ``subject`` about the same thing, too, even where that had no place and no year.
    ``None`` where it names a place itself, or the one before had nothing to give.
    """
    asked = clean(text)
    alone = read_question(asked, asked, corpus)
    previous = _last_standalone(history, corpus)
    if previous is None or alone.scope.regions or alone.kind in (Kind.NONE, Kind.CORPUS):
        return None
    if not (previous.scope.regions or previous.scope.years or (subject and previous.terms)):
        return None
    normal = normalize(alone.text)
    core = _NE.sub("", _OPENING.sub("", normal)) or normal if subject else normal
    carried = f"{_subject_of(previous)}," if subject else ""
    return read_question(asked, f"{_scope_words(alone, previous, alone.scope.years)}{carried}{core}", corpus)


def _last_standalone(history: Sequence[Turn], corpus: Corpus) -> Question | None:
    """The user's last question, itself completed from the ones before it."""
    asked = [
        (turn.content, _last_reply(history[:n]))
        for n, turn in enumerate(history)
        if turn.role is Role.USER and turn.content.strip()
    ]
    previous: Question | None = None
    for text, reply in asked[-6:]:
        short = clean(text[:MAX_CHARACTERS])
        alone = read_question(short, name_item(short, reply, corpus.texts), corpus)
        if previous is not None and (_is_follow_up(alone, previous) or _goes_on(alone, previous)):
            alone = read_question(short, _complete(alone, previous, corpus), corpus)
        previous = alone if alone.kind is not Kind.NONE else previous
    return previous


def _last_reply(history: Sequence[Turn]) -> str:
    """What was answered last: a question may name a thing by its place in that list."""
    return next((turn.content for turn in reversed(history) if turn.role is Role.ASSISTANT), "")


def _is_follow_up(question: Question, previous: Question) -> bool:
    had, now = previous.scope, question.scope
    if _DEICTIC.search(question.standalone):
        return True
    if question.asks is Asks.QUANTITY and question.kind is not Kind.CORPUS and _is_thin(question) and not now.regions:
        return True  # 一共要花多少钱: of what, the question before says
    short = len(question.standalone) <= _SHORT
    if short and now.regions and not question.terms and _HAS_IT.search(normalize(question.standalone)):
        return True  # 上海有吗: what, the question before says
    if question.kind in (Kind.NONE, Kind.CORPUS):
        return False
    if short and had.regions and question.asks is Asks.QUANTITY and not (now.regions or now.years):
        return True  # 奖励多少 after 苏州围绕哪些领域
    asks = WH.search(question.standalone) or _ALSO_ASKS.search(normalize(question.standalone))
    bare = not asks and len(question.standalone) <= 12
    if bare:
        return True
    # A question with neither place nor year of its own goes on about the same place; one with its own place does not.
    if now.regions or now.years or question.kind is Kind.COMPARE or not had.years:
        return False
    return question.asks is not Asks.REGION if had.regions else question.asks is Asks.QUANTITY


def _goes_on(question: Question, previous: Question) -> bool:
    """Whether a question of the past names neither place nor year, so that what came after it was still about the former ones."""
    had, now = previous.scope, question.scope
    return (
        bool(had.regions or had.years)
        and not (now.regions or now.years)
        and question.kind not in (Kind.NONE, Kind.CORPUS)
    )


def _is_thin(question: Question) -> bool:
    """Whether a question has no subject of its own: no telling word of more than one character (花 of 要花 is none)."""
    return all(len(term.lstrip("要会能将该得共")) < 2 for term in question.terms)


def _complete(question: Question, previous: Question, corpus: Corpus) -> str:
    """Write the follow-up as a question that stands alone."""
    normal = normalize(question.standalone)
    core = re.sub("呢(?=,)", "", _NE.sub("", _OPENING.sub("", normal)))
    if core[:1] in _TO and any(m.start == 1 for m in find_mentions(core, corpus.own)):
        core = core[1:]  # 去上海呢
    if _EXCHANGE.search(normal):  # 换成颗粒物是多少 asks the same of another thing
        core = re.sub(r"(?:是|有|会是)?(?:多少|几[个座家项条]?|怎样|什么)$", "", core)
    if _WHOLE_PERIOD.fullmatch(core):
        return _swap_scope(previous, (), {core.removeprefix("整个")})
    new_places = [core[m.start : m.end] for m in find_mentions(core, corpus.own)]
    new_years = _read_own_years(core, previous, corpus)
    rest = _without_scope(core, corpus.own)
    asks_of_it = bool(_IT.search(normal) and WH.search(core))  # 它今年要干到什么程度 is not what was asked before
    if not rest or (not question.terms and (new_places or new_years) and not asks_of_it):
        if "比" in core:  # 和2023年比呢: both stand side by side
            new_years |= previous.scope.years
        return _swap_scope(previous, new_places, _write_years(new_years))
    if (new_places or new_years) and question.terms and set(question.terms) <= set(previous.terms):
        return _swap_scope(previous, new_places, _write_years(new_years))  # nothing new but where or when
    before = normalize(previous.standalone)
    if normal != core and (told := add_condition(core, before) or exchange_statement(core, before)):
        return f"{'' if told.startswith(before[:2]) else _scope_words(question, previous, new_years)}{told}"
    if WH.search(core) or _ALSO_ASKS.search(core):
        return f"{_scope_words(question, previous, new_years)}{_carry_subject(question, previous)}{core}?"
    swapped = _swap_object(previous, rest, elided=core.endswith("的"))
    if swapped and (new_places or new_years):
        base = replace(previous, standalone=swapped)
        return _swap_scope(base, new_places, _write_years(new_years))
    if swapped and find_mentions(before, corpus.own) and not find_mentions(swapped, corpus.own):
        stated = new_years or read_years(swapped, corpus)
        return f"{_scope_words(question, previous, stated)}{swapped}"  # the noun before took the place with it
    return swapped or f"{_scope_words(question, previous, new_years)}{core}?"


def _read_own_years(core: str, previous: Question, corpus: Corpus) -> set[int]:
    """The years that a follow-up names; 上一年 is the one before the year that was spoken of."""
    found = read_years(core, corpus)
    return (
        found if YEAR.search(core) or not previous.scope.years else read_years(core, corpus, then=previous.scope.years)
    )


def _write_years(years: Iterable[int]) -> list[str]:
    return [f"{year}年" for year in sorted(years)]


def _carry_subject(question: Question, previous: Question) -> str:
    """What was spoken of, where the follow-up has no subject of its own: it says 它 or 其中 and little else, or nothing."""
    long = [term for term in question.terms if len(term) > 1]
    normal = normalize(question.standalone)
    pronoun, it = _PRONOUN.search(normal), _IT.search(normal)
    if question.scope.regions or not (it or _is_thin(question) or (pronoun and len(long) < 2)):
        return ""
    subject = _subject_of(previous)
    return subject and (subject if it else f"{subject},")


def _subject_of(previous: Question) -> str:
    """The telling words of a question as they stand in it, from the first to the last where nothing is asked between them."""
    text = normalize(previous.standalone)
    spans = sorted(
        (text.find(term), text.find(term) + len(term)) for term in previous.terms if len(term) > 1 and term in text
    )
    if not spans:
        return ""
    stretch = text[spans[0][0] : max(end for _, end in spans)]
    if (
        len(stretch) <= _LONG
        and not WH.search(stretch)
        and not YEAR.search(stretch)
        and not re.search(r"[,。?]", stretch)
    ):
        return stretch
    return "".join(dict.fromkeys(text[start:end] for start, end in spans))


def _without_scope(core: str, own: Sequence[str] = ()) -> str:
    left = core
    for mention in reversed(find_mentions(core, own)):
        left = left[: mention.start] + left[mention.end :]
    left = re.sub(r"今年|去年|明年|前年|本年|上年", "", YEAR.sub("", left))
    left = re.sub(r"[的年,,。??!!\s和与、跟比]", "", left)
    return re.sub("[省市]", "", left) if left != core and len(left) < 2 else left  # 省级 keeps its first character


def _swap_scope(previous: Question, places: Sequence[str], years: Collection[str]) -> str:
    """那北京呢 / 那2023年呢: the question before, with another place or year."""
    text = normalize(previous.standalone)
    if places:
        found = find_mentions(text)
        for mention in reversed(found):
            put = "和".join(places) if mention is found[0] else ""
            text = text[: mention.start] + put + text[mention.end :]
        text = text if found else "和".join(places) + text
    if years:
        put = "和".join(years)
        pattern = re.compile(r"(?:(?:19|20)\d\d|(?<!\d)\d\d)年|今年|去年|明年|前年|本年|上年")
        text = pattern.sub(put, text, count=1) if pattern.search(text) else put + text
    return text


def _swap_object(previous: Question, noun: str, *, elided: bool = False) -> str:
    """那公园呢: the noun takes the place of what was counted or asked for before."""
    text = normalize(previous.standalone)
    if other := exchange_counterpart(noun, text):
        return other
    if elided:  # 初中的呢: what it is of is said again by nobody, so only the word before it is another
        first = min((term for term in previous.terms if term in text), key=text.find, default="")
        return text.replace(first, noun, 1) if first and _WH_OR_END.search(text) else ""
    match = re.search(r"(多少|几)(?P<unit>个|座|家|项|条|处|辆|公里|亩)?(?P<noun>[^,,。??]+)", text)
    if match:
        liked = _find_like(noun, text[: match.start()], previous.terms)
        if liked and _count_shared(noun, liked) > _count_shared(noun, match["noun"]):
            return text.replace(liked, noun, 1)  # 农业机械 after 工程机械排了多少氮氧化物
        return text[: match.start("noun")] + noun + "?"
    if match := _IN_CHARGE.search(text):  # 报销呢 after 谁负责统计能耗
        return f"{match['who']}{noun}?"
    match = re.search(rf"(?P<noun>[^,,。??的年]+?)(?P<tail>(?:{_AMOUNT})?多少|是什么|有哪些|怎么样)", text)
    if match and previous.terms:
        verb = leading_verb(match["noun"])  # 光伏呢 after 新增海上风电多少 is about what is new, too
        kept = verb if len(verb) > 1 and match["noun"].startswith(verb) and not leading_verb(noun) else ""
        # 水路呢 after 铁路货运量是多少 is about its 货运量, for both are of one kind.
        of_kind = re.search(
            rf"[^\d年的]{re.escape(noun[-1])}([\u4e00-\u9fff]{{1,5}}[量率额])(?:是|为|有)?$", match["noun"]
        )
        measure = of_kind[1] if of_kind and len(noun) > 1 else ""
        return text[: match.start("noun")] + kept + noun + measure + text[match.start("tail") :]
    like = [term for term in previous.terms if term[-1] == noun[-1] and term in text]  # 服务业, 新兴产业
    phrase = like[0] if like else _first_phrase(previous.terms, text)
    return text.replace(phrase, noun, 1) if phrase and _WH_OR_END.search(text) else ""


def _find_like(noun: str, text: str, terms: Sequence[str]) -> str:
    """The telling words of a text, from the first of those side by side on, that share most with a noun."""
    phrases: list[tuple[int, int]] = []
    for start, end in sorted((text.find(term), text.find(term) + len(term)) for term in terms if term in text):
        phrases.append((phrases[-1][0] if phrases and phrases[-1][1] == start else start, end))
    found = [text[start:end] for start, end in phrases]
    return max(found, key=lambda phrase: (_count_shared(noun, phrase), -len(phrase)), default="")


def _count_shared(one: str, other: str) -> int:
    return len(set(one) & set(other))


def _first_phrase(terms: Sequence[str], text: str) -> str:
    """The first telling words of a question that stand side by side in it: 洱海流域."""
    phrase = ""
    for term in terms:
        if phrase + term not in text:
            break
        phrase += term
    return phrase


def _scope_words(question: Question, previous: Question, years: Collection[int]) -> str:
    """The place and the year of the question before, where the new one has none of its own."""
    had, now = previous.scope, question.scope
    place = "" if now.regions or question.asks is Asks.REGION else "和".join(sorted(had.places or had.regions))
    if place and question.kind is Kind.COMPARE:
        place += "和"
    year = "" if years or question.asks is Asks.YEAR else "和".join(_write_years(had.years))
    return f"{place}{year}"
