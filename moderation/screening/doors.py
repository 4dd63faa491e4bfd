"""House, building, entrance and room numbers: the door goes, street and community stay. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from moderation.screening.spans import Finder, Kind, group, whole

_N: Final = r"(?:[0-9]{1,4}|[零〇一二三四五六七八九十百两]{1,5})"
_START: Final = r"(?<![0-9A-Za-z.#零〇一二三四五六七八九十百千万第每几共-])"
_BUILDING: Final = rf"(?:[A-Za-z]-?)?{_N}(?:号楼|号栋|#楼|#栋|栋|幢|座|#)|[A-Za-z](?:栋|座|幢)"
_ENTRANCE: Final = rf"{_N}(?:单元|门洞)|[A-Za-z]单元"
_FLOOR: Final = rf"{_N}(?:楼|层)"
_ROOM: Final = r"(?:[A-Za-z]-?)?(?:[0-9]{3,4}|[零〇一二三四五六七八九]{3,4})[A-Za-z]?(?:号?室|号房|房(?![产屋价款贷子地东租间源客型])|号(?![0-9线文])|户)"
_ROOM_BARE: Final = (
    r"(?:[0-9]{3,4}(?:-[0-9]{1,4})?|[0-9]{1,2}-[0-9]{1,4})(?![0-9万亿元米人户平个㎡%])"
)

# A building counts with an entrance, floor and room, or at least one of them, after it …
_IN_A_BUILDING: Final = re.compile(
    rf"{_START}(?:{_BUILDING})[ -]{{0,2}}(?:"
    rf"(?:{_ENTRANCE})(?:[ -]{{0,2}}{_FLOOR})?(?:[ -]{{0,2}}(?:{_ROOM}|{_ROOM_BARE}))?"
    rf"|{_FLOOR}[ -]{{0,2}}(?:{_ROOM}|{_ROOM_BARE})"
    rf"|{_ROOM})"
)
# … or a bare number, where digits alone name the building: B2栋320 may be a part's name.
_AND_A_NUMBER: Final = re.compile(
    rf"{_START}{_N}(?:号楼|#楼|栋|幢|座|#)[ -]{{0,2}}{_ROOM_BARE}(?![A-Za-z号栋幢])"
)
_ENTRANCE_AND_ROOM: Final = re.compile(
    rf"{_START}(?:{_ENTRANCE})(?:[ -]{{0,2}}{_FLOOR})?(?:[ -]{{0,2}}(?:{_ROOM}|{_ROOM_BARE}))?"
)
_FLOOR_AND_ROOM: Final = re.compile(rf"{_START}{_FLOOR}[ -]{{0,2}}(?:{_ROOM})")
_ROOM_ALONE: Final = re.compile(
    r"(?<![0-9A-Za-z.#-])(?:[A-Za-z]-?)?[0-9]{3,4}[A-Za-z]?(?:室|号房|房(?![产屋价款贷子地东租间源客型]))(?!内机)"
)
_BUILDING_ALONE: Final = re.compile(
    rf"{_START}(?:(?:[A-Za-z]-?)?[0-9]{{1,3}}(?:号楼|号栋|#楼|#栋|栋|幢)|[0-9]{{1,3}}座(?=[,。;、 住的业居]|$))"
    "(?!楼?房|别墅|高层|小高层|住宅|建筑|厂房|宿舍|大楼|商住|洋房|安置|多层|超高|独栋|联排|公寓|楼盘|在建|违|未|[0-9]{3})"
)
_COUNTED: Final = re.compile(
    "(?:共|有|建|拆|盖|这|那|几|多|每|约|达|近|其中|全部|仅|只|剩|另|余|至|到|和|或|的|了|计|修|造|设|为|是|[0-9]-)$"
)
_THREE_PARTS: Final = re.compile(
    r"(?<=[园苑城府庭湾村寓厦里院号期区坊居家郡邸庄轩阁])[ ]?[0-9]{1,3}#?-[0-9]{1,2}-[0-9]{3,4}(?:室|号|房)?(?![0-9-])"
)

_STREET_NUMBER: Final = re.compile(
    r"(?:(?<=[路街巷弄])|(?<=大道)|(?<=胡同)|(?<=[路街道巷][东西南北中])|(?<=[东西南北中一二三四五六七八九]段))[ ]?"
    r"(?:[0-9]{1,5}(?:-[0-9]{1,4})?号(?:院|附[0-9]{1,3}号?|之[0-9一二三四五六七八九十])?(?:-[0-9]{1,4}号?)?|[0-9]{1,5}弄[0-9]{1,4}号)"
    r"(?!线|地块|工地|文|令|公告|库|井|泵|站台|出口|口|门|路|桥|地铁|公交|楼|栋|[A-Za-z])"
)
_VILLAGE_NUMBER: Final = re.compile(
    r"(?:(?<=[村组庄屯社湾冲])|(?<=新村)|(?<=小区)|(?<=家园)|(?<=花园))[ ]?[0-9]{1,4}(?:-[0-9]{1,4})?号"
    r"(?=$|[,。;、)]|[的住门户家人]|附[0-9]|院)(?:院|附[0-9]{1,3}号?)?"
)
_TOLD: Final = re.compile(
    r"(?<!\[)(?:门牌|楼栋|房号|房间号|室号)(?:号码?)?(?:也?是|为)?[ ]?[:;]?[ ]?"
    r"(?P<number>(?:[A-Za-z]-?)?[0-9]{1,4}(?:-[0-9]{1,4}){0,2}[号室栋]?)(?![0-9A-Za-z年月日元.])"
)


def _find_buildings_alone(flat: str) -> Iterator[tuple[int, int]]:
    for found in _BUILDING_ALONE.finditer(flat):
        if not _COUNTED.search(flat[max(0, found.start() - 2) : found.start()]):
            yield found.span()


DOORS: Final[tuple[tuple[Kind, Finder], ...]] = (
    ("door", whole(_IN_A_BUILDING)),
    ("door", whole(_AND_A_NUMBER)),
    ("door", whole(_THREE_PARTS)),
    ("door", whole(_ENTRANCE_AND_ROOM)),
    ("door", whole(_FLOOR_AND_ROOM)),
    ("door", whole(_ROOM_ALONE)),
    ("door", whole(_STREET_NUMBER)),
    ("door", whole(_VILLAGE_NUMBER)),
    ("door", _find_buildings_alone),
    ("door", group(_TOLD, "number")),
)
"""The longest first: what says building, entrance and room is one place."""
