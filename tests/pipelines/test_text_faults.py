"""A broken text is refused with the file, how many of its lines are amiss, and the first of them."""

import gzip

import pytest

from pipelines import text_faults
from pipelines.cli import main
from pipelines.text_faults import text_fault

HEAD = "customer_id,order_id,ordered_at,product_id,quantity,unit_price\n"
ROW = "u7,o1,2024-01-05,p1,1,2.5\n"
BROKEN = {
    "1 of 103 lines are no UTF-8, the first is line 52": "Zoë,o1,2024-01-05,p1,1,2.5\n".encode("latin-1"),
    "1 of 103 lines have not as many cells as the first, 6; line 52 has 7": b"u7,o1,2024-01-05,p1,1,2,5\n",
    "the quotation marks from line 52 on do not pair": b'"u7,o1,2024-01-05,p1,1,2.5\n',
    "1 of 103 lines have more than 2,000,000 bytes, the first is line 52": b"u" * 3_000_000 + b",o1\n",
}
SOUND = {
    "plain": HEAD + ROW,
    "quoted": HEAD + '"a, ""b""\nc",o1,2024-01-05,p1,1,2.5\n',
    "other ends": (HEAD + ROW).replace("\n", "\r"),
    "other separator": (HEAD + ROW).replace(",", ";"),
    "empty lines": HEAD + "\n" + ROW + "\n\n",
    "a mark of order": "\ufeff" + HEAD + ROW,
    "nothing": "",
}


def text_with(line: bytes) -> bytes:
    return (HEAD + 50 * ROW).encode() + line + (51 * ROW).encode()


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
@pytest.mark.parametrize("said", BROKEN)
def test_the_first_line_that_is_amiss_is_named(said, packed, tmp_path):
    path = tmp_path / ("orders.csv.gz" if packed else "orders.csv")
    data = text_with(BROKEN[said])
    path.write_bytes(gzip.compress(data) if packed else data)
    found = str(text_fault([str(path)]))
    assert found.startswith(f"{path.name}: {said}; hint: ")
    assert "u7" not in found


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_text_has_no_fault(name, tmp_path):
    path = tmp_path / "orders.csv"
    path.write_bytes(SOUND[name].encode())
    assert text_fault([str(path)]) is None


def test_a_file_that_cannot_be_read_is_left_to_the_engine(tmp_path):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(text_with(b"x\n"))[:-20])
    assert text_fault([str(tmp_path / "a.csv.gz"), str(tmp_path / "absent.csv")]) is None


def test_only_so_much_of_a_file_is_looked_at(tmp_path, monkeypatch):
    path = tmp_path / "orders.csv"
    path.write_bytes(text_with(b"x\n"))
    monkeypatch.setattr(text_faults, "MOST_BYTES", len(HEAD) + 9 * len(ROW) + 7)  # in the midst of a line
    assert text_fault([str(path)]) is None


@pytest.mark.parametrize("said", BROKEN)
def test_a_command_says_it(said, shop, capsys):
    log = shop.with_name("orders.csv")
    log.write_bytes(text_with(BROKEN[said]))
    text = shop.read_text().replace("orders.parquet", log.name)
    shop.write_text(text)
    assert main(["--config", str(shop), "--quiet", "check"]) == 2
    assert f"repurchase: orders.csv: {said}; hint: " in capsys.readouterr().err
