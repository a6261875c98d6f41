"""Where Spark keeps tables while a command runs: folders that every machine of the cluster sees."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

from pyspark.sql import DataFrame, SparkSession


class Store:
    """A folder of tables as Parquet, on any file system that Spark knows.

    Parameters
    ----------
    session : SparkSession
        Who writes and reads.
    root : str
        The folder; a new one under it is used, and removed in the end.
    """

    def __init__(self, session: SparkSession, root: str) -> None:
        self._session = session
        self._root = f"{root.rstrip('/')}/repurchase-{uuid4().hex}"
        # Hadoop's own classes: what is written may lie on a disk, in HDFS or in a bucket.
        self._path: Any = session._jvm.org.apache.hadoop.fs.Path  # type: ignore[union-attr]
        self._files: Any = self._path(root).getFileSystem(session._jsc.hadoopConfiguration())

    def keep(self, frame: DataFrame, name: str) -> DataFrame:
        """Compute a table into a folder and open it from there."""
        frame.write.parquet(f"{self._root}/{name}")
        return self._session.read.schema(frame.schema).parquet(f"{self._root}/{name}")

    def write_one_file(self, frame: DataFrame, path: Path) -> None:
        """Compute a table into one file on this machine."""
        self.keep(frame.coalesce(1), "one_file")
        [part] = self._parts("one_file")
        self._bring_here(part, path)
        self.remove("one_file")

    def fetched(self, name: str, folder: Path) -> Iterator[Path]:
        """Copy the files of a table to a folder of this machine, one after the other, in order."""
        for part in self._parts(name):
            file = folder / str(part.getName())
            self._bring_here(part, file)
            yield file
            file.unlink()

    def _parts(self, name: str) -> list[Any]:
        """Paths of the files of a table, in the order of its rows."""
        found = [status.getPath() for status in self._files.listStatus(self._path(f"{self._root}/{name}"))]
        return sorted((p for p in found if p.getName().startswith("part-")), key=lambda p: str(p.getName()))

    def _bring_here(self, part: Any, file: Path) -> None:
        self._files.copyToLocalFile(False, part, self._path(str(file)), True)

    def bring(self, file: Path, name: str) -> DataFrame:
        """Copy a Parquet file of this machine to where all see it, and open it from there."""
        place = f"{self._root}/{name}"
        self._files.copyFromLocalFile(False, True, self._path(str(file)), self._path(place))
        return self._session.read.parquet(place)

    def remove(self, name: str = "") -> None:
        """Remove a table or, without a name, all of them."""
        self._files.delete(self._path(f"{self._root}/{name}"), True)
