"""Host lists as scontrol(1) reads and prints them."""
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustersim import hostlist
from clustersim.errors import InputError


@pytest.mark.parametrize(("text", "names"), [
    ("n1", ["n1"]),
    ("n[1-3,7]", ["n1", "n2", "n3", "n7"]),
    ("g[01-03]", ["g01", "g02", "g03"]),
    ("n[9-11]", ["n9", "n10", "n11"]),
    ("lx[0098-0101]", ["lx0098", "lx0099", "lx0100", "lx0101"]),
    ("r[1-2]n[08-10]", ["r1n08", "r1n09", "r1n10", "r2n08", "r2n09", "r2n10"]),
    ("a,b[1-2],c", ["a", "b1", "b2", "c"]),
    ("n[1-2]-ib", ["n1-ib", "n2-ib"]),
])
def test_expand(text: str, names: list[str]) -> None:
    assert hostlist.expand(text) == names


BROKEN = ["", "n[", "n]", "n[1-", "n[[1]]", "n[a-b]", "n[3-1]", "n1,,n2", "n[1-3", "n[]", ",", "n[1-99999999]"]


@pytest.mark.parametrize("text", BROKEN)
def test_a_bad_list_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(InputError, match="cluster.nodes"):
        hostlist.expand(text, "cluster.nodes")


@pytest.mark.parametrize(("names", "text"), [
    (["n3", "n1", "n2"], "n[1-3]"), (["n1"], "n1"), (["n1", "n3"], "n[1,3]"), (["gpu1", "n1"], "gpu1,n1"), ([], ""),
    (["n9", "n10"], "n[9-10]"), (["g01", "g02"], "g[01-02]"), (["head"], "head"),
])
def test_compress(names: list[str], text: str) -> None:
    assert hostlist.compress(names) == text


@given(st.sets(st.tuples(st.sampled_from(["n", "gpu", "r1-"]), st.integers(0, 300))))
def test_compress_and_expand_are_inverse_up_to_order(hosts: set[tuple[str, int]]) -> None:
    names = {f"{head}{number}" for head, number in hosts}
    text = hostlist.compress(names)
    assert set(hostlist.expand(text)) == names if names else text == ""
