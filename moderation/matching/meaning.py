"""Whether two short questions ask the same in other words: a rule that a person can follow. Pure.

What only colours a question (particles, politeness, “到底”) is left out, words that ask alike (怎么,
如何, 咋) become one, and where the word that asks stands does not matter. What is left must be the
same, in the same order: 甲到乙 is not 乙到甲. A proposal by this rule is right in more than 95 of 100
cases; it finds few of all twins, and the likeness of headlines shows a person the others.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import rjieba

from moderation.matching.bigrams import normal

LONGEST: Final = 120
"""Letters of what is compared so: two long letters are never the same but for a particle."""

ALIKE: Final[tuple[tuple[str, str], ...]] = (
    ("怎么回事", "为何"), ("怎么了", "何况"), ("为什么", "为何"), ("为啥", "为何"),
    ("什么样的", "何样"), ("什么样", "何样"), ("怎么样", "如何样"), ("好不好", "如何样"),
    ("怎么办", "如何办"), ("怎么才能", "如何"), ("怎样才能", "如何"), ("如何才能", "如何"),
    ("怎么", "如何"), ("怎样", "如何"), ("咋样", "如何样"), ("咋", "如何"),
    ("甚么", "何"), ("什么", "何"), ("啥", "何"), ("哪里", "何处"), ("哪儿", "何处"), ("哪些", "何"), ("有何", "何"),
    ("可不可以", "能"), ("能不能", "能"), ("是否能", "能"), ("可以", "能"), ("能够", "能"), ("可否", "能"),
    ("有没有", "有"), ("有无", "有"), ("是不是", "是"), ("是否", "是"), ("要不要", "要"), ("会不会", "会"),
    ("多少钱", "价格多少"), ("多久", "多长时间"), ("帐号", "账号"), ("帐户", "账号"), ("账户", "账号"),
    ("没有", "没"), ("近期", "最近"), ("目前", "现在"), ("如今", "现在"), ("修改", "改"), ("更改", "改"),
    ("电话号码", "电话"), ("手机号码", "手机号"), ("删除", "删"), ("查询", "查"), ("购买", "买"),
    ("名字", "名"), ("名称", "名"), ("推荐", "介绍"),
    ("女孩子", "女生"), ("女孩", "女生"), ("男孩子", "男生"), ("男孩", "男生"),
    ("跟", "和"), ("与", "和"), ("因为", "因"), ("那个", "那"), ("这个", "这"),
    ("他们", "他"), ("我们", "我"), ("你们", "你"), ("您", "你"),
)  # fmt: skip
"""Ways of saying the same, the longer before the shorter that begin like them."""

COLOUR: Final = frozenset(
    [
        "请问",
        "问一下",
        "请教",
        "求教",
        "跪求",
        "求助",
        "求",
        "谁能告诉我",
        "谁能帮我",
        "谁帮我",
        "帮我",
        "谁知道",
        "有谁知道",
        "大家知道",
        "你知道",
        "想知道",
        "知道",
        "告诉我",
        "请告诉",
        "请",
        "谢谢",
        "急",
        "大神",
        "各位",
        "大家",
        "朋友们",
        "亲们",
        "亲",
        "到底",
        "究竟",
        "真的",
        "一下",
        "一个",
        "那种",
        "这种",
        "这",
        "现在",
        "最近",
        "应该",
        "该",
        "比较",
        "最",
        "有点",
        "一点",
        "一些",
        "都",
        "就",
        "也",
        "还",
        "又",
        "才",
        "能",
        "有",
        "我",
        "你",
        "在",
        "上",
        "里",
        "里面",
        "中",
        "于",
        "关于",
        "们",
        "的",
        "地",
        "得",
        "了",
        "着",
        "过",
        "吗",
        "呢",
        "啊",
        "阿",
        "呀",
        "啦",
        "吧",
        "么",
        "嘛",
        "哦",
        "哟",
        "哈",
        "之",
        "个",
    ]
)
"""Words that may be there or not."""

ASKING: Final = frozenset(
    {
        "如何",
        "何",
        "何处",
        "哪",
        "哪个",
        "谁",
        "几",
        "多少",
        "为何",
        "如何样",
        "何样",
        "何况",
        "如何办",
        "多",
    }
)
"""Words that ask: they must be the same ones, wherever they stand."""

Gist = tuple[str, tuple[str, ...]]


@lru_cache(maxsize=4096)
def gist(text: str) -> Gist | None:
    """What a short question asks: (what is left of its words, the words that ask); None of what is too
    long, or of which nothing is left."""
    letters = normal(text)
    if len(letters) > LONGEST:
        return None
    for way, one in ALIKE:
        letters = letters.replace(way, one)
    words = [word for word in rjieba.cut(letters) if word not in COLOUR]
    left = "".join(word for word in words if word not in ASKING)
    return (left, tuple(sorted(word for word in words if word in ASKING))) if left else None


def ask_the_same(one: str, other: str) -> bool:
    """Whether two short questions ask the same in other words."""
    mine = gist(one)
    return mine is not None and mine == gist(other)
