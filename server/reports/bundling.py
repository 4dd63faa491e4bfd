"""Makes a round's bundle with the machine's own randomness and the verifiers of this version."""

from __future__ import annotations

import random

from server.domain.bundles import BundleSource, MadeBundle, rules_of_round
from server.domain.rules import canonical_bytes
from server.reports import tools
from server.reports.bundle import Material, make_bundle


def bundle_of(source: BundleSource) -> MadeBundle:
    """Both editions under their root. Takes as long as the ballots are many: not for the event loop."""
    round_ = source.round
    panel = round_.audience == "panel"
    bundle = make_bundle(
        Material(
            round=round_.id,
            title=round_.title,
            audience=round_.audience,
            secrecy=round_.secrecy,
            due=len(round_.entitled) if panel else None,
            present=sum(one.present for one in round_.entitled) if panel else None,
            cast=round_.cast,
            opened_at=round_.opened_at or 0,
            closed_at=round_.closed_at or 0,
            groups=source.groups,
            rules=rules_of_round(round_),
            ballots=source.ballots.encode(),
            receipts=source.receipts,
            journal=source.journal,
            result=canonical_bytes(dict(round_.result or {})),
            tools=tools(),
        ),
        random.SystemRandom(),
    )
    return MadeBundle(bundle.root, bundle.zipped("public"), bundle.zipped("sealed"))
