"""What is said of orders that a status tells to be none."""

import json

from models.left_out import judge_left_out, judge_no_row, judge_not_asked


def test_rows_that_are_left_out_are_fine_unless_they_are_most() -> None:
    some = judge_left_out("log.csv", "state", ["cancelled"], 3, 100)
    assert (some.severity, some.code) == ("ok", "left_out")
    assert some.text == "log.csv: 3 of 100 rows (3.0%) say 'cancelled' in 'state' and are left out"
    most = judge_left_out("log.csv", "state", ["done"], 60, 100)
    assert most.severity == "warning"
    assert "are these the words of orders that came to nothing?" in most.text


def test_words_that_no_row_says() -> None:
    said = [(f"word {k}", 100 - k) for k in range(10)]
    none = judge_no_row("log.csv", "state", ["canceled", "void"], said, ["cancelled"])
    assert (none.severity, none.code, none.numbers["rows"]) == ("warning", "left_out", 0)
    assert "no row says 'canceled', 'void' in 'state', which [policy] leave_out names" in none.text
    assert "what stands there: 'word 0' (100), 'word 1' (99)" in none.text
    assert "'word 7' (93) and 2 more; did you mean 'cancelled'?" in none.text
    assert "'word 8'" not in none.text
    empty = judge_no_row("log.csv", "state", ["void"], [], [])
    assert empty.text.endswith("which [policy] leave_out names; the column is empty")
    json.dumps([none.numbers, empty.numbers])


def test_orders_that_nobody_asked_to_leave_out() -> None:
    found = judge_not_asked("log.csv", "state", [("void", 20), ("failed", 5)], 100, "leave_out = …")
    assert (found.severity, found.code, found.numbers["rows"]) == ("warning", "left_out", 25)
    assert "25 of 100 rows (25.0%) look like orders that came to nothing" in found.text
    assert "column 'state' says 'void' (20), 'failed' (5)" in found.text
    assert found.text.endswith("write under [policy]: leave_out = …")
