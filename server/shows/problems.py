"""What can be wrong with a show file: every sentence, one problem in its place, all of them at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from server.domain.show import Language

MAX_PROBLEMS: Final = 20  # shown at once; the rest are counted

MESSAGES: Final[Mapping[str, tuple[str, str]]] = {
    # The file as a whole
    "too_large": ("文件超过 {most} 字节", "the file is larger than {most} bytes"),
    "not_utf8": ("文件不是 UTF-8 编码", "the file is not UTF-8"),
    "not_yaml": ("不是合法的 YAML：{why}", "this is not YAML: {why}"),
    "empty_file": ("文件里没有内容", "there is nothing in the file"),
    "many_documents": (
        "一个文件只写一场，这里又开始了一份（---）",
        "one file holds one show; a second document begins here (---)",
    ),
    "too_deep": ("嵌套超过 {most} 层", "nested more than {most} deep"),
    "too_many_values": ("全文超过 {most} 个值", "more than {most} values in the file"),
    "alias": (
        "不能用 * 引用别处，请把内容写出来",
        "an alias (*) is not allowed; write the thing out",
    ),
    "anchor": ("不能用 & 作锚点", "an anchor (&) is not allowed"),
    "tag": ("不能用 ! 指定类型", "a tag (!) is not allowed"),
    "unknown_version": (
        "格式版本只有 {known}",
        "the only version of the format is {known}",
    ),
    # Keys of mappings
    "missing": ("缺少这一项", "this key is missing"),
    "unknown_key": (
        "没有“{what}”这一项，这里可写：{known}",
        "there is no key “{what}”; known here: {known}",
    ),
    "duplicate_key": (
        "“{what}”在第 {first} 行已经写过",
        "“{what}” was already given on line {first}",
    ),
    "odd_key": ("冒号前只能是一个词", "a key must be one plain word"),
    # Kinds of values
    "not_mapping": ("这里应是“键: 值”的形式", "this must be a mapping (key: value)"),
    "not_list": ("这里应是一个列表（每行以“- ”开头）", "this must be a list (lines with “- ”)"),
    "not_text": ("这里应是一段文字", "this must be text"),
    "not_integer": ("这里应是一个整数", "this must be a whole number"),
    "not_boolean": ("这里只能写 true 或 false", "this must be true or false"),
    "not_decimal": (
        "这里应是不小于 0 的十进制小数，如 0.25",
        "this must be a decimal of 0 or more, such as 0.25",
    ),
    "not_time": (
        "时间写作 2025-11-03 09:30 或 2025-11-03 09:30:00",
        "write a time as 2025-11-03 09:30 or 2025-11-03 09:30:00",
    ),
    "bad_slug": (
        "只能用 3–40 个小写字母、数字或连字符",
        "must be 3–40 of a–z, 0–9 and the hyphen",
    ),
    "bad_key": (
        "只能用 1–40 个小写字母、数字、连字符或下划线",
        "must be 1–40 of a–z, 0–9, hyphen and underscore",
    ),
    "bad_url": (
        "地址应以 http:// 或 https:// 开头，不含空格",
        "the address must begin with http:// or https:// and hold no space",
    ),
    "decimal_not_quoted": (
        '规则里的小数要加引号，如 "0.5"',
        'a decimal in the rules must be quoted, such as "0.5"',
    ),
    # Sizes
    "blank": ("不能是空的", "must not be blank"),
    "too_long": ("超过 {most} 个字", "longer than {most} characters"),
    "many_lines": ("只能写一行", "must be one line"),
    "bad_character": (
        "含有看不见的控制字符",
        "holds an invisible control character",
    ),
    "out_of_range": ("应在 {least} 到 {most} 之间", "must be from {least} to {most}"),
    "too_few": ("至少要有 {least} 个", "at least {least} needed"),
    "too_many": ("不能超过 {most} 个", "no more than {most} allowed"),
    # Fixed words
    "not_one_of": ("只能是：{known}", "must be one of: {known}"),
    "unknown_step": ("没有这个步骤，只能是：{known}", "no such step; one of: {known}"),
    # Keys that are defined and referred to
    "duplicate": ("“{what}”与第 {first} 行重复", "“{what}” is already taken on line {first}"),
    "unknown_subject": ("没有键为“{what}”的述法人", "there is no subject with the key “{what}”"),
    "unknown_group": ("没有键为“{what}”的组别", "there is no group with the key “{what}”"),
    "unknown_item": ("没有键为“{what}”的议程", "there is no agenda item with the key “{what}”"),
    "unknown_round": (
        "前面没有键为“{what}”且写了规则的轮次",
        "no earlier round with rules has the key “{what}”",
    ),
    "unknown_preset": (
        "没有预设规则“{what}”，可用：{known}",
        "there is no preset “{what}”; there are: {known}",
    ),
    "other_source": (
        "“{what}”在第 {first} 行是另一种来源",
        "“{what}” is another kind of source on line {first}",
    ),
    # What a round may be
    "choices_or_rules": (
        "选项（choices）和规则（rules）须写一样，且只写一样",
        "give either choices or rules, and not both",
    ),
    "public_rules": (
        "网络评价只能用选项（choices），不用规则",
        "a public round has choices, not rules",
    ),
    "secret_shown_live": (
        "无记名的轮次在截止前没有分项计数，不能实时显示",
        "a secret round has no counts before it closes, so none can be shown live",
    ),
}
"""Each problem's code, its Chinese and its English sentence. Codes never change their meaning."""


@dataclass(frozen=True, slots=True)
class ShowProblem:
    """One thing wrong with a show file.

    Sentences quote keys and fixed words, never a text, a person's name or a long number.
    """

    line: int
    """Line of the file, the first being 1."""
    key: str
    """Where it is, entries counted from 1: `items[2].steps[1].seconds`; "" = the file itself."""
    code: str
    """A key of `MESSAGES`."""
    zh: str
    en: str

    def sentence(self, lang: Language) -> str:
        """`第 12 行 seats[3].number：…` or `line 12, seats[3].number: …`."""
        if lang == "zh":
            return f"第 {self.line} 行{' ' + self.key if self.key else ''}：{self.zh}"
        return f"line {self.line}{', ' + self.key if self.key else ''}: {self.en}"


class ShowFileError(ValueError):
    """A show file that cannot be taken.

    `problems` holds up to 20 of them in the order of the file, `more` counts the others; `line`,
    `key`, `code`, `zh` and `en` are those of the first. As text: one sentence a line.
    """

    def __init__(
        self, problems: tuple[ShowProblem, ...], more: int = 0, lang: Language = "zh"
    ) -> None:
        lines = [problem.sentence(lang) for problem in problems]
        if more:
            lines.append(f"还有 {more} 处。" if lang == "zh" else f"and {more} more")
        super().__init__("\n".join(lines))
        self.problems = problems
        self.more = more
        self.line = problems[0].line
        self.key = problems[0].key
        self.code = problems[0].code
        self.zh = problems[0].zh
        self.en = problems[0].en


class Placed(Protocol):
    """A piece of the file that can be pointed at."""

    @property
    def line(self) -> int: ...
    @property
    def key(self) -> str: ...


class Problems:
    """What has been found wrong so far."""

    def __init__(self) -> None:
        self.found: list[ShowProblem] = []

    def add(self, line: int, key: str, code: str, **values: object) -> None:
        zh, en = MESSAGES[code]
        self.found.append(ShowProblem(line, key, code, zh.format(**values), en.format(**values)))

    def at(self, node: Placed, code: str, **values: object) -> None:
        self.add(node.line, node.key, code, **values)

    def error(self, lang: Language) -> ShowFileError:
        ordered = sorted(self.found, key=lambda problem: problem.line)
        more = max(0, len(ordered) - MAX_PROBLEMS)
        return ShowFileError(tuple(ordered[:MAX_PROBLEMS]), more, lang)
