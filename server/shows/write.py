"""A show as a file: YAML that a person can read and edit, in the order of `docs/show-file.md`."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import yaml

from server.domain.show import Language, Show, ShowItem, ShowQuestion, ShowRound
from server.shows.read import FORMAT_VERSION, read_show
from server.shows.values import FLOAT

_HEADS: Final[Mapping[Language, str]] = {
    "zh": (
        "# 评议场次文件，格式见 docs/show-file.md。\n"
        "# 时长一律以秒计；时间是本地时间；小数写在引号里；没有写出的项取默认值。\n"
    ),
    "en": (
        "# A Pingyi show file; the format is told in docs/show-file.md.\n"
        "# Durations are in seconds, times are local, decimals are quoted; what is left out has\n"
        "# its default.\n"
    ),
}

_SECTIONS: Final = ("version", "subjects", "items", "groups", "seats", "rounds", "questions")
"""Keys with an empty line before them."""


def write_show(show: Show) -> str:
    """The show as YAML that a person can read and edit, in the order of `docs/show-file.md`.

    `read_show` of the result equals `show`. Raises `ShowFileError` for a show that breaks a rule of
    the format (as if its file had been read), `ValueError` for one that no file could hold, such as
    a title with blanks around it.
    """
    text = _HEADS[show.language] + "".join(
        ("\n" if name in _SECTIONS else "") + _yaml({name: value})
        for name, value in _plain_show(show).items()
    )
    if read_show(text, show.language) != show:
        raise ValueError("a file cannot hold this show: a text or a rule would be read differently")
    return text


def _given(**values: object) -> dict[str, object]:
    """The values that are worth writing: not None, nor an empty tuple."""
    return {name: value for name, value in values.items() if value is not None and value != ()}


def _plain_show(show: Show) -> dict[str, object]:
    return _given(
        version=FORMAT_VERSION,
        title=show.title,
        slug=show.slug,
        office=show.office,
        language=show.language,
        stream_url=show.stream_url,
        note=show.note,
        rehearsal_allowed=show.rehearsal_allowed,
        signers=list(show.signers),
        publishers=list(show.publishers),
        publication=show.publication,
        contest_days=show.contest_days,
        reviews=list(show.reviews) or None,
        shortlist_in_advance=show.shortlist_in_advance or None,
        subjects=[
            _given(
                key=s.key, name=s.name, post=s.post, unit=s.unit, aliases=list(s.aliases) or None
            )
            for s in show.subjects
        ],
        items=[_plain_item(item) for item in show.items],
        groups=[_given(key=g.key, name=g.name, weight=g.weight) for g in show.groups] or None,
        seats=[
            _given(number=s.number, name=s.name or None, group=s.group, unit=s.unit)
            for s in show.seats
        ]
        or None,
        rounds=list(_plain_rounds(show.rounds)) or None,
        questions=[_plain_question(question) for question in show.questions] or None,
    )


def _plain_item(item: ShowItem) -> dict[str, object]:
    steps = [_given(key=s.key, seconds=s.seconds, script=s.script) for s in item.steps]
    return _given(key=item.key, title=item.title, subject=item.subject, steps=steps)


def _plain_rounds(rounds: Iterable[ShowRound]) -> Iterator[dict[str, object]]:
    """Rules that are the same as those of an earlier round become that round's key."""
    written: list[ShowRound] = []
    for this in rounds:
        same = next((one for one in written if one.rules == this.rules), None)
        labels: dict[str, str] | None = {label.key: label.label for label in this.labels}
        if this.labels == (same.labels if same else ()):
            labels = None
        yield _given(
            key=this.key,
            title=this.title,
            audience=this.audience,
            secrecy=this.secrecy,
            replacing=this.replacing,
            comments=this.comments or None,
            reason_below=this.reason_below,
            unsent=this.unsent if this.unsent != "discard" else None,
            subjects=list(this.subjects),
            item=this.item,
            choices=[_given(key=c.key, label=c.label) for c in this.choices] or None,
            rules=this.rules if same is None else same.key,
            labels=labels,
            show_live=this.show_live or None,
        )
        if this.rules is not None:
            written.append(this)


def _plain_question(question: ShowQuestion) -> dict[str, object]:
    return _given(
        source=question.source,
        source_key=question.source_key,
        external_id=question.external_id,
        title=question.title,
        text=question.text,
        subject=question.subject,
        requester_name=question.requester_name,
        requester_phone=question.requester_phone,
        district=question.district,
        asked_at=question.asked_at,
        likes=question.likes or None,
        status=question.status if question.status != "received" else None,
    )


class _Dumper(yaml.SafeDumper):
    """Block style, list entries set in, nothing shared."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: object) -> bool:
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Lines as a block, look-alikes of numbers in quotes, the rest as it stands."""
    style = None
    if "\n" in text and text == text.strip():
        style = "|"
    elif FLOAT.fullmatch(text):
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def _yaml(value: object) -> str:
    return yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100)
