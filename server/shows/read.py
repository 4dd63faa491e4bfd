"""A show file read: the tree as a `Show`, or everything that is wrong with it.

The rules of a round are taken as a document and not understood here; `domain/rules.py` does that.
"""

import re
from typing import Final

from server.domain.orders import UNIT_NAME_LONGEST, UNIT_NAMES
from server.domain.questions import TEXT_LONGEST
from server.domain.show import (
    CONTEST_DAYS,
    LANGUAGES,
    PUBLICATIONS,
    PUBLISHERS,
    REPLACINGS,
    REVIEWS,
    ROUND_AUDIENCES,
    SECRECIES,
    SEED_STATUSES,
    SIGNERS,
    SOURCE_KINDS,
    STEP_KEYS,
    UNSENTS,
    Language,
    RulesDocument,
    Show,
    ShowChoice,
    ShowGroup,
    ShowItem,
    ShowLabel,
    ShowQuestion,
    ShowRound,
    ShowSeat,
    ShowStep,
    ShowSubject,
)
from server.shows.problems import Problems
from server.shows.rule_presets import PREFIX, presets
from server.shows.tree import Mapping, Node, Refused, Scalar, Sequence, shown, tree_of, unique
from server.shows.values import Fields, Values

FORMAT_VERSION: Final = 1

# Characters of one text.
TITLE: Final = 120
NAME: Final = 60
NUMBER: Final = 128  # a sender's own, as long as a hotline file may give it
ADDRESS: Final = 2_000
SCRIPT: Final = 2_000

# Entries of one list.
FEW: Final = 60  # subjects, groups, choices' labels
MANY: Final = 1_000  # items, seats, rounds
QUESTIONS: Final = 5_000

DAY: Final = 86_400  # seconds
LIKES: Final = 1_000_000_000

_URL: Final = re.compile(r"https?://[^\s/]\S*")
SLUG: Final = re.compile(r"[a-z0-9-]{3,40}")
_WEIGHT: Final = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")


def read_show(text: str | bytes, lang: Language = "zh") -> Show:
    """The show that a file holds; bytes are UTF-8, with or without a byte order mark.

    Raises `ShowFileError` with everything that is wrong; `lang` is the language of its text. Where
    the file is not YAML at all, only that is told: what stands behind it cannot be known.
    """
    problems = Problems()
    show = None
    tree = tree_of(text, problems)
    if tree is not None:
        reader = _ShowReader(problems)
        show = reader.show(tree)
        reader.settle_references()
    if problems.found or show is None:
        raise problems.error(lang)
    return show


class _ShowReader(Values):
    """The parts of a show, in the order of the file."""

    def __init__(self, problems: Problems) -> None:
        super().__init__(problems)
        self._rules: dict[str, tuple[RulesDocument, tuple[ShowLabel, ...]]] = {}
        self._language: Language = "zh"

    def show(self, tree: Node) -> Show | None:
        top = self.fields(tree)
        if top is None:
            return None
        version = top.may("version")
        if version is not None and self.scalar(version, "unknown_version") not in (
            None,
            str(FORMAT_VERSION),
        ):
            self.problems.at(version, "unknown_version", known=FORMAT_VERSION)
        self._language = self.word(top.may("language"), LANGUAGES, "zh")
        show = Show(
            title=self.text(top.need("title"), TITLE),
            slug=self.shaped(top.need("slug"), SLUG, "bad_slug"),
            office=self.text(top.need("office"), TITLE),
            language=self._language,
            stream_url=self.url(top.may("stream_url")),
            note=self.text_or_none(top.may("note"), SCRIPT, lines=True),
            rehearsal_allowed=self.boolean(top.may("rehearsal_allowed"), default=True),
            signers=self.words(top.may("signers"), SIGNERS, ("teller", "scrutineer", "host")),
            publishers=self.words(top.may("publishers"), PUBLISHERS, ("approver",)),
            publication=self.word(top.may("publication"), PUBLICATIONS, "internal"),
            contest_days=self.integer(top.may("contest_days"), 0, 60, CONTEST_DAYS),
            reviews=self.words(top.may("reviews"), REVIEWS, ()),
            shortlist_in_advance=self.boolean(top.may("shortlist_in_advance"), default=False),
            subjects=tuple(
                map(self.subject, self.section("subject", top.need("subjects"), FEW, 1))
            ),
            items=tuple(map(self.item, self.section("item", top.need("items"), MANY, 1))),
            groups=tuple(map(self.group, self.section("group", top.may("groups"), FEW))),
            seats=tuple(map(self.seat, self.mappings(top.may("seats"), MANY))),
            rounds=tuple(map(self.round, self.section("round", top.may("rounds"), MANY))),
            questions=tuple(map(self.question, self.mappings(top.may("questions"), QUESTIONS))),
        )
        top.end()
        return show

    def url(self, node: Node | None) -> str | None:
        if node is None:
            return None
        text = self.text(node, ADDRESS)
        if text and not _URL.fullmatch(text):
            self.problems.at(node, "bad_url")
        return text

    def subject(self, fields: Fields) -> ShowSubject:
        key = fields.need("key")
        return ShowSubject(
            key=self.define("subject", self.key(key), key),
            name=self.text(fields.need("name"), NAME),
            post=self.text(fields.need("post"), TITLE),
            unit=self.text(fields.need("unit"), TITLE),
            aliases=self.texts(fields.may("aliases"), UNIT_NAMES, UNIT_NAME_LONGEST),
        )

    def item(self, fields: Fields) -> ShowItem:
        key = fields.need("key")
        return ShowItem(
            key=self.define("item", self.key(key), key),
            title=self.text(fields.need("title"), TITLE),
            subject=self.refer("subject", fields.may("subject")),
            steps=tuple(map(self.step, self.mappings(fields.need("steps"), len(STEP_KEYS), 1))),
        )

    def step(self, fields: Fields) -> ShowStep:
        node = fields.need("key")
        key = self.known_word(node, STEP_KEYS, "unknown_step")
        if key:
            steps_of_item = fields.node.key.rpartition("[")[0]
            self.define(steps_of_item, key, node)
        return ShowStep(
            key=key or "opening",
            seconds=self.integer(fields.may("seconds"), 0, DAY),
            script=self.text_or_none(fields.may("script"), SCRIPT, lines=True),
        )

    def group(self, fields: Fields) -> ShowGroup:
        key = fields.need("key")
        return ShowGroup(
            key=self.define("group", self.key(key), key),
            name=self.text(fields.need("name"), NAME),
            weight=self.shaped(fields.need("weight"), _WEIGHT, "not_decimal"),
        )

    def seat(self, fields: Fields) -> ShowSeat:
        node = fields.need("number")
        number = self.integer(node, 1, 999)
        self.define("seat", str(number or ""), node)
        return ShowSeat(
            number=number,
            name=self.text_or_none(fields.may("name"), NAME) or "",
            group=self.refer("group", fields.need("group")) or "",
            unit=self.text_or_none(fields.may("unit"), TITLE),
        )

    def round(self, fields: Fields) -> ShowRound:
        key = fields.need("key")
        audience = self.word(fields.need("audience"), ROUND_AUDIENCES, "panel")
        choices, rules = fields.may("choices"), fields.may("rules")
        if (choices is None) == (rules is None):
            self.problems.at(fields.node, "choices_or_rules")
        elif rules is not None and audience == "public":
            self.problems.at(rules, "public_rules")
        document, labels = self.rules(rules, fields.may("labels"))
        subjects = fields.may("subjects") if rules is None else fields.need("subjects")
        show_live = fields.may("show_live")
        read = ShowRound(
            key=self.define("round", self.key(key), key),
            title=self.text(fields.need("title"), TITLE),
            audience=audience,
            secrecy=self.word(fields.may("secrecy"), SECRECIES, "named"),
            replacing=self.word(fields.may("replacing"), REPLACINGS, "last"),
            comments=self.boolean(fields.may("comments"), default=False),
            reason_below=self.figure(fields.may("reason_below")),
            unsent=self.word(fields.may("unsent"), UNSENTS, "discard"),
            subjects=self.subjects_of_round(subjects, least=0 if rules is None else 1),
            item=self.refer("item", fields.may("item")),
            choices=tuple(
                map(self.choice, self.mappings(choices, 12, 0 if choices is None else 2))
            ),
            rules=document,
            labels=labels,
            show_live=self.boolean(show_live, default=False),
        )
        if show_live is not None and read.show_live and read.secrecy == "secret":
            self.problems.at(show_live, "secret_shown_live")
        if document is not None:
            self._rules.setdefault(read.key, (document, labels))
        return read

    def figure(self, node: Node | None) -> str | None:
        return None if node is None else self.shaped(node, _WEIGHT, "not_decimal") or None

    def subjects_of_round(self, node: Node | None, least: int) -> tuple[str, ...]:
        keys: list[str] = []
        for entry in self.entries(node, FEW, least):
            key = self.refer("subject", entry)
            if key:
                keys.append(self.define(entry.key.rpartition("[")[0], key, entry))
        return tuple(keys)

    def choice(self, fields: Fields) -> ShowChoice:
        node = fields.need("key")
        choices_of_round = fields.node.key.rpartition("[")[0]
        return ShowChoice(
            key=self.define(choices_of_round, self.key(node), node),
            label=self.text(fields.need("label"), NAME),
        )

    def rules(
        self, node: Node | None, labels: Node | None
    ) -> tuple[RulesDocument | None, tuple[ShowLabel, ...]]:
        """A round's rules and labels, both of an earlier round where `rules` is that one's key, or
        those of a preset."""
        own = None if labels is None else self.labels(labels)
        if isinstance(node, Scalar) and node.text.startswith(PREFIX):
            return self.preset(node, own)
        if isinstance(node, Scalar):
            earlier = self._rules.get(node.text)
            if earlier is not None:
                return earlier[0], earlier[1] if own is None else own
            if "round" not in self._unsure:
                self.problems.at(node, "unknown_round", what=shown(node.text))
        elif isinstance(node, Mapping):
            return self.document(node), own or ()
        elif isinstance(node, Sequence):
            self.problems.at(node, "not_mapping")
        return None, own or ()

    def preset(
        self, node: Scalar, own: tuple[ShowLabel, ...] | None
    ) -> tuple[RulesDocument | None, tuple[ShowLabel, ...]]:
        """The rules of a preset, with its words in the show's language unless others are given."""
        preset = presets().get(node.text.removeprefix(PREFIX))
        if preset is None:
            known = ", ".join(presets())
            self.problems.at(node, "unknown_preset", what=shown(node.text), known=known)
            return None, own or ()
        words = preset.words[self._language]
        labels = tuple(ShowLabel(key, label) for key, label in words.items())
        return dict(preset.rules), labels if own is None else own

    def labels(self, node: Node) -> tuple[ShowLabel, ...]:
        if not isinstance(node, Mapping):
            if not isinstance(node, Refused):
                self.problems.at(node, "not_mapping")
            return ()
        if len(node.pairs) > FEW:
            self.problems.at(node, "too_many", most=FEW)
        return tuple(
            ShowLabel(self.key(name), self.text(label, NAME))
            for name, label in unique(node, self.problems)
        )

    def question(self, fields: Fields) -> ShowQuestion:
        source_node, key_node, id_node = map(fields.need, ("source", "source_key", "external_id"))
        source = self.known_word(source_node, SOURCE_KINDS)
        source_key = self.key(key_node)
        external_id = self.text(id_node, NUMBER)
        if source and source_key:
            lines = self._lines.setdefault(f"kind of {source_key}", {source: key_node.line})
            if source not in lines:
                first = next(iter(lines.values()))
                self.problems.at(key_node, "other_source", what=shown(source_key), first=first)
        self.define(f"question of {source_key}", external_id, id_node)
        return ShowQuestion(
            source=source or "hotline",
            source_key=source_key,
            external_id=external_id,
            title=self.text_or_none(fields.may("title"), TITLE),
            text=self.text(fields.need("text"), TEXT_LONGEST, lines=True),
            subject=self.refer("subject", fields.may("subject")),
            requester_name=self.text_or_none(fields.may("requester_name"), NAME),
            requester_phone=self.text_or_none(fields.may("requester_phone"), NAME),
            district=self.text_or_none(fields.may("district"), NAME),
            asked_at=self.time(fields.may("asked_at")),
            likes=self.integer(fields.may("likes"), 0, LIKES),
            status=self.word(fields.may("status"), SEED_STATUSES, "received"),
        )
