"""Tables are made when they are first asked for, and once."""

import ibis
import pytest

from features.parts import Parts


def test_a_table_is_made_at_the_first_look_and_once() -> None:
    made = []

    def make() -> ibis.Table:
        made.append("a")
        return ibis.table({"x": "int64"}, name="a")

    parts = Parts({"a": make})
    assert ("a" in parts, "b" in parts, list(parts), len(parts)) == (True, False, ["a"], 1)
    assert made == []
    assert parts["a"] is parts["a"]
    assert made == ["a"]


def test_an_error_in_the_making_is_not_an_absence() -> None:
    def broken() -> ibis.Table:
        raise KeyError("a column is missing")

    assert "a" in Parts({"a": broken})
    with pytest.raises(KeyError, match="a column is missing"):
        Parts({"a": broken})["a"]
