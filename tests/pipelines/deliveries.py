"""Published runs of a few columns, made in a moment, and deliveries of them by processes of their own."""

import hashlib
import json
import os
from collections.abc import Sequence
from datetime import date
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.config import Config, load_config
from pipelines.failures import EnvironmentFailed
from pipelines.published_runs import Run, date_link, read_run
from pipelines.sink_duckdb import DuckdbSession
from pipelines.sink_postgres import PostgresSession
from pipelines.sinks import deliver
from tests.pipelines.test_config import MINIMAL

MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)


def configured(folder: Path, sinks: str) -> Config:
    (folder / "repurchase.toml").write_text(MINIMAL + "[sinks]\n" + sinks, encoding="utf-8")
    return load_config(folder / "repurchase.toml")


def scores(customers: int, as_of: date, seed: int) -> pd.DataFrame:
    chance = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "customer_id": [f"{number:08d}" for number in range(customers)],
            "as_of": as_of,
            "model_version": str(seed),
            "T": chance.integers(1, 900, customers),
            "p_churn_90d": chance.random(customers),
            "next_order_p50": as_of,
            "risk_tier": chance.choice(["high", "medium", "low"], customers),
        }
    )
    frame.loc[frame.index % 3 == 0, ["next_order_p50", "p_churn_90d"]] = None
    return frame


def publish(output: Path, name: str, frame: pd.DataFrame) -> Run:
    """Publish scores as `pipelines.publish` does, under a name that the test chooses."""
    folder, as_of = output / "runs" / name, frame["as_of"].iloc[0]
    folder.mkdir(parents=True)
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), folder / "scores.parquet")
    digest = hashlib.sha256((folder / "scores.parquet").read_bytes()).hexdigest()
    manifest = {
        "run_id": name,
        "as_of": as_of.isoformat(),
        "created_at": "2026-03-04T05:06:07+00:00",
        "model": {"name": "repurchase", "version": "3", "digest": "sha256:abc"},
        "hindsight": False,
        "content": f"sha256:{'c' * 64}",
        "files": {"scores.parquet": {"sha256": digest, "bytes": 1, "rows": len(frame)}},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    make_current(output, folder, as_of)
    return read_run(folder)


def make_current(output: Path, folder: Path, as_of: date) -> None:
    link = date_link(output, as_of)
    link.parent.mkdir(exist_ok=True)
    fresh = link.with_name("fresh")
    fresh.symlink_to(folder)
    fresh.replace(link)


def work(parent: Connection, config: Path, folder: Path, sink: str, stop: str) -> None:
    """Deliver a run; with `stop`, wait once the old rows are gone: before or after the new ones are there."""
    session = {"duckdb": DuckdbSession, "postgres": PostgresSession}[sink]
    fill = session.fill

    def pausing(self: Any, run: Run) -> None:
        if stop == "after":
            fill(self, run)
        parent.send("midway")
        parent.recv()

    if stop:
        session.fill = pausing  # type: ignore[method-assign]
    shop = load_config(config)
    parent.send("ready")
    os.environ.update(parent.recv())
    try:
        deliver(shop, read_run(folder))
    except EnvironmentFailed as error:
        parent.send(str(error))
    else:
        parent.send("done")


NURSERY = get_context("forkserver")
NURSERY.set_forkserver_preload([__name__, "pipelines.sinks"])  # imported once, not by every process


class Delivery:
    """A process of its own that is ready to deliver a run, and does so when it is told to."""

    def __init__(self, config: Config, run: Run, sink: str, stop: str = "") -> None:
        self.pipe, end = NURSERY.Pipe()
        path = config.folder / "repurchase.toml"
        self.process = NURSERY.Process(target=work, args=(end, path, run.folder, sink, stop), daemon=True)
        self.process.start()
        end.close()
        assert self.said() == "ready"

    def go(self) -> None:
        self.pipe.send({"SHOP_DB": os.environ.get("SHOP_DB", "")})

    def said(self) -> str:
        assert self.pipe.poll(120)
        return str(self.pipe.recv())

    def kill(self) -> None:
        self.process.kill()
        self.process.join()


def assert_whole(shown: pd.DataFrame, register: pd.DataFrame, runs: Sequence[Run]) -> None:
    """Each date shows one run of those given: all its rows, as they were published, and nothing else."""
    by_name = {run.run_id: run for run in runs}
    assert sorted(register["as_of"]) == sorted({run.as_of for run in runs})
    assert len(shown) == register["rows"].sum()
    for entry in register.itertuples():
        run = by_name[entry.run_id]
        rows = shown[shown["as_of"] == entry.as_of].sort_values("customer_id", ignore_index=True)
        assert set(rows["run_id"]) == {run.run_id}
        expected = run.scores()
        pd.testing.assert_frame_equal(
            rows[list(expected.columns)].astype(object), expected.astype(object), check_exact=True
        )
