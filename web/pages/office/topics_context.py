"""What the page of an office's scheme of topics shows. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from moderation.topics.scheme_file import BadRow
from server.actions.manage_topics import Replaced
from server.domain.hearing import Place
from server.domain.topics import LABELS_LEAST, SEPARATOR, Scheme
from web.layout.texts import Texts, side


@dataclass(frozen=True)
class Below:
    """A topic of the first level: names below it, and questions of this hearing within it."""

    name: str
    below: tuple[str, ...]
    questions: int


@dataclass(frozen=True)
class TopicsPage:
    """The page. `said` is why a file was not taken, `bad` its rows; `done` what a new scheme changed.
    `gone` are topics that questions bear and the scheme has no more."""

    slug: str
    title: str
    version: int
    count: int
    file: str
    when: str
    first: tuple[Below, ...]
    gone: tuple[tuple[str, int], ...]
    learned: int
    learned_at: str
    least: int
    said: str
    bad: tuple[tuple[int, str], ...]
    done: Replaced | None


def topics_page(
    place: Place,
    scheme: Scheme,
    kept: tuple[str, int],
    in_use: Mapping[str, int],
    trained: tuple[int, int],
    lang: str,
    said: str = "",
    bad: Sequence[BadRow] = (),
    done: Replaced | None = None,
) -> TopicsPage:
    """The present scheme; `kept` is its file's name and time, `trained` when and from how many choices
    was learned."""
    below: dict[str, list[str]] = {one.path: [] for one in scheme.first}
    for one in scheme.topics:
        first, _, rest = one.path.partition(SEPARATOR)
        if rest:
            below[first].append(rest)
    within: Counter[str] = Counter()
    for topic, n in in_use.items():
        within[topic.partition(SEPARATOR)[0]] += n
    return TopicsPage(
        slug=place.slug,
        title=place.title,
        version=scheme.version,
        count=len(scheme.topics),
        file=kept[0],
        when=_at(kept[1], lang),
        first=tuple(Below(name, tuple(names), within[name]) for name, names in below.items()),
        gone=tuple((topic, n) for topic, n in sorted(in_use.items()) if not scheme.find(topic)),
        learned=trained[1],
        learned_at=_at(trained[0], lang),
        least=LABELS_LEAST,
        said=said,
        bad=tuple((one.row, side((one.zh, one.en), lang)) for one in bad),
        done=done,
    )


def _at(when: int, lang: str) -> str:
    texts = Texts(lang)
    return f"{texts.day(when)} {texts.clock(when)}" if when else ""
