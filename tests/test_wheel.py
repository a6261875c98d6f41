"""The wheel, installed in a clean environment, runs the demo with nothing else at hand."""

import csv
import importlib.util
import re
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def run(*command: str | Path, **options: object) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout + done.stderr
    return str(done.stdout)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel and only what it asks for, in the versions of the lock."""
    folder = tmp_path_factory.mktemp("clean")
    venv.create(folder, with_pip=True)
    locked = (ROOT / "requirements.lock").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    pins = folder / "constraints.txt"
    named = [re.sub(r"\[.*?\]", "", line.split("--hash")[0]) for line in locked]  # constraints take no extras
    pins.write_text("\n".join(named), encoding="utf-8")
    python = folder / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "--constraint", pins, wheel)
    run(python, "-m", "pip", "check")
    return folder / "bin"


def test_the_wheel_holds_the_three_packages_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"features", "models", "pipelines"}
    kinds = (".py", ".toml", ".j2")  # code, words and the template of the report
    files = [p for top in ("features", "models", "pipelines") for p in (ROOT / top).rglob("*")]
    sources = {p.relative_to(ROOT).as_posix() for p in files if p.suffix in kinds}
    assert "pipelines/report.html.j2" in sources
    assert sources == {name for name in names if ".dist-info/" not in name}
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


@pytest.mark.heavy
def test_the_demo_runs_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    run(installed / "repurchase", "demo", cwd=work, env={"HOME": str(home), "PATH": "/usr/bin:/bin"})
    [risk_list] = work.glob("**/out/latest/risk_list.csv")
    with risk_list.open(encoding="utf-8", newline="") as lines:
        customers = [int(row["customer_id"]) for row in csv.DictReader(lines)]
    assert customers
    assert len(customers) == len(set(customers))
    assert set(customers) <= cdnow_customers()


def cdnow_customers() -> set[int]:
    spec = importlib.util.find_spec("lifetimes")
    assert spec is not None
    assert spec.origin is not None
    log = Path(spec.origin).parent / "datasets" / "CDNOW_master.txt"
    _, *rows = log.read_text(encoding="utf-8").splitlines()
    customers = {int(row.split()[0]) for row in rows if row.strip()}
    assert len(customers) == 23_570
    return customers
