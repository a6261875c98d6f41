"""docs/scheduling.md shows the files beside it, and a scheduler can run them as they stand."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import venv
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from pipelines import failures
from pipelines.cli import _parser

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "scheduling.md").read_text(encoding="utf-8")
FOLDER = ROOT / "docs" / "scheduling"
FILES = {file.name: file.read_text(encoding="utf-8") for file in sorted(FOLDER.iterdir()) if file.is_file()}
SYSTEMD = shutil.which("systemd-analyze")
BARE = {"PATH": "/usr/bin:/bin", "SHELL": "/bin/sh"}
COMMAND = "/srv/repurchase/.venv/bin/repurchase"
CONFIG = "/srv/shop/repurchase.toml"


def cron() -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Read a crontab as cron does: its variables, and times with commands; a bare % would end one."""
    variables, entries = {}, []
    for line in FILES["crontab"].splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if named := re.fullmatch(r"(\w+)\s*=\s*(.*)", line):
            variables[named[1]] = named[2]
            continue
        *times, command = line.split(None, 5)
        head = re.split(r"(?<!\\)%", command)[0]
        entries.append((" ".join(times), head.replace(r"\%", "%")))
    return variables, entries


def from_unit(line: str) -> str:
    """What systemd hands over of an `ExecStart=`: `%%` is a `%`, `$$` a `$`."""
    assert not re.search(r"(?<!%)%(?!%)", line.replace("%%", "")), line
    return line.replace("%%", "%").replace("$$", "$")


def calls() -> list[str]:
    """Every call of repurchase that the files and the loop make, without its shell."""
    text = "\n".join([*FILES.values(), *re.findall(r"```sh\n(for .*?)```", PAGE, flags=re.DOTALL)])
    text = text.replace('"$REPURCHASE"', COMMAND).replace('"$CONFIG"', CONFIG).replace("{COMMAND}", COMMAND)
    text = re.sub(r'"\$+\(date [^)]*\)"|\{+ ds \}+|"\$day"', "2026-11-21", text)
    names = "score|outcomes|measure|report|refresh"
    return re.findall(rf"(?<=repurchase )[^;>|'\"\n]*(?:{names})[^;>|'\"\n]*", text)


def test_the_page_shows_the_files_as_they_are() -> None:
    assert sorted(FILES) == ["crontab", "repurchase.service", "repurchase.timer", "repurchase_dag.py"]
    for name, text in FILES.items():
        assert f"`docs/scheduling/{name}`" in PAGE
        assert f"\n{text}```\n" in PAGE, f"docs/scheduling.md shows another {name}"


def test_every_call_in_it_is_one() -> None:
    found = calls()
    assert sum("score" in call for call in found) == 4
    assert sum("outcomes" in call for call in found) == sum("refresh" in call for call in found) == 2
    assert sum("measure" in call for call in found) == sum("report" in call for call in found) == 1
    for call in found:
        assert _parser().parse_args(call.split())


def test_it_says_what_to_do_at_every_exit_code() -> None:
    said = {int(n) for n in re.findall(r"^\| (\d+) \|", PAGE, flags=re.MULTILINE)}
    assert said == {0, 1, 2, 130, *(f.exit_code for f in failures.Failure.__subclasses__())}
    retried = {failures.Locked.exit_code, failures.EnvironmentFailed.exit_code}
    [given_up] = re.findall(r"RestartPreventExitStatus=(.*)", FILES["repurchase.service"])
    assert {int(n) for n in given_up.split()} == said - retried - {0, 130}


@pytest.mark.skipif(SYSTEMD is None, reason="needs systemd-analyze")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    for name in ("repurchase.service", "repurchase.timer"):
        (tmp_path / name).write_text(FILES[name], encoding="utf-8")
    verify = [str(SYSTEMD), "verify", *map(str, tmp_path.glob("repurchase.*"))]
    done = subprocess.run(verify, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    (tmp_path / "repurchase.timer").write_text(FILES["repurchase.timer"].replace("OnCalendar", "OnCalender"))
    assert subprocess.run(verify, capture_output=True, check=False).returncode != 0


@pytest.mark.skipif(SYSTEMD is None, reason="needs systemd-analyze")
def test_systemd_understands_the_times() -> None:
    [mine] = re.findall(r"OnCalendar=(.*)", FILES["repurchase.timer"])
    for time in (mine, *re.findall(r"OnCalendar=([^`\n]+)`", PAGE), *re.findall(r" or `(\*-[^`]+)`", PAGE)):
        subprocess.run([str(SYSTEMD), "calendar", time], capture_output=True, check=True)


@pytest.fixture
def todays_shop(own_shop: Path) -> Path:
    """The finished shop with its log moved to end yesterday, and no run."""
    log = own_shop.parent / "orders.parquet"
    rows = pd.read_parquet(log)
    newest = rows["ordered_at"].max().normalize()
    today = pd.Timestamp(datetime.now(UTC).date())
    rows.assign(ordered_at=rows["ordered_at"] + (today - timedelta(days=1) - newest)).to_parquet(log)
    # To the champion, what it has seen is gone.
    own_shop.write_text(own_shop.read_text("utf-8") + '[limits]\nshrunk_log = "ignore"\n', "utf-8")
    for name in ("runs", "scores", "latest"):
        place = own_shop.parent / "out" / name
        place.unlink() if place.is_symlink() else shutil.rmtree(place)
    return own_shop


def published(shop: Path) -> dict[str, object]:
    return dict(json.loads((shop.parent / "out" / "latest" / "manifest.json").read_text("utf-8")))


@pytest.mark.heavy
@pytest.mark.parametrize("scheduler", ["cron", "systemd"])
def test_the_nightly_line_publishes_a_run(todays_shop: Path, tmp_path: Path, scheduler: str) -> None:
    """As the scheduler would: its own shell, next to no environment, another working directory."""
    program = str(Path(sys.executable).with_name("repurchase"))
    if scheduler == "cron":
        variables, entries = cron()
        [line] = [command for _, command in entries if " score " in command]
        variables |= {"REPURCHASE": program, "CONFIG": str(todays_shop)}
        words, folder = ["/bin/sh", "-c", line], tmp_path
    else:
        [start] = re.findall(r"ExecStart=/bin/sh -c '(.*)'", FILES["repurchase.service"])
        variables, folder = {"TZ": "UTC"}, todays_shop.parent
        words = ["/bin/sh", "-c", from_unit(start).replace(COMMAND, program)]
    assert COMMAND not in words[-1]
    done = subprocess.run(
        words, cwd=folder, env={**BARE, "HOME": str(tmp_path), **variables}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert published(todays_shop)["as_of"] == datetime.now(UTC).date().isoformat()


@pytest.mark.heavy
def test_the_loop_over_missed_nights_publishes_each(own_shop: Path, tmp_path: Path) -> None:
    [loop] = re.findall(r"```sh\n(for day.*?)```", PAGE, flags=re.DOTALL)
    days = ["2025-03-02", "2025-03-09"]
    line = re.sub(r"in [\d -]+;", f"in {' '.join(days)};", loop)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "repurchase").symlink_to(Path(sys.executable).with_name("repurchase"))
    path = f"{tmp_path / 'bin'}:{BARE['PATH']}"
    subprocess.run(["/bin/sh", "-c", line], cwd=own_shop.parent, env={**BARE, "PATH": path}, check=True)
    dates = sorted(link.name for link in (own_shop.parent / "out" / "scores").iterdir())
    assert dates == ["as_of=2025-03-01", *(f"as_of={day}" for day in days)]
    assert published(own_shop)["as_of"] == days[-1]


def test_the_dag_is_python_and_speaks_of_the_date_of_its_run() -> None:
    tree = ast.parse(FILES["repurchase_dag.py"])
    said = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    assert len(said) == 3
    assert all("--as-of {{{{ ds }}}}" in text for text in said)


def test_the_dag_takes_for_no_failure_what_is_an_answer() -> None:
    tree = ast.parse(FILES["repurchase_dag.py"])
    skipped = {}
    for block in (node for node in ast.walk(tree) if isinstance(node, ast.With)):
        dag, task = block.items[0].context_expr, block.body[-1].value
        schedule, *said = (
            {word.arg: ast.literal_eval(word.value) for word in call.keywords if word.arg == name}.get(name)
            for call, name in ((dag, "schedule"), (task, "task_id"), (task, "skip_on_exit_code"))
        )
        skipped[said[0]] = (schedule, said[1])
    assert skipped == {
        "score": ("10 3 * * *", None),
        "outcomes": ("40 5 * * 1", failures.NotReady.exit_code),
        "refresh": ("20 6 1 * *", failures.NotPromoted.exit_code),
    }


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Airflow itself, in an environment of its own."""
    folder = tmp_path_factory.mktemp("airflow")
    venv.create(folder, with_pip=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "apache-airflow>=3.1,<4"]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"Airflow cannot be installed here: {done.stderr[-300:]}")
    return folder


@pytest.mark.heavy
def test_airflow_runs_the_dag_of_a_date(airflow: Path, own_shop: Path) -> None:
    dags = airflow / "dags"
    dags.mkdir()
    program = f"{Path(sys.executable).with_name('repurchase')} --config {own_shop}"
    text = FILES["repurchase_dag.py"].replace(f"{COMMAND} --config {CONFIG}", program)
    # Only so that the small shop's date is one of its runs.
    text = text.replace("datetime(2026, 1, 1)", "datetime(2025, 1, 1)")
    (dags / "repurchase_dag.py").write_text(text, encoding="utf-8")
    settings = {
        "AIRFLOW_HOME": str(airflow / "home"), "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }  # fmt: skip

    def run(*words: str) -> str:
        done = subprocess.run(
            [str(airflow / "bin" / "airflow"), *words], env={**os.environ, **settings}, capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout + done.stderr

    run("db", "migrate")
    run("dags", "reserialize")
    assert json.loads(run("dags", "list-import-errors", "--output", "json").splitlines()[-1] or "[]") == []
    listed = run("dags", "list", "--output", "json")
    wanted = {"repurchase_score", "repurchase_outcomes", "repurchase_refresh"}
    assert wanted <= set(re.findall(r'"dag_id": "(\w+)"', listed))
    run("tasks", "test", "repurchase_score", "score", "2025-03-09")
    assert published(own_shop)["as_of"] == date(2025, 3, 9).isoformat()
