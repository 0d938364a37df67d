"""A question in, whether it asks whose words something is out: in which document it stands, or which body said so.

The place of a sentence may be known from its labels; where it is not, the title of its document says whose it is.
"""

from __future__ import annotations

import re

_DOCUMENTS = "文件|材料|资料|报告|文章|规定|办法|条例|指南|方案|意见|通知|法规|法律|规划|制度|政策"
_DOCUMENT = re.compile(
    rf"哪[1一]?(?:[份个部篇本项]|几[份个部篇])?(?:{_DOCUMENTS})(?!部门|机构)"
    rf"|(?:出自|来自|引自|摘自|见于)(?:哪|什么|何处|谁)"
    rf"|谁的(?:{_DOCUMENTS}|说法|要求|做法|话)"
    r"|谁(?:规定|提出|要求|说|写|讲)(?:了|过|的|[^,。?]{2,})"
)
_BODY = re.compile(
    r"(?:哪[1一]?[个家座]?|什么)(?:省|市|县|区|镇|乡|村|州|城市|地区|地方|集团|公司|企业|单位|机构)(?!长|部门)"
    r"[^,。?]{0,4}(?:提出|规定|要求|明确|推出|制定|出台|发布|宣布|承诺|写|说|的(?:规定|文件|政策|说法|要求|做法|报告|制度|指南|提法))"
    rf"|(?:哪里|哪儿|何处)的(?:{_DOCUMENTS}|说法|要求|做法|话)"
)


def asks_document(focus: str) -> bool:
    """Whether it asks for the document that says so."""
    return bool(_DOCUMENT.search(focus))


def asks_body(focus: str) -> bool:
    """Whether it asks for the place or the body whose words they are."""
    return bool(_BODY.search(focus))
