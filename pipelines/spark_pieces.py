"""Work on the pieces of a table by Spark's executors; what they make comes back in order, file by file."""

import re
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark import SparkContext
from pyspark.errors import PythonException
from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import from_arrow_schema

from pipelines.failures import EnvironmentFailed
from pipelines.pieces import PIECE, Work, cut
from pipelines.spark_store import Store
from pipelines.surroundings import PACKAGES, ROOT, code_version

_MADE = "pieces"


def run_pieces(work: Work, frame: DataFrame, by: str, store: Store, folder: Path) -> Iterator[pa.Table]:
    """Do the work on all rows and yield what it makes, sorted.

    Executors sort the rows, work on them and write files, each of which holds the rows between two ids; of
    these, one at a time comes to this machine.

    Parameters
    ----------
    work : Work
        It is pickled, and so must be fit to travel.
    frame : DataFrame
        The rows.
    by : str
        Column of text to sort by.
    store : Store
        Where the files are written.
    folder : Path
        On this machine, for one of them.

    Raises
    ------
    EnvironmentFailed
        If an executor lacks a library.
    """
    schema = work.schema  # the work itself may be large: only who does it has to have it

    def on_executor(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for piece in cut((pa.Table.from_batches([batch]) for batch in batches), PIECE):
            yield from work(piece).combine_chunks().to_batches()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of pandas 3, which has no part in it
        made = frame.orderBy(by).mapInArrow(on_executor, from_arrow_schema(schema))
    try:
        with _failing():
            store.keep(made, _MADE)
        for file in store.fetched(_MADE, folder):
            for batch in pq.ParquetFile(file).iter_batches(PIECE):
                yield pa.Table.from_batches([batch]).cast(schema)
    finally:
        store.remove(_MADE)


@contextmanager
def _failing() -> Iterator[None]:
    """Tell an executor that lacks something from a bug in what it was to do."""
    try:
        yield
    except PythonException as error:
        lines = [line.strip() for line in str(error).splitlines()]
        said = next((line for line in lines if re.match(r"(\w+\.)*\w*(Error|Exception)\b", line)), lines[0])
        if said.startswith("ModuleNotFoundError"):
            hint = "executors need the libraries of this machine, in the same versions"
            raise EnvironmentFailed(f"an executor cannot score: {said}; hint: {hint}") from None
        if said.startswith("MemoryError"):
            raise EnvironmentFailed(f"an executor is out of memory: {said}") from None
        raise RuntimeError(f"scoring failed on an executor: {said}") from error


def ship_code(context: SparkContext) -> None:
    """Give our packages to executors that are on other machines, once for a Spark context."""
    # Executors may ask for it as long as the context lives, which in a notebook is beyond the command.
    archive = Path(str(context._temp_dir)) / f"repurchase-{code_version()['sha256'][:16]}.zip"
    if archive.exists():
        return
    with zipfile.ZipFile(archive, "w") as target:
        for path in sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
            target.write(path, path.relative_to(ROOT))
    context.addPyFile(str(archive))
