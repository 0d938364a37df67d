"""A question that is complete in itself in, what it asks out: places, years, kind, telling words. Deterministic and fast."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from assistant.errors import InputInvalid
from assistant.question.english import is_english, translate
from assistant.question.frames import asks_broadly, counts_things, drop_base_years, drop_called, drop_frames, names_part
from assistant.question.longer import drop_beginnings
from assistant.question.places import find_foreign_places, find_mentions, goes_on, read_own, read_places
from assistant.question.telling import find_telling, mend_measures
from assistant.question.titles import take_titles
from assistant.reading.lexicon import load_lexicon
from assistant.reading.quantities import find_quantities
from assistant.reading.thesaurus import find_edges, find_wordings
from assistant.types import Asks, Kind, Question
from vectorstore.normalize import normalize
from vectorstore.sections import tells_of_several
from vectorstore.segment import content_words, tag_words
from vectorstore.types import ParsedDocument, Part, Scope

MAX_CHARACTERS = 4000

YEAR = re.compile(
    r"(?<!\d)((?:19|20)\d\d)(?!\d)(?!\s*[万亿个座家项亩吨])"
    r"|(?<!\d)(?<!可以)(?<!可以是)(?<![第期满])(?<!连续)(?<!过去)(?<!未来)(?<!今后)(?<!期是)(?<!最长)(?<!超过)(?<!少于)"
    r"(\d\d)年(?!来|内|前|后|间|以)"  # 可以20年吗
)
_FROM_NOW = {"今年": 0, "本年": 0, "去年": -1, "明年": 1, "前年": -2, "后年": 2}
_FROM_THEN = {"上年": -1, "上一年": -1, "上1年": -1, "前一年": -1, "前1年": -1, "下一年": 1, "下1年": 1}
_PAST = re.compile(r"(?<![讲说写提谈到])了(?:多少|几|哪些|什么)")
_MEASURES = "个座家项条种处辆次位名片类所批"
_PARTICLES = re.compile(r"[喃哈嘛撒噻咧呗哟啵咯啰]+(?=[,。?!]|$)")  # of dialects, which the segmenter takes for words
_MORE = re.compile(r"(?<!对)比(?![较例一重]).{1,12}[多少高低大小长短](?:吗|些|[??。]|$)")
# 比上年增加多少 is one figure of the year that is asked for, and the other year nothing that is looked for.
_THAN_LAST = re.compile(
    r"比(?:上1?年|前1?年|去年)(?:同期)?(?=(?:又|还|能|要|会|将)*(?:多|少|增|减|涨|降|高|低|提高|下降|上升|扩大)[^,。?]{0,3}(?:多少|几))"
)
_WHICH_MORE = re.compile(
    r"(?:谁|哪(?:个|边|家|1?年))[^,。?]{0,16}?(?:松|紧|高|低|多|少|大|小|快|慢|长|短|严|宽)(?:些|点|1点|1些)?(?=[,。?]|$)"
)
_MEASURED = re.compile(
    r"(?:率|比例|比重|占比|面积|里程|浓度|强度|装机|增速|数量|人数|金额|产量)(?=[,:?]|的|在|从|$|(?:19|20)\d\d)"
)
_OTHERS, _DIFFERS = re.compile("各|其他|别的|哪个|几个"), re.compile("有?(?:什么|何|啥)?(?:不一样|不同)|区别|差异")
_QUOTED = re.compile(r"[“\"]([^“”\",。?\s]{3,8})[”\"]")  # somebody's own name for a thing is one word
_PERIOD = re.compile(r"[“\"]?(十[一二三四五六]五)[”\"]?(?:时期|期间)?")  # of five years; the segmenter cuts it in two
_NTH_YEAR = re.compile(r"第\d+年")  # of a plan or a contract, and no year of the calendar
_EACH = re.compile("各(?!地|级|类|种|个|项|国|区|市|省|县|方|自|界|族|业|行|单位|部门|位|部|式)")  # 各打算, 各扮演
_WRITE = re.compile(
    r"^(?:请|帮我|给我|你|能|可以|来)*(?:写|编|作|画|唱|讲)(?:1|几|两)?[首段篇个封张份支]?.{0,12}(?:诗|顺口溜|作文|情书|信|代码|程序|故事|歌|小说|笑话|画|对联)"
)
# 上年度 of 报送上年度的报告 is told from whenever the report is due, and names no year.
_OF_LAST = re.compile(r"上1?(?:年度|个?季度|个?月)(?:的|之)?")
_WHICH_THINGS = re.compile(r"哪(?:些|几|种|类|项|样)[个座家项条种处类样]?")  # 存在哪些 asks for no place
_UNIT = (
    "个?(?:工作日|小时|月|分钟|天|日|周|年度?|季度|次|回|点钟?|号|度电|度|块钱?|毛钱?|元钱?|钱|平方米|平米"
    "|公里|吨|亩|千瓦时|辆|台|件|户|人|岁|部|艘|张|所|套|间|根|棵|头|只|名|位)"
)
_HOW_MANY_UNITS = re.compile(
    rf"(?:多少|好多|多久|(?<!第)几){_UNIT}?(?:之?[内前后]|以[内前后上下])?(?!线|楼|机组|公路|令)"
)
_SPAN_OR_SUM = re.compile(
    r"(?:多少|好多|几)(?:个?(?:工作日|小时|月(?!饼)|分钟)|[天日周年](?!轻|均|度|级)|点(?!位)|号|块?钱|元|毛)(?:之?[内前后]|以[内前后上下])?"
)
_WITHIN = re.compile("多久(?:之?内|以内|之后|以后)")  # a time; 多久一次 may be answered in words
_ACTS = "停埋装烧拆收交领卖买罚挖退放住走跑打拿送换坐骑吃喝留修"  # verbs, which are no part of the noun beside them
_BODY = re.compile("(?:集团|公司|[大中小]学|学院|[局院所厂])$")
_PER_UNIT = re.compile(rf"每1?{_UNIT}")
# How people ask for a yes or a no: 给不给, 算不算, 行吗.
_A_NOT_A = re.compile(
    r"([\u4e00-\u9fff])[不没]\1|(?:行|可以|成|对|好|是)[吗吧么]|能否|可否|[吗吧]$|(?<![什怎这那多])么$"
)
_MODAL_OR_NOT = re.compile(r"还?([要能会行有是该对可好])[不没]\1以?")  # 要不要 says nothing of its own,
_VERB_OR_NOT = re.compile(r"还?([\u4e00-\u9fff])[不没]\1")  # 收不收费 is about 收费
_COMES_OF_IT = re.compile("(?:会|将|要|被)被?(?:怎么?样|咋样|如何)|(?:怎么|咋|如何|怎样)(?:处?罚|处理|处置|处分|追究)")
_AND_SO_ON = re.compile(
    r"等(?:地)?(?:的|[1一]共|总共|共)?(?:多少|几|哪几)"
)  # A、B等多少个城市: how many there are with them
WH = re.compile(
    r"多少|多久|多大|多长|多高|几(?=[个座家项条处公万])|什么|哪些|哪个|哪里|吗|怎么|如何|是否|有没有|谁|何时|何|总结|概括|比较|对比|介绍|列出|列举|计划|任务"
)


@dataclass(frozen=True, slots=True)
class Corpus:
    """What of the documents a question is understood by."""

    this_year: int | None = None  # what 今年 means: the latest year that has tasks, or else the latest year
    titles: tuple[tuple[str, str], ...] = ()  # title and source of each document
    own: tuple[str, ...] = ()  # places and bodies that documents are of, where the gazetteer does not have them
    texts: tuple[str, ...] = ()  # of the documents


def describe_corpus(documents: Sequence[ParsedDocument]) -> Corpus:
    """Gather from the documents of an index what a question is understood by."""
    labels = [section.labels for parsed in documents for section in parsed.sections]
    planned = [one.year for one in labels if one.year and one.part is Part.TASKS]
    known = [one.year for one in labels if one.year]
    known += [
        parsed.document.published.year
        for parsed in documents
        if parsed.document.published and any(tells_of_several(section) for section in parsed.sections)
    ]
    titles = tuple((parsed.document.title, parsed.document.source) for parsed in documents)
    return Corpus(
        max(planned or known, default=None),
        titles,
        read_own(documents),
        tuple(parsed.document.text for parsed in documents),
    )


def clean(text: str) -> str:
    """Drop what cannot be shown (control characters, lone surrogates, bidi marks), fold white space, hold the limit."""
    shown = "".join(c for c in text if c.isprintable() or c in "\n\t ")
    shown = re.sub(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]", "", shown)
    shown = " ".join(shown.split())
    if not shown:
        raise InputInvalid("问题是空的。请输入一个问题。 The question is empty: please type one.")
    if len(shown) > MAX_CHARACTERS:
        raise InputInvalid(
            f"问题有{len(shown)}个字，最多{MAX_CHARACTERS}个，请缩短。 "
            f"The question has {len(shown)} characters, {MAX_CHARACTERS} are allowed: please shorten it."
        )
    return shown


def read_question(text: str, standalone: str, corpus: Corpus) -> Question:
    """Read a question that is complete in itself."""
    named, sources = take_titles(standalone, corpus.titles)
    whole = _PARTICLES.sub("", normalize(translate(named) if is_english(named) else named))
    normal = find_focus(whole)
    mentions = drop_beginnings(find_mentions(normal, corpus.own), normal, corpus.texts)
    mentions = mentions or drop_beginnings(find_mentions(whole, corpus.own), whole, corpus.texts)
    mentions += find_foreign_places(normal, mentions, corpus.texts)
    stated = drop_base_years(normal)
    years = read_years(stated, corpus) or read_years(drop_base_years(whole), corpus)
    asks = _read_asks(drop_frames(normal))
    if "还是" in normal and years and asks is Asks.OTHER:
        asks, years = Asks.YEAR, set()  # 已经做到的,还是2024年要做的: the year is what is asked for
    if asks is Asks.OTHER and _WITHIN.search(normal):
        asks = Asks.QUANTITY
    if asks is not Asks.QUANTITY and _WHICH_MORE.search(normal) and max(len(years), len(mentions)) > 1:
        asks = Asks.QUANTITY  # of two years or places 哪个高 wants both figures
    scope = Scope(
        regions=frozenset(p for m in mentions if (p := m.place.province)),
        places=read_places(mentions, normal),
        years=frozenset(years),
        part=_read_part(normal, years),
        sources=sources,
    )
    terms = _read_terms(drop_frames(stated), corpus.own, corpus.texts)
    kind = _read_kind(whole if normal in whole else normal, asks, terms, scope)
    if kind is Kind.COMPARE and asks is Asks.OTHER and (_MORE.search(normal) or _MEASURED.search(normal)):
        asks = Asks.QUANTITY
    counted = _read_counted(normal, terms) if asks is Asks.QUANTITY and not is_english(standalone) else ()
    return Question(text, standalone, kind, asks, scope, terms, counted, normal)


def _read_counted(normal: str, terms: Sequence[str]) -> tuple[str, ...]:
    """Read what is counted: 指标 of 设了多少项指标, and 桥 of 修桥多少座."""
    match = re.search(rf"(?:多少|好多|(?<!第)几)(?P<measure>[{_MEASURES}]?)(?P<noun>[^,?]*)", normal)
    if match is not None and _SPAN_OR_SUM.match(normal, match.start()):
        return ()  # behind 多少天内 and 多少钱 nothing stands that is counted
    if match is None:
        return ()
    noun = re.split("(?<=.)(?:已经|不再?|没|靠|被|把|能|可以|才|就|还|都|也)", match["noun"])[0]
    behind = tuple(term for term in terms if term in noun)
    if behind or match["noun"] or not match["measure"]:
        return behind
    before = normal[: match.start()]
    tagged = tag_words(before.rsplit(",", 1)[-1])
    last = tagged[-1][0] if tagged and tagged[-1][1].startswith("n") and before.endswith(tagged[-1][0]) else ""
    return tuple(term for term in terms if last and (last in term or term.endswith(last)))


def find_focus(normal: str) -> str:
    """The sentence that asks. Orders and stories beside it are not what is looked for in the documents."""
    cut: list[str] = re.split(r"[。!;:\n]|(?<=[?])", normal)
    pieces = [_drop_preamble(piece.strip()) for piece in cut if piece.strip()]
    asking = [piece for piece in pieces if "?" in piece or WH.search(piece)]
    if not asking:
        return normal
    chosen = max(reversed(asking), key=lambda piece: len(_read_terms(piece)))
    topic = re.search(rf"([^,。!?;:\n]{{2,20}}):\s*{re.escape(chosen)}", normal)
    # 物价涨幅:哪年定得高 asks about what stands before the colon.
    return f"{topic[1]},{chosen}" if topic and not _read_terms(drop_frames(chosen)) else chosen


def _drop_preamble(piece: str) -> str:
    """告诉我…: what stands before it is not asked for."""
    rest = re.sub(r"^.*(?:告诉我|请回答|请问|想知道|想问一下|想问|问下)[,:]?", "", piece)
    return rest if WH.search(rest) else piece


def read_years(normal: str, corpus: Corpus, then: Collection[int] = ()) -> set[int]:
    """The years that a text names; 上年 is the one before the named one, or ``then``, or else before this year."""
    normal = _OF_LAST.sub("", _THAN_LAST.sub("比", normal)) if not YEAR.search(normal) else _THAN_LAST.sub("比", normal)
    named = {int(m[1]) if m[1] else 2000 + int(m[2]) for m in YEAR.finditer(normal)}
    years = set(named)
    if corpus.this_year is not None:
        years |= {corpus.this_year + shift for word, shift in _FROM_NOW.items() if word in normal}
    base = max(named or then, default=corpus.this_year)
    if base is not None:  # beside 2025年, 上一年 is 2024
        years |= {base + shift for word, shift in _FROM_THEN.items() if word in normal}
    return years


def _read_part(normal: str, years: set[int]) -> Part | None:
    """Review or tasks, only where the question says so and says only one."""
    lexicon = load_lexicon()
    if years:  # the year mostly tells; but 2023年的工作回顾 names the section itself
        named = [part for word, part in (("回顾", Part.REVIEW), ("任务", Part.TASKS)) if word in normal]
        return named[0] if len(named) == 1 else None
    review = any(word in normal for word in lexicon.review) or bool(_PAST.search(normal))
    tasks = any(word in normal for word in lexicon.tasks)
    if review == tasks:
        return None
    return Part.REVIEW if review else Part.TASKS


def _read_asks(normal: str) -> Asks:
    asks = load_lexicon().asks
    normal = re.sub("[没好]几|几乎", "", normal)  # 没几年 is no question
    left = re.sub(r"哪(?:几|\d+)(?!年)", "哪些", normal)  # 哪几种 wants the things, not their number
    left = re.sub(
        r"在(?=哪(?:1?[年天日月]|些|几|种|类|项|方面))", "", left
    )  # 出现在哪一年 and 存在哪些 ask for no place
    left = re.sub(r"从?哪[里儿]?(?=来的|出的?[,?]|出$|来[,?]|来$|列支|开支)", "", left)  # 这钱从哪儿出 does not, either
    for name in ("region", "year", "name", "quantity"):
        if any(word in left for word in asks[name]):
            return Asks(name)
    return Asks.OTHER


def _read_terms(normal: str, own: Sequence[str] = (), texts: Sequence[str] = ()) -> tuple[str, ...]:
    """The telling words: everything but places, years, question words and filler."""
    normal = left = _VERB_OR_NOT.sub(r"\1", _MODAL_OR_NOT.sub(" ", normal))
    mentions = drop_beginnings(find_mentions(normal, own), normal, texts)
    for mention in sorted(mentions, key=lambda m: m.start, reverse=True):
        if not goes_on(normal, mention):
            left = f"{left[: mention.start]} {left[mention.end :]}"
    left = _OF_LAST.sub(" ", left)
    left = re.sub("|".join((*_FROM_NOW, *_FROM_THEN)), " ", left)
    left = re.sub("(?<= )年(?:(?:起|开始)(?![步点草伏诉重义源因降])|(?!均))", " ", YEAR.sub(" ", left))
    left = re.sub("各(?=[有是要建计打新])", " ", left)
    periods = tuple(m[1] for m in _PERIOD.finditer(left)) + tuple(_NTH_YEAR.findall(left))
    left = _NTH_YEAR.sub(" ", _PERIOD.sub(" ", left))
    quoted = tuple(m[1] for m in _QUOTED.finditer(left) if not _is_worded(m[1]))
    left = _QUOTED.sub(lambda m: " " if m[1] in quoted else m[0], left)
    lexicon = load_lexicon()
    left = _drop_units(_WHICH_THINGS.sub(" ", left))
    for word in lexicon.asking:
        left = re.sub(f"{re.escape(word)}(?:[{_MEASURES}](?=[^\\s{_MEASURES}]))?", " ", left)
    for quantity in reversed(find_quantities(left)):
        left = f"{left[: quantity.start]} {left[quantity.end :]}"
    left = mend_measures(left)
    wordings = [wording for wording in find_wordings(left) if not _is_filler(wording.text)]
    rest = left
    for wording in reversed(wordings):
        for start, end in reversed(wording.spans):
            rest = f"{rest[:start]} {rest[end:]}"
    told = join_terms(*find_telling(rest))
    found = tuple(dict.fromkeys((*periods, *quoted, *(wording.text for wording in wordings), *told)))
    return found or tuple(m[1] for m in _QUOTED.finditer(normal))  # a name that is only a figure: “80条”


def _drop_units(left: str) -> str:
    """Take out 多少天内 and 每平方米: units are no words that are looked for. 年 of 多少年轻人 is none."""
    edges = find_edges(left)
    found = [*_HOW_MANY_UNITS.finditer(left), *_PER_UNIT.finditer(left)]
    for match in sorted(found, key=lambda m: -m.start()):
        if match.end() in edges:
            left = f"{left[: match.start()]} {left[match.end() :]}"
    return left


def _is_worded(text: str) -> bool:
    """Whether a quoted name holds a figure, or is a wording that documents have other words for."""
    return bool(find_quantities(text)) or any(wording.text == text for wording in find_wordings(text))


def _is_filler(text: str) -> bool:
    """Whether a wording says nothing about what is looked for, as 打算 and 为了."""
    lexicon = load_lexicon()
    return text in lexicon.stopwords or all(word in lexicon.stopwords for word in content_words(text))


def join_terms(found: Sequence[str], text: str) -> tuple[str, ...]:
    """Glue a single character to its neighbour (充电 + 桩, 碳 + 普惠), and drop words that stand inside a longer one."""
    joined: list[str] = []
    for word in found:
        glued = joined[-1] + word if joined else ""
        apart = word in _ACTS or (joined and joined[-1] in _ACTS)  # 马路边停, 换窗户
        if glued and not apart and (len(word) == 1 or len(joined[-1]) == 1) and glued in text:
            joined[-1] = glued
        else:
            joined.append(word)
    told = [w for w in joined if len(w) > 1 or not w.isascii()]
    return tuple(w for w in dict.fromkeys(told) if not any(w != other and w in other for other in told))


def read_narrowly(question: Question) -> Question | None:
    """A question for all that is said of a field as one that a single sentence answers; nothing where it asks for a summary."""
    if question.kind is not Kind.SUMMARY or not asks_broadly(question.focus):
        return None
    if any(word in question.focus for word in load_lexicon().kinds["summary"]):
        return None
    listed = any(word in question.focus for word in load_lexicon().kinds["list"])
    return replace(question, kind=Kind.LIST if listed else Kind.FACT)


def _count_places(names: Collection[str]) -> int:
    """How many places stand side by side; what a company pays for in 上海 is one thing."""
    return len([name for name in names if not _BODY.search(name)]) or len(names)


def _read_kind(normal: str, asks: Asks, terms: Sequence[str], scope: Scope) -> Kind:
    lexicon = load_lexicon()
    bare = re.sub(r"[\s,.!?。,!?~]", "", normal)
    named = bool(scope.regions or scope.years or scope.sources)
    if bare in lexicon.greetings or any(order in normal for order in lexicon.orders) or _WRITE.search(bare):
        return Kind.NONE
    if re.fullmatch(r"[\d+\-*/×÷=()().]+(?:等于(?:多少|几)|是多少)?", bare):
        return Kind.NONE
    if not named and any(word in normal for word in lexicon.kinds["corpus"]):
        return Kind.CORPUS
    if not terms and not named and not names_part(normal):
        return Kind.NONE
    slots = max(_count_places(scope.places), _count_places(scope.regions), len(scope.years), len(scope.sources)) > 1
    each = any(word in normal for word in lexicon.kinds["each"]) or (slots and _EACH.search(normal) is not None)
    # 上市办法有什么不一样 asks of one thing how it has changed; it sets nothing beside anything.
    compared = drop_called(normal if slots or not named or _OTHERS.search(normal) else _DIFFERS.sub("", normal))
    if any(word in compared for word in lexicon.kinds["compare"]) or (
        slots and not _AND_SO_ON.search(normal) and (each or asks is Asks.QUANTITY or "比" in normal)
    ):
        return Kind.COMPARE
    if each or re.search(r"哪(?:几|\d+)(?!年)", normal) or (asks is Asks.OTHER and counts_things(normal)):
        return Kind.LIST
    if asks in (Asks.QUANTITY, Asks.YEAR):
        return Kind.FACT
    compared = _COMES_OF_IT.sub(" ", compared)  # what becomes of somebody is no summary
    if terms and asks_broadly(compared):
        return Kind.SUMMARY
    for name in ("summary", "list", "yes_no"):
        if any(word in compared for word in lexicon.kinds[name]):
            return Kind(name)
    if terms and _A_NOT_A.search(normal.rstrip("?!。,. ")):
        return Kind.YES_NO
    return Kind.FACT if terms else Kind.SUMMARY
