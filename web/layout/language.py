"""Chinese first, English second: templates are written in Chinese, `locale/en/*.po` gives English.

The Chinese sentence is the message id, so a template reads as its page does and the Chinese page
needs no catalogue. A test fails when a sentence in a template has no English.
"""

from __future__ import annotations

import gettext
import io
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES = ("zh", "en")
LOCALE = Path(__file__).parent.parent / "locale"


def language(wanted: str | None) -> str:
    """The language of `?lang=`; anything else is Chinese."""
    return wanted if wanted in LANGUAGES else "zh"


def html_language(lang: str) -> str:
    """The `lang` attribute of the page."""
    return "en" if lang == "en" else "zh-CN"


@cache
def translations(lang: str) -> gettext.NullTranslations:
    """The catalogue of a language, read once from the .po files."""
    if lang == "zh":
        return gettext.NullTranslations()
    merged = Catalog(locale="en")
    for path in sorted((LOCALE / "en").glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale="en"):
                if message.id:
                    merged.add(message.id, message.string)
    mo = io.BytesIO()
    write_mo(mo, merged)
    mo.seek(0)
    return gettext.GNUTranslations(mo)


def say(lang: str, sentence: str, **values: object) -> str:
    """One sentence from Python code in the reader's language; `%(name)s` is filled."""
    text = translations(lang).gettext(sentence)
    return text % values if values else text
