"""Text -> a form for comparing and searching, never for showing: widths, case, characters and numerals made equal.

Chinese numerals become digits only where they are numbers: in a run of two and more, after 第, or before a counter.
Words that merely hold such a character (一体化, 十四五, 五台山) stay as they are.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from opencc import OpenCC

_VALUES = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_LARGE = {"万": 10_000, "亿": 100_000_000}
_COUNTERS = (
    "百分点 小时 分钟 平方 立方 千瓦 兆瓦 公里 公顷 公斤 千米 千克 个 座 家 项 条 台 套 亩 年 月 日 天 号 次 倍 名 人 位 件 处 艘 辆 架 "
    "栋 幢 间 户 岁 吨 度 米 克 升 元 角 钱 颗 株 棵 篇 张 份 届 期 级 所 支 只 头 根 口 万 亿"
).split()
_FIXED = (
    "一体 一带 一路 一些 一样 一般 一定 一直 一起 一致 一切 一旦 一方面 一系列 一流 一线 一手 一律 一并 一同 一度 一向 一贯 一时 一再 一概 一经 "
    "一心 一番 一下 一点 一举 一网通办 一网统管 一业一证 一件事 一次性 一站式 一揽子 一把手 一刀切 一盘棋 一张网 一张图 一老一小 一部分 一村一品 "
    "一事一议 一户一策 一企一策 一区一策 一县一业 一镇一业 一园一策 一家人 一级响应 统一 同一 唯一 之一 单一 万一 逐一 一一 专一 合一 不一 二元 "
    "二维码 二手 三农 三甲 三角 三维 三产 三废 三资 三公 三线 三峡 三亚 三明 三门峡 三沙 三通一平 三位一体 三家村 三里屯 三年行动 再三 四川 四平 "
    "四个自信 四个意识 四个全面 四好农村路 四通八达 五一 五四 五指山 五星 五金 五位一体 五谷 五湖四海 五台山 五家渠 六安 六盘水 六稳 六保 七台河 "
    "七里河 八一 八卦 九江 九寨沟 十堰 十分 十足 十一五 十二五 十三五 十四五 十五五 十六五 十里 百姓 百色 百货 百家 百年 百花齐放 百业 老百姓 "
    "百强 百科 百度 百日 百元店 千家万户 千方百计 千差万别 千岛湖 千山 千古 千年 成千上万 成百上千 万千 千万 百万 百亿 千亿 双一流 第一线 第一时间 "
    "两会 两岸 两山 两手 两头 两端 两化 两高 两优一先 两个维护 两个确立 两个毫不动摇 两个健康 两不愁 两业 两票制 两翼 两级 两口子 二十大 十九大 "
    "十八大 十七大 一二三产 一二三次产业 三三两两 一五一十 七上八下 五花八门"
).split()
_FIXED = [word for word in _FIXED if word not in ("三年行动", "一级响应", "十里", "两级")]
_RUN = "[零〇一二三四五六七八九两十百千万亿]"
_DIGIT = "[零〇一二三四五六七八九]"
_TOKENS = re.compile(
    rf"(?P<share>{_RUN}+)分之(?P<part>{_RUN}+(?:点{_DIGIT}+)?|\d+(?:\.\d+)?)"
    rf"|(?P<whole>{_RUN}+)点(?P<decimals>{_DIGIT}+)(?![钟整半])"
    rf"|(?P<ordinal>(?<=第){_RUN}+)"
    rf"|(?P<fixed>{'|'.join(sorted(_FIXED, key=len, reverse=True))})"
    rf"|(?P<run>(?!{_RUN}*千(?:瓦|克|米|伏|卡|赫)){_RUN}{{2,}}|{_RUN}+?(?=千(?:瓦|克|米|伏|卡|赫)))"
    rf"|(?P<single>[〇一二三四五六七八九两十百](?=\s?(?:{'|'.join(_COUNTERS)})))"
)
_SEPARATED_ASCII = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d])")


def normalize(text: str) -> str:
    """Make two ways of writing the same thing equal; the result is for machines only."""
    text = _SEPARATED_ASCII.sub(lambda m: m.group().replace(",", ""), text)
    text = unicodedata.normalize("NFKC", text).casefold()
    return _TOKENS.sub(_digits, _converter().convert(text))


@lru_cache(maxsize=1)
def _converter() -> OpenCC:
    return OpenCC("t2s")


def _digits(match: re.Match[str]) -> str:
    kind = match.lastgroup
    if match.group("share"):
        return _fraction(match)
    if match.group("whole"):
        whole = _integer(match.group("whole"))
        decimals = "".join(str(_VALUES[c]) for c in match.group("decimals"))
        return match.group() if whole is None else f"{whole}.{decimals}"
    if kind == "fixed":
        return match.group()
    return _number(match.group())


def _fraction(match: re.Match[str]) -> str:
    whole, part = match.group("share"), match.group("part")
    part = part if part[0].isdigit() and part[0].isascii() else _TOKENS.sub(_digits, part) if "点" in part else _number(part)
    if whole in ("百", "千"):
        return part + ("%" if whole == "百" else "‰")
    return f"{part}/{_number(whole)}"


def _number(run: str) -> str:
    """Write a run of numerals as digits, 万 and 亿 kept where nothing follows them; unchanged if it is no number."""
    large = re.search(r"[万亿]+$", run)
    body = run[: large.start()] if large else run
    if not body:
        return run
    if large and re.search("[万亿]", body):
        body, large = run, None
    value = _integer(body)
    return run if value is None else f"{value}{large.group() if large else ''}"


def _integer(run: str) -> int | None:
    """Read a run of numerals, positional (二〇二四) or with units (一百二十); None where it is neither."""
    if all(c in _VALUES for c in run):
        positional = len(run) == 1 or len(run) >= 3 or "〇" in run or "零" in run
        return int("".join(str(_VALUES[c]) for c in run)) if positional and not (len(run) > 1 and "两" in run) else None
    total = section = 0
    digit: int | None = None
    last_unit = 10**12
    for position, char in enumerate(run):
        if char in _VALUES:
            if digit not in (None, 0):
                return None
            digit = _VALUES[char]
        elif char in _UNITS:
            unit = _UNITS[char]
            if unit >= last_unit or (digit is None and (unit != 10 or section) and position):
                return None
            section += (1 if digit is None else digit) * unit
            digit, last_unit = None, unit
        else:
            value = section + (digit or 0)
            total = (total + value) * _LARGE[char] if char == "亿" else total + value * _LARGE[char]
            section, digit, last_unit = 0, None, 10**12
    return total + section + (digit or 0)
