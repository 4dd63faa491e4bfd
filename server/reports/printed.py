"""PDF by typst: the tally sheet, the result sheet, the minutes, blank forms, and the chart alone.

A template gets everything as one JSON text (`sys.inputs.data`), never as markup: whatever people
typed is text on paper and nothing else. Fonts are the system's; none are shipped. All of this takes
a tenth of a second and more: it belongs in a thread.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, Literal

import segno

from server.domain.refusals import Refusal
from server.reports.forms import Forms
from server.reports.minutes import Heading, Line, Minutes
from server.reports.sheet import Sheet
from server.reports.tables import Table, bars, distribution, lacks_marks, on_paper, widths
from server.reports.wording import word

TEMPLATES = Path(__file__).parent / "templates"
SERIF = (
    "FangSong_GB2312", "FangSong", "STFangsong", "Noto Serif CJK SC", "Source Han Serif SC",
    "Songti SC", "STSong", "SimSun", "AR PL UMing CN",
)  # fmt: skip
SANS = (
    "SimHei", "Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei",
    "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Droid Sans Fallback",
)  # fmt: skip
TITLE = ("FZXiaoBiaoSong-B05S", "FZXiaoBiaoSong-B05", *SERIF)
LATIN = ("Times New Roman", "Liberation Serif", "Libertinus Serif")
"""Families that are asked for, the best first; the last of LATIN comes with typst itself."""
MOST_MARKS = 6
"""Columns of marks that fit beside the names."""


def tally_sheet_pdf(sheet: Sheet) -> bytes:
    """计票单: for signature, with rules, counts, marks, hashes and the root as text and QR."""
    tables = on_paper(sheet, MOST_MARKS)
    spread = distribution(sheet)
    if spread in tables:
        spread = None
    data = _sheet_data(sheet) | {
        "heading": sheet.word("tally_title"),
        "tables": [_table(one) for one in tables],
        "distribution": _table(spread) if spread else None,
        "on_paper": sheet.word("on_paper"),
        "to_sign": list(sheet.to_sign),
        "sign_date": sheet.word("sign_date"),
    }
    return _pdf("tally", data, sheet.made_at)


def result_pdf(sheet: Sheet) -> bytes:
    """测评结果: the result with its chart, in the office's style."""
    data = _sheet_data(sheet) | {
        "heading": sheet.heading,
        "tables": [_table(one) for one in on_paper(sheet, MOST_MARKS)],
        "chart": _chart(sheet),
    }
    return _pdf("result", data, sheet.made_at)


def minutes_pdf(minutes: Minutes) -> bytes:
    """会议纪要."""
    data = {
        "lang": minutes.lang,
        "banner": _banner(minutes.lang, minutes.rehearsal, False),
        "heading": word("minutes_title", minutes.lang),
        "office": minutes.office,
        "hearing": minutes.hearing,
        "date": minutes.date,
        "intro": list(minutes.intro),
        "blocks": list(_blocks(minutes)),
        "attendance": [list(one) for one in minutes.attendance],
    }
    return _pdf("minutes", data, minutes.made_at)


def forms_pdf(forms: Forms) -> bytes:
    """Blank 测评表, one page each."""
    data = asdict(forms) | {
        "banner": _banner(forms.lang, forms.rehearsal, False),
        "heading": word("form_title", forms.lang),
        "no": word("no", forms.lang),
        "page": word("page", forms.lang),
        "forms": [asdict(one) | {"qr": _qr(one.code)} for one in forms.forms],
    }
    return _pdf("forms", data, 0)


def chart_png(sheet: Sheet) -> bytes | None:
    """The chart as a picture, or None where there is nothing to draw or nothing to draw it with."""
    data = {"lang": sheet.lang, "chart": _chart(sheet)}
    if not data["chart"]:
        return None
    try:
        return _made("chart", data, 0, "png")
    except Refusal:
        return None


# What templates get -----------------------------------------------------------------------------


def _sheet_data(sheet: Sheet) -> dict[str, Any]:
    w = sheet.word
    hashes = ((w("rules_hash"), sheet.rules_hash), (w("ballots_hash"), sheet.ballots_hash))
    small = [w("counted")] if sheet.subjects else []
    return {
        "lang": sheet.lang,
        "banner": _banner(sheet.lang, sheet.rehearsal, sheet.voided),
        "office": sheet.office,
        "hearing": sheet.hearing,
        "title": sheet.title,
        "date": sheet.date,
        "id": sheet.id,
        "facts": [list(one) for one in sheet.facts],
        "notes": list(sheet.notes),
        "small": [*small, *([w("null_note")] if lacks_marks(sheet) else [])],
        "rules_title": w("rules"),
        "rules": list(sheet.rules),
        "check_title": w("check"),
        "check_note": w("check_note"),
        "hashes": [list(one) for one in hashes if one[1]],
        "root_title": w("root"),
        "root": sheet.root,
        "no_root": w("no_root"),
        "root_qr": _qr(sheet.root) if sheet.root else "",
        "signed_title": w("signed"),
        "signed": [[one.word, one.at or w("not_signed")] for one in sheet.signatures],
        "page": w("page"),
    }


def _banner(lang: Any, rehearsal: bool, voided: bool) -> str:
    said = [word(key, lang) for key, on in (("rehearsal", rehearsal), ("voided", voided)) if on]
    return " · ".join(said)


def _table(table: Table) -> dict[str, Any]:
    return {
        "title": table.title,
        "columns": [column.label for column in table.columns],
        "left": [column.kind == "text" for column in table.columns],
        "widths": widths(table, 1000),
        "rows": [list(row) for row in table.rows],
    }


def _chart(sheet: Sheet) -> dict[str, Any] | None:
    found = bars(sheet)
    if not found:
        return None
    title = sheet.word("chart_public" if sheet.public else "chart")
    return {"title": title, "bars": [asdict(one) for one in found]}


def _blocks(minutes: Minutes) -> Iterable[dict[str, Any]]:
    for block in minutes.blocks:
        if isinstance(block, Heading):
            yield {"kind": "heading", "text": block.text}
        elif isinstance(block, Line):
            yield {"kind": "line", "at": block.at, "text": block.text}
        else:
            yield {"kind": "table", **_table(block)}


def _qr(text: str) -> str:
    """SVG of a QR code; templates give it its quiet zone."""
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="svg", border=0, xmldecl=False)
    return out.getvalue().decode()


# The engine -------------------------------------------------------------------------------------


def _pdf(template: str, data: Mapping[str, Any], made_at: int) -> bytes:
    return _made(template, data, made_at, "pdf")


def _made(
    template: str, data: Mapping[str, Any], made_at: int, form: Literal["pdf", "png"]
) -> bytes:
    try:
        import typst
    except ImportError:
        raise Refusal("cannot_print") from None
    fonts, families = _fonts()
    named = {
        "body": _known(SERIF, families) or _known(SANS, families),
        "head": _known(SANS, families) or _known(SERIF, families),
        "title": _known(TITLE, families) or _known(SANS, families),
        "latin": _known(LATIN, families)[:1],
    }
    if not named["body"]:
        _fonts.cache_clear()  # One that is installed meanwhile will be found.
        raise Refusal("cannot_print")
    made = typst.compile(
        TEMPLATES / f"{template}.typ",
        root=TEMPLATES,
        font_paths=fonts,
        format=form,
        ppi=200,
        sys_inputs={"data": json.dumps({**data, "fonts": named}, ensure_ascii=False)},
        timestamp=made_at // 1000,
    )
    return made


@cache
def _fonts() -> tuple[Any, frozenset[str]]:
    """The system's fonts, looked for once."""
    import typst

    found = typst.Fonts()
    return found, frozenset(found.families())


def _known(wanted: Iterable[str], families: frozenset[str]) -> list[str]:
    return [one for one in wanted if one in families]
