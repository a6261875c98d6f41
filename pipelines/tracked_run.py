"""One MLflow run, written to by its id, so that no ambient active run matters."""

import json
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

DESCRIPTION = "mlflow.note.content"
"""Tag that MLflow's page of a run shows as its description, in Markdown."""
MOST_PARAMS = 100
"""MLflow takes no more in one batch."""


class TrackedRun:
    """A run of a tracking store.

    Parameters
    ----------
    client : mlflow.MlflowClient
        Of the store.
    run_id : str
        An existing run, ended or not.
    """

    def __init__(self, client: Any, run_id: str) -> None:
        self._client = client
        self.run_id = run_id

    def params(self, values: Mapping[str, Any]) -> None:
        """Log parameters."""
        from mlflow.entities import Param

        params = [Param(key, str(value)) for key, value in values.items()]
        for start in range(0, len(params), MOST_PARAMS):
            self._client.log_batch(self.run_id, params=params[start : start + MOST_PARAMS])

    def metrics(self, values: Mapping[str, float], step: int = 0) -> None:
        """Log metrics; names keep letters, digits and ``_-./ ``."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        batch = [Metric(key, float(value), now, step) for key, value in values.items()]
        self._client.log_batch(self.run_id, metrics=batch)  # one transaction, not one for each

    def tags(self, values: Mapping[str, str]) -> None:
        """Set tags."""
        for key, value in values.items():
            self._client.set_tag(self.run_id, key, value)

    def text(self, text: str, path: str) -> None:
        """Log a text file."""
        self._client.log_text(self.run_id, text, path)

    def json(self, data: Any, path: str) -> None:
        """Log a JSON file."""
        self.text(json.dumps(data, indent=2, ensure_ascii=False, default=str), path)

    def figure(self, figure: Any, path: str) -> None:
        """Log a matplotlib figure."""
        self._client.log_figure(self.run_id, figure, path)

    def frame(self, frame: Any, path: str) -> None:
        """Log a data frame as parquet."""
        folder, _, name = path.rpartition("/")
        with tempfile.TemporaryDirectory() as work:
            frame.to_parquet(Path(work) / name)
            self._client.log_artifact(self.run_id, str(Path(work) / name), folder)

    def read(self, path: str) -> bytes | None:
        """Read a logged file; None where there is none."""
        folder = path.rpartition("/")[0]
        if path not in [a.path for a in self._client.list_artifacts(self.run_id, folder or None)]:
            return None
        with tempfile.TemporaryDirectory() as work:
            return Path(self._client.download_artifacts(self.run_id, path, work)).read_bytes()
