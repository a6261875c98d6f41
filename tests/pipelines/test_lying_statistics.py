"""A Parquet file whose values are not what its own statistics say: the values count."""

import struct

import pyarrow.parquet as pq

from pipelines.cli import main


def test_a_date_beyond_the_statistics_is_no_date(shop, capsys):
    log = shop.with_name("orders.parquet")
    table = pq.read_table(log).slice(0, 1_000)
    at = table.column("ordered_at").cast("timestamp[us]")
    columns = table.set_column(table.column_names.index("ordered_at"), "ordered_at", at)
    pq.write_table(columns, log, compression="none", use_dictionary=False, data_page_size=1 << 20)
    data, first = log.read_bytes(), at[500].cast("int64").as_py()
    place = data.index(struct.pack("<qqq", *(at[k].cast("int64").as_py() for k in (500, 501, 502))))
    log.write_bytes(data[:place] + struct.pack("<q", first + (1 << 62)) + data[place + 8 :])
    assert pq.read_table(log).num_rows == 1_000
    main(["--config", str(shop), "check"])
    assert "no_date 1" in capsys.readouterr().out
