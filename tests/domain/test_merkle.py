"""The Merkle tree of RFC 9162, against its definition and the vectors of Certificate Transparency."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.merkle import is_proved, proof_of, root_of

LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
"""The roots of the first 0, 1, 2 … of these leaves, as Certificate Transparency's tests have them."""


def by_definition(leaves: list[bytes]) -> bytes:
    """MTH of section 2.1.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    left, right = by_definition(leaves[:k]), by_definition(leaves[k:])
    return hashlib.sha256(b"\x01" + left + right).digest()


@pytest.mark.parametrize("n", range(9))
def test_the_known_roots(n: int) -> None:
    assert root_of(LEAVES[:n]).hex() == ROOTS[n]


@given(st.lists(st.binary(max_size=3), max_size=40))
def test_the_root_is_that_of_the_definition(leaves: list[bytes]) -> None:
    assert root_of(leaves) == by_definition(leaves)


@given(st.lists(st.binary(max_size=3), min_size=1, max_size=40), st.data())
def test_a_proof_proves_its_leaf_and_no_other(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    path, root, size = proof_of(leaves, index), root_of(leaves), len(leaves)
    assert len(path) <= (size - 1).bit_length()
    assert is_proved(leaves[index], index, size, path, root)
    assert not is_proved(leaves[index] + b"x", index, size, path, root)
    assert not is_proved(leaves[index], index, size, path, by_definition([*leaves, b"x"]))
    assert not is_proved(leaves[index], index, size, (*path, root), root)
    assert not is_proved(leaves[index], size, size, path, root)
    if path:
        assert not is_proved(leaves[index], index, size, path[:-1], root)
        swapped = (bytes(32), *path[1:])
        assert not is_proved(leaves[index], index, size, swapped, root)


def test_the_paths_of_the_example_of_the_rfc() -> None:
    """Section 2.1.5: the tree over d0 … d6 with the nodes a … l."""
    d = [b"d%d" % i for i in range(7)]
    b, c, f, j = (hashlib.sha256(b"\x00" + d[i]).digest() for i in (1, 2, 5, 6))
    g, h, i, k, ell = (by_definition(d[x:y]) for x, y in ((0, 2), (2, 4), (4, 6), (0, 4), (4, 7)))
    assert proof_of(d, 0) == (b, h, ell)
    assert proof_of(d, 3) == (c, g, ell)
    assert proof_of(d, 4) == (f, j, k)
    assert proof_of(d, 6) == (i, k)


def test_a_leaf_that_is_not_there_has_no_proof() -> None:
    with pytest.raises(IndexError):
        proof_of([b"a"], 1)
