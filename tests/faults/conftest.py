"""The finished shop of the pipelines' tests, for the faults of whole jobs."""

from tests.pipelines.conftest import orders, own_shop, run_shop

__all__ = ["orders", "own_shop", "run_shop"]
