import pandas as pd
import pyarrow.parquet as pq

from models.reasons import COLUMNS
from pipelines.reasons import TEXT_COLUMNS, with_texts, write_reasons
from pipelines.risk_list import write_risk_list

NONE = pd.DataFrame({name: [] for name in COLUMNS}).astype(COLUMNS)


def test_texts_stand_beside_their_customer_in_the_column_of_their_place():
    listed = pd.DataFrame({"customer_id": ["b", "c", "a"]})
    told = pd.DataFrame({"customer_id": ["a", "a", "b"], "place": [1, 2, 1]})
    found = with_texts(listed, told, ["one", "two", "three"])
    assert found[TEXT_COLUMNS].to_numpy().tolist() == [["three", "", ""], ["", "", ""], ["one", "two", ""]]
    assert list(found["customer_id"]) == ["b", "c", "a"]


def test_without_reasons_the_columns_are_there_and_empty(tmp_path):
    listed = pd.DataFrame({"customer_id": ["b", "a"], "value_at_risk": [2.0, 1.0]})
    write_risk_list(with_texts(listed, NONE, []), tmp_path / "list.csv")
    assert (tmp_path / "list.csv").read_text().splitlines()[1] == '"b",2.0,"","",""'


def test_a_list_of_nobody(tmp_path):
    listed = pd.DataFrame({"customer_id": [], "value_at_risk": []}).astype({"customer_id": "str"})
    assert write_risk_list(with_texts(listed, NONE, []), tmp_path / "list.csv") == 0
    assert (
        tmp_path / "list.csv"
    ).read_text() == '"customer_id","value_at_risk","reason_1","reason_2","reason_3"\n'
    assert write_reasons(NONE, tmp_path / "reasons.parquet") == 0
    types = {f.name: str(f.type) for f in pq.read_schema(tmp_path / "reasons.parquet")}
    assert types["place"] == "int64"
    assert types["actionable"] == "bool"
    assert types["customer_id"].endswith("string")


def test_text_that_a_spreadsheet_would_run_is_made_harmless(tmp_path):
    listed = pd.DataFrame({"customer_id": ["a"]})
    told = pd.DataFrame({"customer_id": ["a"], "place": [1]})
    write_risk_list(with_texts(listed, told, ["=1+1"]), tmp_path / "list.csv")
    assert (tmp_path / "list.csv").read_text().splitlines()[1] == '"a","\'=1+1","",""'
