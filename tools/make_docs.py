"""Makes the pages of docs/ that are tables of the code: events, refusals, settings, rights, screens,
and the list of routes in api.md.

`python tools/make_docs.py` writes them; a test fails when a page differs from what this makes.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from moderation.intake.columns import ALIASES, SECOND_CHOICES  # noqa: E402
from moderation.intake.refusals import ROW_REFUSALS  # noqa: E402
from server.app import create_app  # noqa: E402
from server.domain.events import EVENTS, ROOMS  # noqa: E402
from server.domain.hearing import STATUS_NEXT  # noqa: E402
from server.domain.questions import NEXT as QUESTION_NEXT  # noqa: E402
from server.domain.questions import REJECTION_REASONS  # noqa: E402
from server.domain.refusals import CATALOGUE  # noqa: E402
from server.domain.roles import APART, GRANTABLE, RIGHTS, ROLES  # noqa: E402
from server.domain.rounds import NEXT as ROUND_NEXT  # noqa: E402
from server.settings import Settings  # noqa: E402
from tools import screen_states  # noqa: E402
from web import renderer  # noqa: E402

MADE = "<!-- Made by tools/make_docs.py from the code; do not edit. -->\n"


def events() -> str:
    """docs/events.md"""
    lines = [
        "# Events\n",
        MADE,
        "Each act in a run's journal is one of these events. A room that an event is told to gets",
        "the next number of its own version with it. `state` = the members that its cue carries.\n",
        "| event | told to | state | said, 中文 | said, English |",
        "|---|---|---|---|---|",
    ]
    for name, row in EVENTS.items():
        rooms = "all" if set(row.rooms) == set(ROOMS) else " ".join(row.rooms)
        members = " ".join(row.members) or "–"
        lines.append(f"| `{name}` | {rooms} | {members} | {row.zh} | {row.en} |")
    return "\n".join(lines) + "\n"


def refusals() -> str:
    """docs/refusals.md"""
    lines = [
        "# Refusals\n",
        MADE,
        "Whatever is refused is one row of this table: a stable code, a status, a sentence in the",
        "reader's language. Nothing has changed when one of them is answered, except that",
        "`outcome_unknown` says that it is not known whether something has.\n",
        "| code | status | 中文 | English |",
        "|---|---|---|---|",
    ]
    lines += [f"| `{c}` | {r.status} | {r.zh} | {r.en} |" for c, r in CATALOGUE.items()]
    lines += [
        "\n## Reasons for which a question is rejected\n",
        "| code | 中文 | English |",
        "|---|---|---|",
    ]
    lines += [f"| `{c}` | {zh} | {en} |" for c, (zh, en) in REJECTION_REASONS.items()]
    return "\n".join(lines) + "\n"


def settings() -> str:
    """docs/settings.md"""
    lines = [
        "# Settings\n",
        MADE,
        "Environment variables; there is no other place for settings.\n",
        "| variable | default | meaning |",
        "|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        variable = str(field.validation_alias or f"PINGYI_{name.upper()}")
        default = field.default
        shown = "–" if default in ("", ()) else f"`{default}`"
        lines.append(f"| `{variable}` | {shown} | {field.description} |")
    return "\n".join(lines) + "\n"


def rights() -> str:
    """docs/rights.md"""
    lines = [
        "# Roles and rights\n",
        MADE,
        "| role | 中文 | English | may grant |",
        "|---|---|---|---|",
    ]
    for key, (zh, en) in ROLES.items():
        grants = ", ".join(r for r in ROLES if r in GRANTABLE.get(key, ())) or "–"
        lines.append(f"| `{key}` | {zh} | {en} | {grants} |")
    lines += ["\n## Rights\n", "| right | roles |", "|---|---|"]
    lines += [f"| `{k}` | {', '.join(r for r in ROLES if r in v)} |" for k, v in RIGHTS.items()]
    lines += ["\n## Roles that one account may not hold together\n"]
    lines += [f"- {' + '.join(r for r in ROLES if r in pair)}" for pair in APART]
    return "\n".join(lines) + "\n"


def states() -> str:
    """docs/states.md"""
    lines = ["# States\n", MADE, "An act that is not in a table is refused and changes nothing.\n"]
    lines += ["## Hearing\n", "| from | to |", "|---|---|"]
    lines += [f"| {s} | {', '.join(sorted(after)) or '–'} |" for s, after in STATUS_NEXT.items()]
    lines += ["\n`ready → check_in` happens by starting a run.\n"]
    for title, table in (("Question", QUESTION_NEXT), ("Round", ROUND_NEXT)):
        lines += [f"## {title}\n", "| act | from | to |", "|---|---|---|"]
        for act, moves in table.items():
            for before, after in moves.items():
                lines.append(f"| {act} | {before} | {after or 'the state before'} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def screens() -> str:
    """docs/screens.md"""
    lines = [
        "# Screens\n",
        MADE,
        "Which event redraws which part of which page. A part shows the same to everyone in its",
        "room; what is not named for an event does not change by it.\n",
    ]
    for room, page in renderer.PAGES.items():
        lines += [f"## {room}\n", f"Parts: {', '.join(f'`{n}`' for n in page.fragments)}.\n"]
        lines += ["| event | redraws |", "|---|---|"]
        for event in EVENTS:
            if room not in EVENTS[event].rooms:
                continue
            parts = ", ".join(f"`{n}`" for n in page.redraws[event])
            if event in page.item_events:
                parts = f"{parts}{', ' if parts else ''}the question's own line"
            lines.append(f"| `{event}` | {parts or 'nothing'} |")
        lines.append("")
    lines += ["# What each screen shows\n", *screen_states.lines()]
    return "\n".join(lines).rstrip() + "\n"


def hotline_files() -> str:
    """docs/hotline-files.md"""
    lines = [
        "# Hotline files\n",
        MADE,
        "`pingyi import FILE --hearing SLUG --source KEY` and the import page of a hearing take a CSV",
        "(UTF-8 or GB18030), XLSX or XLS file. Every row is either in or refused with row, column and",
        "reason; a row refused changes nothing else. Importing a file again changes nothing; a newer",
        "record of the same number updates the question.\n",
        "## Columns\n",
        "A column is known by its header: the canonical name itself or one of the names beside it,",
        "without regard to spaces, width and case. Names in italics give way when another column means",
        "the same. A column that is not known is kept with the question under its own header.",
        '`--mapping FILE` settles every doubt: `{"HEADER":"canonical name"}`, or `null` to leave a',
        "column unknown. Needed: `content`, and `external_id`, by which a record is known again.\n",
        "| canonical name | headers |",
        "|---|---|",
    ]
    for canonical, names in ALIASES.items():
        second = [f"*{n}*" for n, meant in SECOND_CHOICES.items() if meant == canonical]
        lines.append(f"| `{canonical}` | {'、'.join([*names, *second]) or '–'} |")
    lines += [
        "\n## Times\n",
        "Read as Asia/Shanghai: true dates of a workbook, `2019/2/28 11:25:05`, `2019-02-28`,",
        "`2019年2月28日 11时25分`, `20190228112505`, ISO 8601 with an offset. `accepted_at` decides which",
        "record is newer, so a row whose `accepted_at` cannot be read is refused (`date_invalid`). Any",
        "other time that cannot be read (`5个工作日` is a usual limit) is kept as it stands with the",
        "question's further fields, and the row is in.\n",
        "## The same number twice in one file\n",
        "The later `accepted_at` wins, or the later row where no time tells. Rows that say the same are",
        "counted as unchanged; an older row that says something else is refused as `row_repeated`, with",
        "the row that was taken. So `rows` = new + updated + unchanged + refused, always.\n",
        "## Why a row is refused\n",
        "| code | 中文 | English |",
        "|---|---|---|",
    ]
    lines += [f"| `{code}` | {zh} | {en} |" for code, (zh, en) in ROW_REFUSALS.items()]
    return "\n".join(lines) + "\n"


def api() -> str:
    """docs/api.md: what stands above its last heading is written by hand."""
    heading = "## Every route\n"
    written = (ROOT / "docs/api.md").read_text(encoding="utf-8").partition(heading)[0]
    lines = [heading.rstrip(), MADE.rstrip(), "| | |", "|---|---|"]
    for path, item in create_app().openapi()["paths"].items():
        for method, operation in item.items():
            address = f"{method.upper()} {path.removeprefix('/api/v1')}"
            lines.append(f"| `{address}` | {operation['summary']} |")
    return written + "\n".join(lines) + "\n"


PAGES = {
    "api.md": api,
    "events.md": events,
    "hotline-files.md": hotline_files,
    "refusals.md": refusals,
    "settings.md": settings,
    "rights.md": rights,
    "states.md": states,
    "screens.md": screens,
}


def main() -> None:
    """Writes every page."""
    for name, make in PAGES.items():
        (ROOT / "docs" / name).write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main()
