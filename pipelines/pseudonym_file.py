"""Ids of a file with the pseudonym of each beside it, batch by batch: a base need not fit into memory."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.pseudonyms import Pseudonyms

BATCH = 100_000
"""Customers that are in memory at a time."""


def write_names(file: Path, names: Pseudonyms, target: Path) -> None:
    """Write ``own_id`` and ``listed`` of everyone in a Parquet file.

    Parameters
    ----------
    file : Path
        With ``customer_id``.
    names : Pseudonyms
        The shop's.
    target : Path
        The file to write.
    """
    schema = pa.schema([("own_id", pa.string()), ("listed", pa.string())])
    with pq.ParquetFile(file) as ids, pq.ParquetWriter(target, schema) as writer:
        for batch in ids.iter_batches(BATCH, columns=["customer_id"]):
            own = batch["customer_id"].to_pylist()
            writer.write_table(pa.table([own, names.of_all(own)], schema=schema))
