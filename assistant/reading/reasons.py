"""A question in, whether it asks why out; a text in, whether it gives a reason."""

from __future__ import annotations

import re

_ASKS = re.compile(
    "为什么|为何|为啥|凭什么|何以|咋会|怎么会|怎么就|干嘛|什么(?:原因|缘故|缘由|理由)|啥(?:原因|理由)|原因(?:是什么|在哪|何在|有哪些)"
)
# 因地制宜 and 因此 give none; 为 does only where it opens what is aimed at (为缓解…,).
_GIVES = re.compile(
    "因(?!地制|此|人施|材施|势利|时制|企施|素|子|城施|村施|县施|河施|病|应|数)|由于|原因|鉴于|出于|为了|以免|以便|得益于|受[^,，。;；]{1,12}影响|致使|导致|缘于|源于|"
    "(?:^|[,，;；:：。])为(?!(?:期|例|主|准|止|重点|契机|抓手|此))[^,，。;；]{2,40}[,，]"
)


def asks_why(focus: str) -> bool:
    """Whether a question asks for the reason of something."""
    return _ASKS.search(focus) is not None


def gives_reason(text: str) -> bool:
    """Whether a text says why something is so, or what for it is done."""
    return _GIVES.search(text) is not None
