"""What gives a citizen away in a wording, whoever wrote it: his own words, a place below the district, a day or
an hour. Pure (docs/decisions/0022-read-in-advance.md).

A place is sealed as a rule, so that there is nothing to compare a wording with: it is told by its form, a name
of its own before 小区, 路 or 村. What stands there and is no name (老旧小区, 各村, 断头路) is known by its last
characters. Whatever is not known is taken for a name: a moderator can word it otherwise, a citizen cannot be
hidden again.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

STRETCH = 16
"""Characters in a row that a wording may not share with the text of a source, however long both are."""
SHORTEST = 6
"""Characters that a stretch has at least: fewer are a word that everybody uses."""
OF_A_TEXT, OF_A_WORDING = 0.6, 0.8
"""Shares of a short text, and of a wording, that a stretch may not reach. A wording keeps the name of its
matter (老旧小区加装电梯) and is a new question all the same."""


def plain(text: str) -> str:
    """Letters and digits alone, in one form: what is the same is the same however it is set."""
    return "".join(c for c in unicodedata.normalize("NFKC", text) if c.isalnum()).lower()


def is_rewritten(wording: str, *originals: str) -> bool:
    """Whether a wording says something other than these, and not only with other marks."""
    return plain(wording) not in map(plain, originals)


def repeats_words(wording: str, text: str, *, whole: bool = True) -> bool:
    """Whether a wording repeats a stretch of a text. `whole`: the text is somebody's own words, of which a
    short one is given away by its greater part; a title is the name of a matter."""
    said, told = plain(text), plain(wording)
    needed = [STRETCH, _share(OF_A_WORDING, told), *([_share(OF_A_TEXT, said)] if whole else [])]
    length = min(needed)
    if len(said) < length or len(told) < length:
        return False
    known = {told[i : i + length] for i in range(len(told) - length + 1)}
    return any(said[i : i + length] in known for i in range(len(said) - length + 1))


def _share(of: float, text: str) -> int:
    return max(SHORTEST, -int(-of * len(text) // 1))


# ── days and hours ──

_N = "[0-9〇零一二三四五六七八九十两]"
_PART = (
    "(?:早上|早晨|清晨|上午|凌晨|中午|下午|傍晚|晚上|夜里|夜间|深夜|半夜|今早|今晚|当晚|早|晚|夜)"
)
_TIMES = re.compile(
    rf"(?<!{_N}){_N}{{1,3}}月份?{_N}{{1,3}}[日号]?"
    rf"|[本上这当下]个?月{_N}{{1,3}}[日号]"
    rf"|{_N}{{2,4}}年{_N}{{1,3}}月{_N}{{1,3}}"
    r"|[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}"
    r"|(?<!每)(?<![至到])(?:周|星期|礼拜)[一二三四五六日天](?![至到期年])"
    r"|上个?(?:周|星期|礼拜)|昨[天日晚夜]|前[天晚](?!性)|今[早晨]"
    rf"|{_PART}{_N}{{1,3}}[点时](?!间)"
    rf"|{_N}{{1,3}}[点时](?:半|整(?![改治理顿体合])|钟|许(?!可)|左右|{_N}{{1,3}}分)"
    r"|(?<![0-9:])[0-9]{1,2}:[0-9]{2}(?![0-9])"
)
"""A year or a month alone is of many people."""

# ── places below the district ──

_DOORS = re.compile(
    rf"(?:路|街|巷|弄|道|村|组|屯|庄|园|苑|小区){_N}{{1,5}}(?:-[0-9]{{1,4}})?号(?!线|文|令|公告|台)"
    rf"|{_N}{{1,4}}号(?:楼|院|栋|门|房|室)|[0-9]{{1,5}}弄|[0-9]{{1,4}}#"
    rf"|(?<![共有及余约达各等每一数]){_N}{{1,4}}[栋幢](?![楼住房老危旧别建高居多以])"
    rf"|(?<![共有及余约达各等每几数]){_N}{{1,3}}单元|[0-9]{{3,4}}室"
)

_AND = "(?<![祥泰永谐人太中仁义雍康嘉瑞平顺信兴福])和"
_ANY = (
    f"{_AND}|的|了|着|在|对|由|与|及|或|是|该|各|某|每|个|让|被|把|将|给|从|向|到|等|为|本|我|这|那|此|其|之|按"
    "|不|无|没有|已|未|因|使|令|请|找|经|就|则|但|而|且|又|也|都|并|若|如|所|有些|以|于|跟|同一?|当|原|另|沿"
    "|两|几|多|全|整|数|很多|一些|部分|整个|我们|他们|你们|咱们|大家|自己|哪些?|什么|怎么|怎样|如何|何时|为何"
    "|其[他它余]|所[有在属]|任何|全[部体市区县国省]|附近|周边|周围|邻近|相邻|沿线|沿岸|辖区|辖内|属地|当地|本地|上述"
    "|目前|现在|现有|多少|证|综合体|今后|以后|以来|之前|之后|期间|以及|还有|是否|能否|可否|应否|关于|针对|对于|由于|因为|导致|造成"
    "|通过|按照|根据|依据|围绕|结合|除了|包括|涉及|影响|覆盖|距离|进出|出入|进入|进驻|深入|走进|驶入|穿[过越]|途经|经过"
    "|规范|治理|解决|提升|提高|推进|推动|加快|加大|加强|强化|完善|优化|改善|改进|整治|排查|检查|巡查|抽查|清理|清运|清扫"
    "|改造|改建|新建|扩建|重建|翻建|拆除|拆迁|搬迁|管理|监管|监督|管护|养护|维护|维修|修复|修缮|整修|修建|建成|建好|更新|更换"
    "|组织|指导|督促|督导|协调|引导|支持|帮助|帮扶|扶持|鼓励|推广|促进|保障|保证|确保|保护|落实|实施|执行|开展|启动|统筹"
    "|规划|设计|设置|设立|布置|布局|增设|新增|增加|减少|降低|安排|安装|加装|处理|处置|查处|整改|化解|缓解|破解|防[止范治]|避免"
    "|禁止|限制|允许|占用|侵占|破坏|损坏|投诉|反映|建议|要求|希望|评选|评定|评议|考核|认定|确定|选择|选定|划定|划分|移交|接管|交付|验收"
    "|公[布示开]|发布|告知|回应|答复|满足|方便|服务|关心|关爱|创建|打造|培育|使用|利用|负责|承担|配备|配置|配套|接入|开通|打通|疏通"
    "|停车|充电|消防|供[水电气热暖]|用[水电气]|排水|雨污|污水|燃气|电梯|物业|业主|居民|住户|群众|市民|村民|老人|儿童|环境|卫生|绿化|安全"
    "|社会|政府|部门|单位|企业|学校|医院|车站|公共|公益|共同|基层|城[市镇区乡]|城乡|市区|县城|农村|乡村|乡镇|镇村|村镇|街镇|主城|老城|郊区|山区|库区|偏远"
    "|普通|一般|重点|主要|重要|相关|有关|同类|类似|不同|多数|少数|不少|许多|大量|众多|广大|个别|具体|特定|示范|试点|样板|智慧|数字|绿色|美丽"
    "|平安|文明|和谐|宜居|完整|韧性|友好|现代|传统|特色|老旧|破旧|陈旧|老式|新型|大型|小型|中型|高档|低收入|困难|集中|分散|零[散星]|独立|封闭|开放"
    "|[市区县旗镇乡]"
)
"""What stands before any of these words and is no name."""
_HOUSED = (
    "老|旧|新|小|进|内|外|中|前|后|时|住宅|住的|家属|宿舍|商品房|安置房?|回迁房?|还建房?|保障房|保障性|廉租房?|公租房|经适房|限价房"
    "|经济适用房|房改房?|福利房|人才房?|棚改|棚户|共有产权|高层|多层|半?开放式|封闭式|半封闭|无人|无物|弃管|失管|自管|代管|托管"
    "|入住|楼盘|商业|街道|已建|在建|待建|待改|已改|次新|品质|生活|居住|花园式|园林式|无障碍|达标|合格|省级|市级|区级|参与|成立|邻里"
)
_ROADED = (
    "道|马|公|铁|线|电|一|修|走|思|支|盲|让|养|筑|条|干|进|小|大|土|油|管|网|气|回|门|销|出|老|新|旧|半|顺|绝|迷|问|上|下|铺|架|扩|拓|封"
    "|清|扫|抢|破|毁|好|险|坡|行|绕|堵|占|挖|开|拦|引|带|探|赶|过|通|断|(?<![东西南北中内外一二三四五])环|辅|套|陆|各|高速|城际|快速|断头|连接|沥青|柏油|水泥|石子|砂石"
    "|碎石|机耕|产业|田间|入户|村组|便民|致富|消防|行车|背街|主次|乡间|山间|丁字|十字|硬化|回家|上学|放学|上班|下班"
)
_CROSSED = (
    "道路|公路|铁路|马路|十字|交叉|丁字|平交|绿灯|门口|村口|拥[堵挤]|施工|积水|易涝|事故|多发|易堵|危险|繁忙|隐患|破损|交通|岔|路|中间|禁停"
    "|太阳能|景观|智能|节能|高杆|晚上|熄灭|照明|亮化|水泥|沥青|柏油|硬化|坑洼|平整|开裂|塌陷|沉降|湿滑|结冰|开挖|恢复|铺设|桥|坡|巷|街|道|小|大|新|旧"
    "|小区|社区|大道|繁华|核心|关键|人行|临时"
)
_LIVED = (
    "农|乡|新|古|渔|驻|入|下|出|通|进|一|建|老|小|城中|自然|行政|中心|贫困|移民|空心|薄弱|脱贫|搬迁|撤并|合并|度假|地球|奥运|无废|法治|社区|先进"
    "|试验|产业|旅游|民俗|少数|民族|后进|软弱|涣散|边境|易地|库区|美好|失地|留守|多位|多户|老年|外出|返乡|回乡|动员|发动|带动|教育|尊重|征求|街道|小组"
    "|壮大|发展|盘活|村|饭|钱|酒|端|囤|[0-9]|十|百|千|余|户|名"
)
_GREEN = (
    "小|大|口袋|街心|屋顶|后|前|空中|城市|社区|小区|入户|赠送|街角|阳台|精神|心灵|重建|红色|老年|养老|青年|学生|单身|商务|商业|酒店式?|长租"
    "|人才|复式|平层|集体|职工|蓝领|白领|教师|租赁|服务式|高层|住宅|写字楼|办公|行政|商住|超高层|文化|休闲|市民|健身|体育|站前|露天|美食|绿化|大片|一片|中心"
    "|法治|村级|村|幸福|美好|理想|共有|守护|新"
)
_STREETED = (
    "大|小|老|背|临|上|逛|步行|商业|商贸|美食|样板|文化|夜市|古|正|主|扰|满|拦|骂|过|前|后|一条|条|窄|断头|死|陋|街|后|水|地下|运输|风情"
    "|仿古|餐饮|酒吧|服装|小吃|休闲|观光|绿道|景观|快速|林荫|迎宾|康庄|光明|信息|阳光"
)
_RULED = (
    "村|城|集|小|古|老|返|下|回|家|异|故|还|思|入|离|怀|水|全|街|重点|中心|建制|民族|强|特色|经济|产业|文旅|边境|背街|主|条|片|社区|沿街|冰|小城|驻"
    "|上级|两级|三级|四级|级"
)

_PUBLIC = (
    "小|大|中|公办|民办|私立|普惠性?|公立|寄宿制?|九年|义务|完全|初级|高级|普通|职业|高|初|托育|入|升|小型|乡村|薄弱|名校|优质|幼儿|附属|实验|九年制"
    "|口袋|主题|湿地|森林|郊野|街角|综合|科技|产业|工业|国家|植物|动物|体育|文化|休闲|儿童|带状|滨水|滨江|滨河|山体|市政|园|地质|矿山|郊外|免费|收费"
    "|跨[江河海]|斜拉|公铁|铁路|公路|高架|危|老|新|旧|人行|过江|室内|标准化|星级|智慧|零售|专业|大型|露天|马路|个"
)

_HAN = "[\u3400-\u9fff]"


def _named(ends: str, not_names: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    return re.compile(ends), re.compile(f"(?:{_ANY}|{not_names})$")


_PLACES = (
    _named("小区|社区", _HOUSED),
    _named(
        "(?<![小社])新村|村(?:民?委员?会|民|委)|村(?![民委级里庄居两务规医霸风落寨史口校容企])|庄(?![稼严重市])|屯(?![田兵积粮])",
        _LIVED,
    ),
    _named("公园|[小中]学(?![生校者习科阶])|幼儿园|大桥|(?:农贸|批发|集贸|菜)市场", _PUBLIC),
    _named("花园|家园|公寓|大厦|广场|花苑|佳苑|山庄|华庭|苑", _GREEN),
    _named("路[口段灯面]", _CROSSED),
    _named(
        "路(?![路面段灯口牌边网径程政权过人桥况费障基沿线标肩由途演试宽窄堵])|路(?=路)", _ROADED
    ),
    _named("大道|大街|街(?![道面区巷头坊边上景角镇])|巷(?!道)|胡同", _STREETED),
    _named(
        "街道(?!上|两|旁|边|两旁)|镇(?![村街区域痛静定压])|乡(?![村镇亲愁土道下音邻情])", _RULED
    ),
)


def tells_place_or_time(wording: str) -> bool:
    """Whether a wording names a place below the district, a door, a day or an hour."""
    text = "".join(unicodedata.normalize("NFKC", wording).split())
    if _TIMES.search(text) or _DOORS.search(text):
        return True
    return any(
        _is_name(text[max(0, found.start() - 6) : found.start()], not_name)
        for ends, not_name in _PLACES
        for found in ends.finditer(text)
    )


def _is_name(before: str, not_name: re.Pattern[str]) -> bool:
    """Whether what stands before the word for a place ends in its name."""
    last = re.search(f"{_HAN}{{1,6}}$", before)
    return last is not None and not not_name.search(last[0])


# ── names of places that a source tells ──

_ENDINGS = (
    "村民委员会|居民委员会|村委会|居委会|街道办事处|街道办|街道|社区|小区|新村|行政村|自然村|村民小组|花园|家园|公寓|大厦"
    "|广场|山庄|大道|大街|胡同|市场|村|镇|乡|路|街|巷|弄|苑|里|屯|庄|组|站"
)
_PLACE = re.compile(rf"{_HAN}{{2,8}}?(?:{_ENDINGS})")
_ENDING = re.compile(rf"(?:{_ENDINGS})$")
_EVERYDAY = re.compile(
    "幸福|和平|团结|建设|解放|人民|新华|文化|胜利|友谊|光明|发展|工业|公园|学院|民主|民生|健康|安全|环保|科技|体育|教育|政府|中心"
    "|城市|城镇|农村|东风|红旗|和谐|文明|平安|阳光|交通|新城|老城|城东|城西|城南|城北|城中|城区|城关|市区|道路|高速|公共|卫生|生态"
)
"""Names of streets and communities that are words as well: alone they tell no place."""


def names_of(place: str) -> Iterable[str]:
    """The names in what a source tells of a place, each also without its ending: 翠湖苑社区 is 翠湖苑 too."""
    text = "".join(place.split())
    for whole in (text, *(found[0] for found in _PLACE.finditer(text))):
        short = _ENDING.sub("", whole)
        yield whole
        if len(short) >= 2 and not _EVERYDAY.fullmatch(short) and re.fullmatch(f"{_HAN}+", short):
            yield short
