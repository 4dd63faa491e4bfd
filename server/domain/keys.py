"""Which texts may name a subject, rater, group, dimension, label or grade."""

from __future__ import annotations

LONGEST_KEY = 128
LONGEST_LABEL = 200


def is_visible(text: str, most: int) -> bool:
    """Whether `text` is 1 to `most` visible characters with no space at either end.

    Control, formatting and zero-width characters are not visible: two keys that look alike on
    paper should be one key. The ideographic space, which pads Chinese names, may stand inside.
    """
    visible = text.replace("\u3000", " ").isprintable()
    return 0 < len(text) <= most and visible and text.strip() == text


def is_key(text: str) -> bool:
    """Whether `text` can name a subject, rater, group, dimension, label or grade."""
    return is_visible(text, LONGEST_KEY)
