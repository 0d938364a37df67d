"""A question for who holds an office and a sentence in, whether that names nobody out: 原因见董事长致辞 says not who it is.

A name stands beside the office (董事长 贺延川, 由沈若梅担任主任), or another office stands for it (由区长任组长).
"""

from __future__ import annotations

import re

from vectorstore.normalize import normalize
from vectorstore.segment import tag_words

_OFFICE = "[\u4e00-\u9fff]{0,6}(?:[省市县区州镇乡村厅局处科部所校院行社组队站厂]长|主席|书记|主任|经理|董事长|总裁|总监|主管|代表)"
_ASKS = re.compile(f"(?P<office>{_OFFICE})(?:是|叫|名叫|为|由|的?(?:名字|姓名)是)?谁(?:$|[?？,，。]|担任|当|任)")
_ASKS_FIRST = re.compile(f"谁(?:是|担任|任|当|出任)(?P<office>{_OFFICE})")
_SURNAMES = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗凤花方俞任袁柳酆鲍史唐费廉岑薛雷贺倪汤"
    "滕殷罗毕郝邬安常乐于时傅皮卞齐康伍余元卜顾孟平黄和穆萧尹姚邵湛汪祁毛禹狄米贝明臧计伏成戴谈宋茅庞熊纪舒屈项祝董梁杜阮蓝闵席季麻强贾路娄危江童颜郭梅盛林"
    "刁钟徐邱骆高夏蔡田樊胡凌霍虞万支柯管卢莫房裘缪干解应宗丁宣邓郁单杭洪包诸左石崔吉龚程嵇邢裴陆荣翁荀羊甄曲封储靳井段富巫焦谷车侯全班仰仲伊宫宁仇甘武符刘"
    "景詹龙叶司黎白蒲赖卓池乔闻党翟谭劳申冉雍桑桂牛尚温庄晏柴瞿阎连习容向古易廖耿满文寇广东欧利师关游肖涂岳代辛覃褟"
)
_LONGEST = 12  # characters between an office and the one that is appointed to it (由区长任组长)


def names_nobody(focus: str, text: str) -> bool:
    """Whether the holder of an office is asked for, and a text that has the office names none."""
    asked = _ASKS_FIRST.search(focus) or _ASKS.search(normalize(focus))
    if asked is None:
        return False
    told = normalize(text)
    office = next((asked["office"][n:] for n in range(len(asked["office"]) - 1) if asked["office"][n:] in told), "")
    if not office:
        return False  # another rule has to judge what does not even have the office
    if re.search(f"(?:担任|兼任|出任|当选|任|是|为)[^,，。;；]{{0,{_LONGEST}}}{office}", told):
        return False
    if re.search(f"{office}(?:由|是|为|[:：])", told):
        return False
    near = re.search(f"{office}[\\s:：]*[{_SURNAMES}]\\s?[\u4e00-\u9fff]", told) or re.search(
        f"[{_SURNAMES}][\u4e00-\u9fff]{{1,2}}[（(]?{office}", told
    )
    return near is None or not any(tag.startswith("nr") for _, tag in tag_words(told))
