"""How hard Hypothesis looks: `ci` is the same examples every time; `thorough` is for a night."""

import os

import pytest
from hypothesis import HealthCheck, settings

# Beside each other, OpenMP's threads wait for a core by spinning: a training of a second then takes twenty.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("LOKY_MAX_CPU_COUNT", "1")

# An example is a few queries on a real engine: a deadline would only measure the machine.
_SLOW = [HealthCheck.too_slow]

settings.register_profile("dev", max_examples=15, deadline=None, suppress_health_check=_SLOW)
settings.register_profile("ci", max_examples=15, deadline=None, derandomize=True, suppress_health_check=_SLOW)
settings.register_profile("thorough", max_examples=1000, deadline=None, suppress_health_check=_SLOW)

settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))

FIRST = ("tests/engines/", "tests/pipelines/", "tests/test_benchmarks")
"""What takes longest for its number of tests: begun last, it would be waited for with one core idle."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bring the slow files forward; within a file the order stays."""
    items.sort(
        key=lambda item: next((k for k, of in enumerate(FIRST) if item.nodeid.startswith(of)), len(FIRST))
    )
