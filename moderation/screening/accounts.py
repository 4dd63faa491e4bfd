"""QQ and WeChat accounts: nothing in them tells, so they are found by the word before them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from moderation.screening.spans import Finder, Kind, group

_IS: Final = r"(?:号码|账号|帐号|号|ID|id|群|同号)?(?:也?是|为|同步?)?[ ]{0,2}[:;,(\[【]?[ ]{0,2}"
# A mask such as [QQ号] is no cue: what follows it is not its number.
_QQ: Final = re.compile(
    rf"(?:(?<![A-Za-z\[])(?:QQ|扣扣|企鹅号?|[加留]Q|Q(?=[:号])){_IS}"
    r"|(?<![A-Za-z0-9@._-])(?:QQ|Q):)(?P<number>[1-9][0-9]{4,11})"
    r"(?![0-9A-Za-z@]|\.[0-9A-Za-z])(?!人|群人|个|名|多)",
    re.IGNORECASE,
)
_WECHAT_WORD: Final = (
    r"(?:微信|薇信|威信|卫星号|(?<![A-Za-z])(?:WeChat|weixin|[VW]X|[VW]信|[加\+][VW]))"
)
# Without a word or a mark that says "number" a Latin word may be anything: it needs a digit.
_WECHAT: Final = re.compile(
    rf"(?<!\[){_WECHAT_WORD}(?:"
    r"(?:[ ]?(?:号码|账号|帐号|号|ID)(?:也?是|为)?[ ]{0,2}[:;,(【]?[ ]{0,2}|(?:也?是|为)?[ ]{0,2}[:(【][ ]{0,2})"
    r"(?P<told>[A-Za-z][A-Za-z0-9_-]{5,19}|[1-9][0-9]{4,11})"
    r"|[ ]{0,2}(?P<bare>(?=[A-Za-z_-]*[0-9])[A-Za-z][A-Za-z0-9_-]{5,19}|[1-9][0-9]{5,11}(?![元年]))"
    r")(?![0-9A-Za-z_@-]|\.[A-Za-z0-9])(?!人|个|名|多)",
    re.IGNORECASE,
)
_WECHAT_BY_ITSELF: Final = re.compile(
    r"(?<![A-Za-z0-9_])(?P<id>wxid_[a-z0-9]{6,20})(?![A-Za-z0-9_])", re.IGNORECASE
)


_ORDER: Final = re.compile("[A-Z]{2}[0-9]{8,14}")
"""A work order's number, FZ16100800318: spelled as an account might be, but in capitals."""


def _find_wechat(flat: str) -> Iterator[tuple[int, int]]:
    for found in _WECHAT.finditer(flat):
        place = "told" if found["told"] else "bare"
        if not _ORDER.fullmatch(found[place]):
            yield found.span(place)


ACCOUNTS: Final[tuple[tuple[Kind, Finder], ...]] = (
    ("qq", group(_QQ, "number")),
    ("wechat", group(_WECHAT_BY_ITSELF, "id")),
    ("wechat", _find_wechat),
)
"""They come after the telephones: who gives a mobile as his account gives a mobile."""
