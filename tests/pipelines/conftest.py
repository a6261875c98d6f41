"""A simulated shop with refunds and strangers, and the whole path run on it once."""

import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from models.simulate import ShopSpec, simulate_shop
from pipelines.cli import main
from pipelines.publish import LOCKS
from pipelines.store_moved import bring_home
from pipelines.store_place import RUNNING

AS_OF = "2025-03-01"
HORIZONS = [14, 45, 90]
SPEC = ShopSpec(
    n_customers=1200,
    start="2024-01-01",
    days=540,
    acquisition_days=300,
    refund_share=0.05,
    anonymous_share=0.1,
    lines_per_order=2,
)
CONFIG = f"""\
[project]
name = "shop"
currency = "EUR"
[tables.transactions]
source = "orders.parquet"
[tables.transactions.columns]
customer_id = "customer_id"
order_id = "order_id"
ordered_at = "ordered_at"
product_id = "product_id"
quantity = "quantity"
unit_price = "unit_price"
[policy]
cancellation = {{ column = "order_id", prefix = "C" }}
[target]
horizons = {HORIZONS}
primary_horizon = 90
[training]
cutoffs = 6
"""


@pytest.fixture(scope="session", autouse=True)
def _a_store_is_copied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Start every new store from one that has been migrated: MLflow takes seconds to make a first one.

    Processes of their own make theirs as users do (`test_registry`).
    """
    from pipelines import registry

    folder, first_use = tmp_path_factory.mktemp("store"), registry.first_use
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        SqlAlchemyStore(f"sqlite:///{folder}/mlflow.db", (folder / "mlartifacts").as_uri()).engine.dispose()

    @contextmanager
    def copied(uri: str) -> Iterator[None]:
        with first_use(uri):
            if not registry.exists(uri):
                shutil.copy(folder / "mlflow.db", uri.removeprefix("sqlite:///"))
            yield

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "first_use", copied)
        yield


@pytest.fixture(scope="session")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop's log as parquet."""
    path = tmp_path_factory.mktemp("orders") / "orders.parquet"
    simulate_shop(SPEC, seed=11).transactions.to_parquet(path)
    return path


def lay_out(folder: Path, orders: Path, config: str = CONFIG) -> Path:
    """Put a log and its config into a folder; return the config's path."""
    shutil.copy(orders, folder / "orders.parquet")
    (folder / "repurchase.toml").write_text(config, encoding="utf-8")
    return folder / "repurchase.toml"


@pytest.fixture
def shop(tmp_path: Path, orders: Path) -> Path:
    """A fresh folder with a log and a config; nothing has been run in it."""
    return lay_out(tmp_path, orders)


@pytest.fixture(scope="session")
def run_shop(tmp_path_factory: pytest.TempPathFactory, orders: Path) -> Path:
    """Train, promote and score, once; tests that change anything work on a copy (`own_shop`)."""
    config = lay_out(tmp_path_factory.mktemp("shop"), orders)
    for command in (["train", "--as-of", AS_OF], ["promote"], ["score", "--as-of", AS_OF]):
        assert main(["--config", str(config), "--quiet", *command]) == 0
    return config


def everything(folder: Path) -> dict[str, bytes | None]:
    """All paths under a folder with their bytes, to see that nothing but locks and the log was written."""
    found = {
        str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None
        for p in sorted(folder.rglob("*"))
        if LOCKS not in p.parts
    }
    return {path: data for path, data in found.items() if Path(path).name != "log.jsonl"}


def copy_shop(config: Path, folder: Path) -> Path:
    """Copy a shop into a folder of its own, its MLflow store told where it lies now; return its config."""
    copy = copy_as_it_is(config, folder)
    bring_home(folder / "mlflow.db", (folder / "mlartifacts").as_uri(), "shop", folder / RUNNING)
    return copy


def copy_as_it_is(config: Path, folder: Path) -> Path:
    """Copy a shop as a person would; return its config."""
    from mlflow.tracking._tracking_service import utils

    shutil.copytree(config.parent, folder, symlinks=True)
    utils._artifact_repos_cache.clear()  # it remembers where a run id's files lay before the copy
    return folder / config.name


@pytest.fixture
def own_shop(run_shop: Path, tmp_path: Path) -> Path:
    """A copy of the finished shop."""
    return copy_shop(run_shop, tmp_path / "copy")
