# Everything needed is Python >= 3.11, make and a package index; `make` alone lists the targets.
PYTHON ?= $(shell for p in python3.11 python3 python3.12 python3.13; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)
BIN := .venv/bin
READY := .venv/.ready
PYTEST := $(BIN)/python -m pytest
# A file at a time to each worker: what a module sets up (a store, a Spark session) is set up once.
SPREAD := -n $(or $(WORKERS),2) --dist loadfile --no-loadscope-reorder
COVERAGE := --cov --cov-report=term --cov-fail-under=85

export MLFLOW_DISABLE_TELEMETRY := true
# The last would leave the libraries uncompiled, and cost each command six seconds.
unexport PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test coverage check test-all chaos fuzz lint types wheel-test format docs bench bench-btyd bench-accuracy bench-models bench-score bench-drift lock clean
.NOTPARALLEL:
.DELETE_ON_ERROR:

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(READY)  ## the whole path on a real purchase log: train, promote, score, risk list
	$(BIN)/repurchase demo

test: $(READY)  ## the tests (all but the heavy ones)
	$(PYTEST) $(SPREAD) -m "not heavy"

coverage: $(READY)  ## the same with the coverage floor, which takes twice the time
	$(PYTEST) $(SPREAD) -m "not heavy" $(COVERAGE)

# The tests come last so that their closing line is the last thing seen; the architecture test is one of them.
check: lint types test  ## format check, ruff, mypy --strict, tests: what a change must pass

test-all: lint types $(READY)  ## all of `check`, and every heavy test
	$(PYTEST) $(COVERAGE)

chaos: $(READY)  ## publishing killed, crowded, and on machines that fail: readers see whole runs, reruns recover
	$(PYTEST) tests/faults -m heavy

fuzz: $(READY)  ## broken inputs by the thousand: refused in a line, or read right (CASES=10000 PROCESSES=200)
	$(BIN)/python -m tests.fuzz.campaign --cases $(or $(CASES),10000) --processes $(or $(PROCESSES),200) \
		--workers $(or $(WORKERS),2)

lint: $(READY)  ## format check and ruff
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(READY)  ## mypy --strict on the three packages
	$(BIN)/mypy

wheel-test: $(READY)  ## build the wheel, install it in a clean environment, run the demo from it
	$(PYTEST) tests/test_wheel.py

format: $(READY)  ## write the format and the safe fixes of ruff
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

docs: $(READY)  ## write docs/features.md from the feature catalogue
	$(BIN)/python -m pipelines.catalogue_page docs/features.md

bench: $(READY)  ## the feature build beside SQL, pandas and lifetimes (LINES=1000000 ROUNDS=3)
	$(BIN)/python -m benchmarks.features check
	for what in fixed full panel; do $(BIN)/python -m benchmarks.features $$what \
		--lines $(or $(LINES),1000000) --rounds $(or $(ROUNDS),3) || exit 1; done

bench-btyd: $(READY)  ## fits and predictions beside lifetimes (CUSTOMERS="100000 1000000" ROUNDS=3)
	$(BIN)/python -m benchmarks.btyd --customers $(or $(CUSTOMERS),100000 1000000) --rounds $(or $(ROUNDS),3)

bench-accuracy: $(READY)  ## train, and judge on what came after (LOGS="retail=FILE journey=FILE" ONLY=cdnow)
	$(BIN)/python -m benchmarks.accuracy $(if $(LOGS),--log $(LOGS)) $(if $(ONLY),--only $(ONLY))

bench-models: $(READY)  ## training, scoring and reasons of a large shop (CUSTOMERS=1000000 ROUNDS=3)
	$(BIN)/python -m benchmarks.models --customers $(or $(CUSTOMERS),1000000) --rounds $(or $(ROUNDS),3)

bench-score: $(READY)  ## a scoring run as a whole process (CUSTOMERS="10000 100000 1000000" ENGINES="duckdb spark" ROUNDS=3)
	$(BIN)/python -m benchmarks.scoring --customers $(or $(CUSTOMERS),10000 100000 1000000) \
		--engines $(or $(ENGINES),duckdb) --rounds $(or $(ROUNDS),3) $(if $(MEMORY),--memory $(MEMORY)) $(if $(INTO),--into $(INTO))

bench-drift: $(READY)  ## how often drift is called, rightly and wrongly (DRAWS=2 LOGS="retail=CONFIG" ONLY=cdnow)
	$(BIN)/python -m benchmarks.drift --draws $(or $(DRAWS),2) $(if $(LOGS),--log $(LOGS)) $(if $(ONLY),--only $(ONLY))

lock:  ## rewrite requirements.lock from pyproject.toml (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv, see docs.astral.sh/uv" >&2; exit 2; }
	uv pip compile pyproject.toml --extra dev --extra notebooks --extra postgres --extra spark \
		--universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-header --no-annotate \
		-o requirements.lock

clean:  ## remove what make built (.venv, caches, build); leaves runs and mlflow.db alone
	rm -rf .venv build dist .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find features models pipelines tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# Dependencies are pinned and hash-checked, and compiled when they are first used; then the project itself, so that edits need no reinstall.
$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer found; name one: make PYTHON=/path/to/python3.11" >&2; exit 2; }
	@echo "Building .venv (a few minutes the first time) ..."
	"$(PYTHON)" -m venv .venv
	$(BIN)/python -m pip install --quiet --no-compile --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps -e .
	@touch $@
