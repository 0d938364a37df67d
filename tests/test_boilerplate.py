"""boilerplate: lines of the page are marked, and content that resembles them is not swallowed."""

from __future__ import annotations

import pytest

from vectorstore.boilerplate import find_boilerplate, is_link
from vectorstore.types import Document, Media

BODY = "今年以来,全市新建公园12座,完成造林3万亩,空气质量持续改善。"


def document(text: str, media: Media = Media.TEXT) -> Document:
    return Document("a.txt", text, media, "", "")


def marked(text: str, media: Media = Media.TEXT) -> list[str]:
    return [text[b.start : b.end] for b in find_boilerplate(document(text, media))]


@pytest.mark.parametrize(
    ("page", "content"),
    [
        ("首页 资讯 国内 聚焦 教育 关注 热点", "新建公园 修缮道路 整治河道 绿化荒山 改造旧房"),
        ("首页 | 新闻 | 专题 | 视频", "光伏 | 风电 | 储能 | 氢能"),
        ("您的位置:首页>频道 > 滚动 >", "位置:项目选址在滨江北段。"),
        ("首页 > 政策 > 正文", "从示范 > 推广 > 普及三步推进2030年目标。"),
        ("来源:中国某报    发布时间:2021-08-15", "来源:各级财政资金,重点支持基层。"),
        ("来源:碳研究中心", "来源:污染治理须从源头抓起,严控增量。"),
        ("作者:方宁", "资金来源以财政投入为主,社会资本为辅。"),
        ("责任编辑:李文", "编辑出版绿色发展丛书3套。"),
        ("Copyright @2008-2018 某网 版权所有", "加强版权保护,打击侵权盗版。"),
        ("京ICP备12345678号-1", "网站备案工作全部完成。"),
        ("联系邮箱:123@example.org", "联系电话调解平台建成3个。"),
        ("全文链接:", "产业链接续发展,全文公开规划成果。"),
        ("原文链接: https://example.org/a", "链接城乡的道路新建12条。"),
        ("(相关资料图)", "(相关资料图纸已经全部归档,共计120份。)"),
        ("图源:视觉中国", "图源数据共享平台建成。"),
        ("分享到:微信 微博", "分享到的经验在全市推广。"),
        ("扫一扫,关注我们", "推广扫一扫缴费方式。"),
        ("关键词:碳达峰", "关键词是绿色、低碳、共享。"),
        ("频道精选", "精选频道3个。"),
        ("上一篇:某市发布公报", "上一篇章的任务已经完成,新任务开始。"),
        ("阅读原文", "阅读原文典籍活动举办12场。"),
        ("如有侵权请联系删除", "查处侵权案件12起,追究刑事责任。"),
        ("转载请注明出处", "转载货物的列车开行300列。"),
        ("本站信息未经允许不得复制或转载", "未经许可不得转让排污权。"),
        ("----------", "约-3.5%至+2%。"),
    ],
)
def test_minimal_pairs_of_a_line_of_the_page_and_content(page: str, content: str) -> None:
    assert marked(f"{page}\n\n{BODY}\n") == [page]
    assert marked(f"{BODY}\n\n{page}\n") == [page]
    assert marked(f"{content}\n\n{BODY}\n") == []
    assert marked(f"{BODY}\n\n{content}\n") == []


def test_policy_sentences_with_words_of_the_page_are_content() -> None:
    for sentence in (
        "培育北斗导航、首页经济、数字视频等产业,新增企业30家。",
        "建设新闻、教育、娱乐、体育等公共频道12个。",
        "发布免责清单15项。",
    ):
        assert marked(f"{sentence}\n\n{BODY}\n") == []


def test_a_list_of_short_measures_is_content() -> None:
    assert marked(f"{BODY}\n\n新建公园12座\n修缮道路30公里\n整治河道5条\n") == []


def test_a_bare_title_is_boilerplate_only_under_a_link() -> None:
    assert marked(f"{BODY}\n\n全文链接:\n\n《2021年某省政府工作报告(全文)》\n\n{BODY}\n") == [
        "全文链接:",
        "《2021年某省政府工作报告(全文)》",
    ]
    assert marked(f"{BODY}\n\n《某省政府工作报告》\n\n{BODY}\n") == []


def test_a_link_is_told_from_other_boilerplate() -> None:
    found = find_boilerplate(document(f"首页 | 新闻 | 视频\n\n{BODY}\n\n全文链接:\n\n《某省工作报告(全文)》\n"))
    assert [is_link(b) for b in found] == [False, True, True]


def test_a_disclaimer_goes_on_until_the_next_real_heading() -> None:
    text = f"{BODY}\n\n免责声明\n\n本平台转载内容版权归原作者所有。\n\n仅供参考。\n\n2022年主要任务:\n\n{BODY}\n"
    assert marked(text) == ["免责声明", "本平台转载内容版权归原作者所有。", "仅供参考。"]


def test_related_titles_end_where_text_begins() -> None:
    assert marked(f"{BODY}\n\n相关阅读\n\n某市新建公园\n某县修路\n\n{BODY}\n") == [
        "相关阅读",
        "某市新建公园",
        "某县修路",
    ]


def test_elements_of_a_web_page_are_boilerplate_and_its_text_is_not() -> None:
    page = (
        "<html><head><title>题</title><style>p{}</style></head><body><nav><p>首页</p></nav><header>某网</header>"
        f"<script>if (a < b) {{ '新建1座。' }}</script><p>{BODY}</p><aside>推荐</aside><form><input>搜索</form>"
        "<!-- 注释。 --><footer>京ICP备1号</footer></body></html>"
    )
    text = "".join(marked(page, Media.HTML))
    for hidden in ("首页", "某网", "新建1座", "推荐", "搜索", "注释", "京ICP备1号", "p{}"):
        assert hidden in text
    assert "公园" not in text


def test_a_form_that_wraps_the_whole_page_does_not_swallow_it() -> None:
    page = f"<form id='f'><p>{BODY}</p><p>{BODY * 3}</p><p>{BODY * 3}</p></form>"
    assert marked(page, Media.HTML) == []


def test_a_navigation_element_that_is_never_closed_does_not_swallow_the_page() -> None:
    assert marked(f"<nav><p>首页</p><p>{BODY}</p>", Media.HTML) == []
