"""The rules of the house, read off the syntax tree: who imports whom, what the pure packages never touch."""

import ast
import builtins
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OURS = {
    "features": {"features"},
    "models": {"features", "models"},
    "pipelines": {"features", "models", "pipelines"},
}
NOT_A_LIBRARY = {"tests", "notebooks", "benchmarks"}
# models from code: MLflow runs this file, none of ours imports it
RUN_BY_MLFLOW = "pipelines/pyfunc_model.py"
KNOW_MLFLOW = {"pipelines/registry.py", "pipelines/tracked_run.py", RUN_BY_MLFLOW}
SPARK = {"pyspark", "py4j"}
HEAVY = {"pandas", "numpy", "scipy", "sklearn", "mlflow", "duckdb", "ibis"}
HEAVY |= {"pyarrow", "matplotlib", "lifetimes", "joblib", "lightgbm"}
PURE = {
    "clock": r"(.*\.)?(now|today|utcnow)|time(\..*)?",
    "file access": r"open|.*\.open|io\.(?!(StringIO|BytesIO)(\.|$)).*"
    r"|(os|pathlib|shutil|tempfile|glob|gzip|pickle|sqlite3|importlib)(\..*)?"
    r"|.*\.(read_\w+|write_\w+|savefig|savetxt|loadtxt|genfromtxt|fromfile|tofile|memmap)"
    r"|.*\.to_(csv|parquet|excel|feather|pickle|sql|hdf|orc|stata|duckdb|delta)"
    r"|(json|joblib|numpy)\.(dump|load|save|savez|savez_compressed)",
    "network or process": r"(socket|subprocess|urllib|http|requests|mlflow)(\..*)?",
    "hidden import": r"__import__|eval|exec",
}
SQL_CLOCK = re.compile(r"^(now|today)$|\bcurrent_(timestamp|date)\b|\b(now|today)\(\)", re.IGNORECASE)


def sources() -> list[Path]:
    return sorted(path for package in OURS for path in (ROOT / package).rglob("*.py"))


def import_names(node: ast.AST, folder: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield (name bound here, full dotted name) of one import statement."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            bound = alias.asname or alias.name.split(".")[0]
            yield bound, alias.name if alias.asname else bound
    elif isinstance(node, ast.ImportFrom):
        above = folder[: len(folder) - node.level + 1] if node.level else ()
        module = ".".join([*above, *filter(None, [node.module])]) or "<outside>"
        for alias in node.names:
            yield alias.asname or alias.name, f"{module}.{alias.name}"


def imports(tree: ast.AST, folder: tuple[str, ...]) -> list[tuple[int, str]]:
    """List (line, full dotted name) of every import, dynamic ones with a literal name among them."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [(node.lineno, full) for _, full in import_names(node, folder)]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            found += [(node.lineno, text) for _, text in strings(ast.Tuple(node.args[:1]))]
    return found


def dotted(node: ast.AST, bound: dict[str, str]) -> str:
    """Spell an attribute chain in full; an object that is not an import begins with `?`."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value, bound)}.{node.attr}"
    if isinstance(node, ast.Name):
        return bound.get(node.id, node.id if hasattr(builtins, node.id) else "?")
    return "?"


def names_used(tree: ast.AST, folder: tuple[str, ...]) -> list[tuple[int, str]]:
    bound = dict(pair for node in ast.walk(tree) for pair in import_names(node, folder))
    nodes = [n for n in ast.walk(tree) if isinstance(n, ast.Attribute | ast.Name)]
    return [(n.lineno, dotted(n, bound)) for n in nodes]


def strings(tree: ast.AST) -> list[tuple[int, str]]:
    """List the string constants that are not docstrings or bare text."""
    bare = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    constants = [n for n in ast.walk(tree) if isinstance(n, ast.Constant) and id(n) not in bare]
    return [(n.lineno, n.value) for n in constants if isinstance(n.value, str)]


def at_import_time(node: ast.AST) -> Iterator[ast.AST]:
    """Walk what runs when the module is imported: no function bodies, no `if TYPE_CHECKING`."""
    for child in ast.iter_child_nodes(node):
        later = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if later or (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)):
            continue
        yield child
        yield from at_import_time(child)


def direction(path: Path, tree: ast.AST) -> Iterator[str]:
    package = path.parts[0]
    forbidden = (set(OURS) | NOT_A_LIBRARY | {"<outside>"}) - OURS[package]
    for line, name in imports(tree, path.parts[:-1]):
        root = name.split(".")[0]
        if root in forbidden:
            yield f"{path}:{line} direction: {package} imports {name}"
        if name.startswith(RUN_BY_MLFLOW.removesuffix(".py").replace("/", ".")):
            yield f"{path}:{line} mlflow: {name} is for MLflow to run, not to import"
        if root == "mlflow" and path.as_posix() not in KNOW_MLFLOW:
            yield f"{path}:{line} mlflow: only {' and '.join(sorted(KNOW_MLFLOW))} know it"
        if root in SPARK and not path.match("pipelines/spark*.py"):
            yield f"{path}:{line} spark: only pipelines/spark*.py know it, as it is an extra: {name}"


def purity(path: Path, tree: ast.AST) -> Iterator[str]:
    if path.parts[0] == "pipelines":
        return
    folder = path.parts[:-1]
    for line, name in imports(tree, folder) + names_used(tree, folder):
        for rule, pattern in PURE.items():
            if re.fullmatch(pattern, name):
                yield f"{path}:{line} {rule}: {name}"
    for line, text in strings(tree):
        if SQL_CLOCK.search(text):
            yield f"{path}:{line} clock: {text!r}"


def startup(path: Path, tree: ast.AST) -> Iterator[str]:
    if path.as_posix() != "pipelines/cli.py":
        return
    for node in at_import_time(tree):
        for _, name in import_names(node, path.parts[:-1]):
            if name.split(".")[0] in HEAVY:
                yield f"{path}:{node.lineno} startup: {name} is imported before it is needed"  # type: ignore[attr-defined]


def habits(path: Path, tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            yield f"{path}:{node.lineno} assert: raise ContractError, or let a test say it"
    for line, name in names_used(tree, path.parts[:-1]):
        if re.fullmatch(r"sys\.path(\..*)?|site\.addsitedir", name):
            yield f"{path}:{line} sys.path: install the project instead"


def offences(path: Path, source: str) -> list[str]:
    tree = ast.parse(source)
    return [text for rule in (direction, purity, startup, habits) for text in rule(path, tree)]


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_source_keeps_the_rules(path: Path) -> None:
    assert offences(path.relative_to(ROOT), path.read_text(encoding="utf-8")) == []


def test_every_package_is_looked_at() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in sources()} == set(OURS)


OFFENDERS = [
    ("features/x.py", "from models.bgnbd import BetaGeoModel", "direction"),
    ("features/x.py", "def f():\n    import pipelines.cli", "direction"),
    ("features/x.py", "from importlib import import_module\nimport_module('models.bgnbd')", "direction"),
    ("features/x.py", "from .. import models", "direction"),
    ("models/x.py", "import pipelines", "direction"),
    ("pipelines/x.py", "from tests.helpers import shop", "direction"),
    ("models/x.py", "import mlflow", "mlflow"),
    ("pipelines/train.py", "def f():\n    from mlflow.tracking import MlflowClient", "mlflow"),
    ("pipelines/x.py", "from pipelines.pyfunc_model import PyfuncScorer", "mlflow"),
    ("pipelines/engine.py", "import pyspark.sql", "spark"),
    ("pipelines/engine.py", "def f():\n    from py4j.protocol import Py4JError", "spark"),
    ("features/spark.py", "from importlib import import_module\nimport_module('pyspark')", "spark"),
    ("features/x.py", "import datetime as dt\ndt.datetime.now()", "clock"),
    ("features/x.py", "from datetime import date\ncutoff = date.today()", "clock"),
    ("features/x.py", "import pandas as pd\npd.Timestamp.today()", "clock"),
    ("features/x.py", "import pandas as pd\npd.Timestamp('now')", "clock"),
    ("features/x.py", "from ibis import now", "clock"),
    ("features/x.py", "import ibis\nibis.today()", "clock"),
    ("models/x.py", "from time import time", "clock"),
    ("models/x.py", "sql = 'select current_date - first_day'", "clock"),
    ("features/x.py", "open('log.csv')", "file access"),
    ("models/x.py", "from pathlib import Path", "file access"),
    ("models/x.py", "import os.path", "file access"),
    ("models/x.py", "import io\nio.FileIO('a')", "file access"),
    ("features/x.py", "import pandas as pd\npd.read_parquet('a')", "file access"),
    ("features/x.py", "def f(con):\n    return con.read_csv('a')", "file access"),
    ("models/x.py", "def f(frame):\n    frame.to_csv('a')", "file access"),
    ("models/x.py", "def f(path):\n    path.write_text('a')", "file access"),
    ("models/x.py", "from joblib import dump\ndump(1, 'a')", "file access"),
    ("models/x.py", "__import__('o' + 's')", "hidden import"),
    ("pipelines/cli.py", "import pandas as pd", "startup"),
    ("pipelines/cli.py", "try:\n    from sklearn import base\nexcept ImportError:\n    pass", "startup"),
    ("pipelines/x.py", "assert 1 == 1", "assert"),
    ("pipelines/x.py", "import sys\nsys.path.append('..')", "sys.path"),
]
GOOD = [
    ("features/x.py", "from features.errors import ContractError\nimport ibis\nibis.timestamp('2011-09-10')"),
    ("features/x.py", "from . import errors\nfrom .errors import ContractError"),
    (
        "models/x.py",
        "from features.rfm import rfm\nfrom joblib import Parallel\nimport lightgbm\nlightgbm.train",
    ),
    (
        "models/x.py",
        '"""Never uses now() or open()."""\ndef f(time, model):\n    return model.to_json(), time',
    ),
    ("models/x.py", "from io import StringIO\nStringIO().getvalue()"),
    ("pipelines/registry.py", "import mlflow"),
    ("pipelines/spark.py", "import pyspark\nfrom py4j.protocol import Py4JError"),
    ("pipelines/spark_files.py", "from pyspark.sql import functions as f"),
    ("pipelines/engine.py", "def f():\n    from pipelines.spark import SparkEngine"),
    ("pipelines/cli.py", "import argparse\ndef f():\n    import pandas as pd"),
    ("pipelines/cli.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pandas as pd"),
    ("pipelines/x.py", "from pathlib import Path\nfrom datetime import datetime\ndatetime.now()"),
]


@pytest.mark.parametrize(("path", "source", "rule"), OFFENDERS)
def test_planted_offender_is_caught(path: str, source: str, rule: str) -> None:
    assert any(f" {rule}: " in text for text in offences(Path(path), source))


@pytest.mark.parametrize(("path", "source"), GOOD)
def test_good_code_is_left_alone(path: str, source: str) -> None:
    assert offences(Path(path), source) == []
