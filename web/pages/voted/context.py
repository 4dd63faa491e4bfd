"""What a browser without scripts is told after it answered a public round."""

from __future__ import annotations

from dataclasses import dataclass

from server.domain.rounds import Round


@dataclass(frozen=True)
class Voted:
    """`choice` is the label of what counts now for this viewer; `changeable` while the round takes
    another choice; `back` leads to the round on the public page."""

    title: str
    choice: str
    changeable: bool
    back: str


def voted(round_: Round, choice: str, back: str) -> Voted:
    """The receipt of a choice."""
    changeable = round_.status == "open" and round_.replacing != "first"
    return Voted(round_.title, dict(round_.choices).get(choice, choice), changeable, back)
