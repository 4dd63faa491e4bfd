"""A Merkle tree over a list of texts (RFC 9162, SHA-256): its root, and a proof that one is in it.

The tree of n leaves has the largest power of two below n on its left. A leaf is hashed with a zero
byte in front and a node with a one, so that nobody can pass a node off as a leaf.

Pure. Source: RFC 9162, sections 2.1.1 and 2.1.3.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The Merkle tree hash of the leaves in their order."""
    level = [_leaf(leaf) for leaf in leaves]
    if not level:
        return hashlib.sha256(b"").digest()
    while len(level) > 1:
        level = _joined(level)
    return level[0]


def proof_of(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """The hashes that lead from the leaf at `index` to the root, nearest first: ⌈log₂ n⌉ at most."""
    if not 0 <= index < len(leaves):
        raise IndexError(index)
    level, path = [_leaf(leaf) for leaf in leaves], []
    while len(level) > 1:
        beside = index ^ 1
        if beside < len(level):
            path.append(level[beside])
        level, index = _joined(level), index // 2
    return tuple(path)


def is_proved(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether `path` proves that the leaf stands at `index` among `size` leaves under `root`."""
    if not 0 <= index < size:
        return False
    node, last, steps = _leaf(leaf), size - 1, iter(path)
    while last:
        if index % 2 or index < last:
            beside = next(steps, None)
            if beside is None:
                return False
            node = _node(beside, node) if index % 2 else _node(node, beside)
        index, last = index // 2, last // 2
    return next(steps, None) is None and node == root


def _joined(level: Sequence[bytes]) -> list[bytes]:
    """Neighbours joined; an odd last one is carried up, which gives the same tree as splitting at
    the largest power of two."""
    joined = [_node(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
    return joined + ([level[-1]] if len(level) % 2 else [])


def _leaf(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
