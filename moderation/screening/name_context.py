"""What stands around a name: roles, cues, speech, the ends of places' names, offices. Pure."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Final

from moderation.screening.name_words import COURTESIES, OFFICES, SPEECH
from moderation.screening.sentence import Place, Sentence

_CUE: Final = re.compile(
    "(?:我叫|我是|我名叫|本人|名叫|姓名|联系人|签名|署名|户主|业主|房东|房主|车主|经办人|负责人|联络人|法人代表|法定代表人|"
    "委托人|申请人|投诉人|举报人|反映人|来电人|诉求人|收款人|开户人|户名|化名|患者|死者|伤者|作者|主演|导演|编剧|摄影|"
    "责编|撰文|记者)(?:是|为|叫|[ ：:/]){0,2}$"
)
_ROLE: Final = re.compile(
    "(?:编辑|巨星|歌星|明星|总监|总编|副总|主任|书记|主席|教授|名将|影帝|影后|博士|律师|村民|居民|业主|市民|彩民|网友|"
    "原告|被告|嫌疑人|受害人|儿子|女儿|妻子|丈夫|老公|老婆|父亲|母亲|爷爷|奶奶|老板|先生|女士|小姐|首相|国王|皇帝|将军|"
    "司令|元帅|大师|泰斗|师傅|护士|民警|警察|法官|医生|饰演|执导|主持人?|嘉宾|发言人|收件人|当事人|代理人|候选人|合伙人|"
    "创始人|制片人|诠释人|签署人|选手|教练|主帅|少帅|门将|前锋|后卫|中场|队医|解说|翻译|经纪|会计|主编|作曲|实习生|"
    "猎人|大神|球王|老将|小将|新秀|外援|"
    "[^会成人机官团队演动议]员|[^成生增拉延加身校市特很最周船漫专增]长|"
    "[笔作学记患译读著]者|[大作画专藏史学艺评歌设析理程划]家|[计析程济划药厨魔摄律建][师]|总裁|总理|总统|董事|经理|助理|"
    "主管|裁判|法师|主播|助手|同学|校友|战友|邻居|朋友|亲戚|叔叔|阿姨)(?:老|是|为|名叫|叫|[：:“‘、）)（(》])?$"
)
_CALLED: Final = re.compile("(?:致电|联系|回访|告知|约见|答复|询问|通知|转告)(?:了|到|过)?$")
_NUMBERED: Final = re.compile(
    "(?:vs|VS|第|[0-9一二三四五六七八九十百千万两几每]多?[个只条座家块张把套本])$"
)
_PLACE_END: Final = re.compile(
    "岛|坦|半岛|群岛|公路|国际|大桥|观景台|自然保护区|广告|招牌|省|市|县|区|镇|乡|村|屯|组|街|路|道|巷|弄|里|桥|山|河|湖|岛|州|国|洲|寺|庙|塔|大学|学院|中学|小学|小区|花园|公司|"
    "集团|银行|医院|酒店|宾馆|饭店|杯|奖|队|联队|俱乐部|基金|机场|广场|公园|江|庄|堡|港|湾|海|城|站|式|型|级|店|厂|馆|"
    "宫|屋|人|语|族|教|节|币|乐园|博物馆|美术馆|图书馆|研究会|委员会|协会|大街|大道|新城|社区|苑|府|坊|台|家园|公寓|大厦|"
    "中心|地产|传媒|证券|科技|电器|汽车|手机|主场|客场|主胜|客胜|联赛|vs|VS"
)
_OPEN: Final = frozenset("[，。；！？“”（(》、：:,;!?\n \0\"'‘’]")
_BEFORE_NAMES: Final = frozenset("的在和与及对被由像如给让请据跟向找老但而")
_AFTER_NAMES: Final = frozenset("的也在是与和及以曾已将还又都并从则就把被给却便等案版")


def before(sentence: Sentence, start: int) -> float:
    """Points by what stands before the place."""
    text = sentence.text
    ahead = text[max(0, start - 8) : start]
    if not ahead:
        return 0.6
    if _CUE.search(ahead):
        return 3.0
    if _ROLE.search(ahead):
        return 2.5
    if _CALLED.search(ahead):
        return 1.5
    if _NUMBERED.search(ahead):
        return -2.0
    if ahead[-1] == "《":
        return -1.5
    if ahead[-1] in _OPEN:
        return 0.5
    if ahead[-1] in _BEFORE_NAMES:
        return 0.4
    at = sentence.ending.get(start)
    tag = sentence.tokens[at].tag if at is not None else ""
    return -1.0 if tag in ("ns", "m", "q", "nz") else 0.0


def after(sentence: Sentence, end: int) -> float:
    """Points by what stands after the place."""
    text = sentence.text
    behind = text[end : end + 8]
    if not behind:
        return 0.5
    if behind.startswith(COURTESIES):
        return 2.5
    if behind.startswith(SPEECH):
        return 2.0
    if behind.startswith(OFFICES):
        return 1.5
    if _PLACE_END.match(behind):
        return -3.0
    if behind[0] in "：:":
        return 1.2
    if behind[0] == "》":
        return -2.0
    if behind[0] in _OPEN or behind[0] == "）":
        return 0.3
    if behind[0] in _AFTER_NAMES:
        return 0.5
    at = sentence.starting.get(end)
    tag = sentence.tokens[at].tag if at is not None else ""
    return -0.5 if tag in ("n", "nz", "ns", "nt") else 0.0


def together(sentence: Sentence, start: int, end: int) -> float:
    """What only both edges of the place tell."""
    text = sentence.text
    points = 0.0
    if _announced(text, start, end):
        points += 1.5
    if _speaks(text, start, end):
        points += 1.6
    if "·" in (text[start - 1 : start], text[end : end + 1]):
        points -= 3.0  # a part of a dotted name
    if _plays(text, start, end):
        points -= 2.0
    if _is_part(sentence.elsewhere, start, end):
        points -= 4.0
    return points


_SIDE: Final = re.compile("(?:客队|主队|客场|主场|对阵|做客|迎战|vs|VS)$")
_SIDE_AFTER: Final = re.compile(
    "主场|客场|联赛|最近[0-9]|取胜|不败|战平|降级|升级|晋级|军团|赔率|让球|主胜|客胜|球迷|vs|VS"
)


def _plays(text: str, start: int, end: int) -> bool:
    """A side of a match is no person."""
    return bool(_SIDE.search(text[max(0, start - 4) : start]) or _SIDE_AFTER.match(text, end))


def _is_part(places: Sequence[Place], start: int, end: int) -> bool:
    """Whether the place shares characters with another that is not smaller."""
    at = bisect_left(places, (end, 0)) - 1  # they do not overlap: only the last before can
    while at >= 0 and places[at][1] > start:
        if end - start <= places[at][1] - places[at][0] + 1:
            return True
        at -= 1
    return False


def _announced(text: str, start: int, end: int) -> bool:
    """A name is announced before the place, and ends with it."""
    ends = end == len(text) or text[end] in _OPEN or text[end] == "）"
    return ends and _CUE.search(text[max(0, start - 8) : start]) is not None


def _speaks(text: str, start: int, end: int) -> bool:
    """A line that begins with who says what follows."""
    return (start == 0 or text[start - 1] == "\n") and text[end : end + 1] in ("：", ":")


def in_title(sentence: Sentence, start: int) -> float:
    """A work is called by a name as often as it names somebody."""
    at = bisect_right(sentence.titles, (start, len(sentence.text))) - 1
    return -2.5 if at >= 0 and start < sentence.titles[at][1] else 0.0


# ── Offices ──────────────────────────────────────────────────────────────────────────────────

_OFFICE_BEFORE: Final = re.compile(f"(?:{'|'.join(OFFICES)})$")
_OFFICE_AFTER: Final = re.compile("|".join(OFFICES))


def in_office(text: str, start: int, end: int) -> bool:
    """Whether the office stands right before or after the name."""
    return bool(
        _OFFICE_BEFORE.search(text[max(0, start - 5) : start]) or _OFFICE_AFTER.match(text, end)
    )


def announced_before(text: str, start: int) -> bool:
    """Whether a word that announces a name stands right before the place."""
    return _CUE.search(text[max(0, start - 8) : start]) is not None
