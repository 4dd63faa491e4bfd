"""Whether a round is 记名 or 无记名, and who can ever see what of it: one sentence, said on every sheet."""

from __future__ import annotations

from collections.abc import Mapping

from server.domain.roles import RIGHTS, ROLES
from server.domain.rounds import Round
from server.domain.rules import Together

_PARTS: Mapping[Together, tuple[str, str]] = {
    "ballot": ("一整张票", "a whole ballot at a time"),
    "sheet": ("每位述法人一张", "one sheet for each subject"),
    "nothing": ("一项一项拆开", "mark by mark"),
}
"""What of a secret ballot stays together after the closing, as the rules need it."""


def who_sees(round_: Round, together: Together | None) -> dict[str, str]:
    """The sentence in both languages. `together` is what the rules of a panel round keep together."""
    if round_.audience == "public":
        return {
            "zh": "网络评价以匿名代号记录，不要姓名；截止后工作人员看到代号和选择，公布的只有各选项的数目。",
            "en": (
                "Online evaluation is recorded under a pseudonym, without a name; after the closing"
                " staff see pseudonyms and choices, and only the counts are published."
            ),
        }
    readers = [key for key in ROLES if key in RIGHTS["see_ballots"]]
    zh = "、".join(ROLES[key][0] for key in readers)
    en = ", ".join(ROLES[key][1].lower() for key in readers)
    if not round_.sealed:
        return {
            "zh": (
                f"记名：您打的分与席位一起记录，截止前只有您自己看得到；截止后{zh}可以看到，"
                "公布的结果里没有姓名和席位。"
            ),
            "en": (
                "Named (记名): your marks are recorded with your seat and before the closing only you"
                f" see them; after it {en} can see them, and the published result has no name or seat."
            ),
        }
    parts = _PARTS[together or "ballot"]
    return {
        "zh": (
            f"无记名：您打的分加密封存，截止前谁也看不到；截止后与席位分开、打乱次序，{zh}只看到不署名"
            f"的分（注明组别，{parts[0]}），谁也查不出哪些是您打的；您交没交，工作人员看得到。"
        ),
        "en": (
            "Secret (无记名): your marks are sealed and before the closing nobody sees them; after it they"
            f" are parted from the seats and shuffled, {en} see them without a name (with the group,"
            f" {parts[1]}), and nobody can tell which are yours; staff see whether you have cast."
        ),
    }
