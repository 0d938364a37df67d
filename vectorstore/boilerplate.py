"""``Document`` -> spans that belong to the page and not to the document: shown grey, never retrieved.

Every rule says how such a line looks, not where it was seen. A sentence with a full stop is content unless it speaks of
the page itself: a missed line of navigation costs little, a swallowed sentence costs an answer.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator

from vectorstore.headings import is_strong_heading
from vectorstore.layout import read_layout
from vectorstore.markup import Block, Layout
from vectorstore.types import Boilerplate, Document

LINK = "全文链接 / link to the full text"
LINK_TITLE = "链接标题 / title of a link"
ORNAMENT = "分隔线 / ornament"
NAVIGATION = "导航栏 / navigation"
DISCLAIMER = "免责声明 / disclaimer"
_ELEMENT = "网页元素 {} / page element {}"

_HAN = re.compile(r"[\u3400-\u9fff]")
_SEPARATOR = re.compile(r"\s*[|│丨]\s*|\s+[·/]\s+|\s+")
_NAVIGATION_WORD = re.compile(
    r"首页|资讯|新闻|要闻|国内|国际|财经|教育|娱乐|体育|视频|图片|滚动|专题|论坛|博客|聚焦|关注|热点|民生|频道|访谈|"
    r"快报|看点|播报|"
    r"原创|关于我们|联系我们|登录|注册|搜索|无障碍|政务公开|办事服务|互动交流|网站地图|政策解读|信息公开|加入我们|"
    r"广告服务|"
    r"友情链接|返回|更多|军事|社会|科技|汽车|房产|评论|通知公告|公众号|微博|微信|客户端"
)
_FIELD = (
    r"(?:文章来源|信息来源|稿件来源|来源|稿源|作者|记者|通讯员|责任编辑|责编|编辑|校对|审核|监制|发布时间|发布日期|"
    r"更新时间|发表时间|"
    r"时间|日期|发布机构|浏览次数|浏览量|浏览|阅读量|阅读次数|点击次数|点击量|点击|字号|字体|视力保护色|分享|打印)"
)
_BYLINE = re.compile(rf"[\[(【]?{_FIELD}\s*:")
_DATE_LINE = re.compile(
    r"[(\[]?\s*(?:19|20)\d{2}\s*[-/年.]\s*\d{1,2}\s*[-/月.]\s*\d{1,2}日?(?:\s+\d{1,2}:\d{2}(?::\d{2})?)?\s*[)\]]?"
)
_LINK_LINE = re.compile(
    r"[>»→]*\s*(?:报告|政策|文件|政府工作报告)?(?:全文|原文|附件|相关)?(?:链接|下载)(?:地址|"
    r"如下)?\s*:?\s*(?:https?://\S+)?"
    r"|(?:阅读全文|阅读原文|查看原文|查看全文|点击查看全文|点击阅读全文|原文网址|原文地址|"
    r"全文)\s*:?\s*(?:https?://\S+)?[>»]*"
)
_LINK_TITLE = re.compile(r"(?:《[^《》]{4,80}》(?:[(][^()]{1,12}[)])?|https?://\S+|www\.\S+)")
_WORD_LINE = re.compile(
    r"(?:频道精选|相关阅读|相关新闻|相关推荐|相关文章|相关链接|热点推荐|推荐阅读|延伸阅读|精彩推荐|猜你喜欢|"
    r"热门文章|热门新闻|热门推荐|"
    r"最新文章|最新新闻|为您推荐|大家都在看|返回顶部|返回首页|返回列表|打印本页|打印|关闭窗口|关闭|加入收藏|"
    r"设为首页|网站地图|"
    r"阅读原文|正文|更多|更多>>?|查看更多|点击加载更多|END|THE END)\s*[:>»]*"
)
_RELATED = re.compile(
    r"(?:频道精选|相关阅读|相关新闻|相关推荐|相关文章|热点推荐|推荐阅读|延伸阅读|精彩推荐|猜你喜欢|热门.{2}|"
    r"为您推荐)\s*:?"
)
_CREDIT = re.compile(
    r"[(【\[]\s*(?:相关资料图|资料图|资料图片|图源|图片来源|图|供图|摄影|配图|视觉中国|图文无关)[^()】\]。,;]{0,20}[)】\]]"
    r"|(?:相关资料图|资料图片?|图源|图片来源|供图|摄影)\s*[:/]?\s*[^\s,。;]{0,16}"
)
_SHARE = re.compile(
    r"分享到|分享至|(?:微信)?扫一扫|扫码(?:关注|下载)|扫描(?:上方|下方)?二维码|长按(?:识别)?(?:上方|下方)?二维码|"
    r"点击(?:上方|下方|蓝字)|"
    r"(?:欢迎|敬请)?关注(?:我们|本号|微信公众号|公众号|官方微信)|转发(?:到)?朋友圈|下载(?:APP|客户端)|"
    r"点个?[“\"]?(?:在看|赞)"
)
_NOTICE = re.compile(
    r"(?:如有|涉及|若有|存在)[^。]{0,10}侵权[^。]{0,16}(?:联系|删除|告知)|不代表(?:本|我)?(?:平台|网站?|站|公众号|"
    r"网)[^。]{0,12}(?:观点|立场)|"
    r"(?:版权|著作权)归(?:原作者|原出处|作者|本网|本站)|本(?:站|网|平台|公众号)[^。]{0,16}(?:转载|仅供参考)|"
    r"转载请注明(?:出处|来源)|"
    r"(?:未经|没有)[^。]{0,10}(?:允许|授权|许可|同意)[^。]{0,4}(?:不得|禁止|严禁)[^。]{0,6}(?:复制|转载|镜像|摘编)"
)
_DISCLAIMER = re.compile(r"(?:免责|版权|特别|法律|网站|郑重)(?:声明|说明|提示)\s*:?")
_DISCLAIMER_START = re.compile(r"[【\[(]?(?:免责|版权|法律|网站)(?:声明|说明)[】\])]?\s*:")
_CONTENT_END = tuple("。！？；!?;")

_WHOLE_LINE: tuple[tuple[str, re.Pattern[str], int], ...] = (
    (LINK, _LINK_LINE, 200),
    ("栏目词 / label of the page", _WORD_LINE, 30),
    ("图片说明 / picture credit", _CREDIT, 40),
    ("关键词 / keywords", re.compile(r"(?:关键词|关键字|标签|tags?|keywords?)\s*:.*", re.IGNORECASE), 120),
    (
        "上一篇、下一篇 / previous and next",
        re.compile(r"(?:上|下)一(?:篇|条|页)\s*[:>].*|(?:上|下)一(?:篇|条|页)"),
        120,
    ),
    ("日期行 / date line", _DATE_LINE, 40),
)
_INSIDE_LINE: tuple[tuple[str, re.Pattern[str], int], ...] = (
    (
        "位置导航 / breadcrumb",
        re.compile(r"^(?:您|你)?(?:的|现在的?|当前|所在)*位置\s*[:>]|^(?:网站)?首页\s*[>»›→/]|^当前位置"),
        100,
    ),
    ("备案号 / licence number", re.compile(r"[\u4e00-\u9fff]ICP[备证]\s*\d|公网安备|网站标识码|增值电信业务"), 160),
    ("版权 / copyright", re.compile(r"copyright|©|版权所有|all rights reserved", re.IGNORECASE), 160),
    ("联系方式 / contact", re.compile(r"^(?:联系|投稿|客服|举报|咨询|商务)?(?:邮箱|电话|热线|QQ|微信)\s*:.*[\d@]"), 80),
)


def find_boilerplate(document: Document, layout: Layout | None = None) -> tuple[Boilerplate, ...]:
    """Find the boilerplate of a document: whole blocks, in order, without overlap, each with its reason."""
    layout = layout or read_layout(document.text, document.media)
    named = ((f, f.reason if " / " in f.reason else _ELEMENT.format(f.reason, f.reason)) for f in layout.furniture)
    found = [Boilerplate(f.start, f.end, reason) for f, reason in named]
    for start, end, reason in _find_lines(layout.blocks):
        found.append(Boilerplate(start, end, reason))
    return tuple(sorted(found, key=lambda b: b.start))


def is_link(boilerplate: Boilerplate) -> bool:
    """Whether the span is a link to the full text or its title: where one text ends and the next may begin."""
    return boilerplate.reason in (LINK, LINK_TITLE)


def _find_lines(blocks: tuple[Block, ...]) -> Iterator[tuple[int, int, str]]:
    goes_on: Callable[[Block, str], str] = _nothing
    for number, block in enumerate(blocks):
        line = " ".join(unicodedata.normalize("NFKC", block.plain).split())
        at_edge = number < 8 or number >= len(blocks) - 8
        reason = goes_on(block, line) or _reason(line, at_edge=at_edge)
        if not reason:
            goes_on = _nothing
            continue
        yield block.start, block.end, reason
        goes_on = _next_rule(reason, line, goes_on)


def _next_rule(reason: str, line: str, current: Callable[[Block, str], str]) -> Callable[[Block, str], str]:
    """Some lines make boilerplate of those that follow: titles under a link, the text of a disclaimer."""
    if reason == LINK:
        return _link_title
    if reason == DISCLAIMER and _DISCLAIMER.fullmatch(line):
        return _disclaimer_text
    if _RELATED.fullmatch(line):
        return _related_title
    return current


def _nothing(block: Block, line: str) -> str:
    return ""


def _link_title(block: Block, line: str) -> str:
    return LINK_TITLE if _LINK_TITLE.fullmatch(line) else ""


def _disclaimer_text(block: Block, line: str) -> str:
    return "" if block.level or is_strong_heading(line) else DISCLAIMER


def _related_title(block: Block, line: str) -> str:
    if block.level or is_strong_heading(line) or len(line) > 40 or line.endswith(_CONTENT_END):
        return ""
    return "相关链接 / related links"


def _reason(line: str, *, at_edge: bool) -> str:
    """Say why a line is boilerplate; empty where it is content."""
    if not any(c.isalnum() for c in line):
        return ORNAMENT
    for reason, pattern, longest in _WHOLE_LINE:
        if len(line) <= longest and pattern.fullmatch(line) and (at_edge or reason != _WHOLE_LINE[-1][0]):
            return reason
    for reason, pattern, longest in _INSIDE_LINE:
        if len(line) <= longest and pattern.search(line) and not line.endswith("。"):
            return reason
    if _is_byline(line):
        return "来源与时间 / byline"
    if _is_breadcrumb(line):
        return "位置导航 / breadcrumb"
    if _is_navigation(line, at_edge=at_edge):
        return NAVIGATION
    if len(line) <= 40 and _SHARE.search(line) and not line.endswith(("。", ";")):
        return "分享与关注 / share text"
    if _DISCLAIMER.fullmatch(line) or _DISCLAIMER_START.match(line) or _is_notice(line):
        return DISCLAIMER
    return ""


def _is_byline(line: str) -> bool:
    """Whether a line consists of short fields such as ``来源: X 发布时间: Y``; a sentence is no field."""
    if not _BYLINE.match(line) or len(line) > 100 or line.endswith(_CONTENT_END):
        return False
    values = re.split(rf"{_FIELD}\s*:", line)[1:]
    return all(len(value) <= 40 and not re.search(r"[,。;!?]", value) for value in values)


def _is_breadcrumb(line: str) -> bool:
    steps = re.split(r"\s*[>»›]\s*", line)
    return len(steps) >= 3 and all(len(step) <= 12 for step in steps) and len(line) <= 80 and not re.search(r"\d", line)


def _is_navigation(line: str, *, at_edge: bool) -> bool:
    """Whether a line is a row of many short words; at least two have to be words of navigation bars."""
    words = [word for word in _SEPARATOR.split(line) if word]
    barred = bool(re.search(r"[|│丨]", line))
    if len(words) < (3 if barred else 5) or line.endswith(_CONTENT_END) or re.search(r"[,。;:!?]", line):
        return False
    short = [word for word in words if len(word) <= 8 and _HAN.search(word)]
    if len(short) < 0.8 * len(words) or sum(map(len, words)) > 6 * len(words):
        return False
    known = sum(1 for word in words if _NAVIGATION_WORD.search(word))
    return known >= max(2, len(words) // (4 if at_edge else 2))


def _is_notice(line: str) -> bool:
    """Whether a paragraph speaks of the page's own rights and duties."""
    hits = len(_NOTICE.findall(line))
    return bool(hits) and (len(line) <= 120 or hits >= 2)
