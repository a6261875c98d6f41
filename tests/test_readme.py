"""What the README shows runs, and what it names exists."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL))
def test_python_blocks_run(code: str) -> None:
    exec(compile(code, "README.md", "exec"), {})  # noqa: S102


def test_the_first_block_is_the_two_commands() -> None:
    first = re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)[0]
    assert [line.split("#")[0].strip() for line in first.splitlines()] == ["make demo", "make test"]


def test_commands_it_shows_are_commands() -> None:
    from pipelines.cli import _parser

    shown = re.findall(
        r"repurchase (\w+)( [^#`\n]*)?", "\n".join(re.findall(r"```sh\n(.*?)```", README, re.DOTALL))
    )
    assert len(shown) == 7
    for command, rest in shown:
        _parser().parse_args([command, *rest.split()])


def test_files_it_names_exist() -> None:
    named = re.findall(r"`((?:features|models|pipelines|tests|notebooks|docs)/[\w./]*)`", README)
    assert len(named) > 10
    for name in named:
        assert (ROOT / name).exists(), name


def test_make_targets_it_names_exist() -> None:
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    for name in re.findall(r"make ([\w-]+)", README):
        assert name in targets, name


def test_exit_codes_are_those_of_the_code() -> None:
    from pipelines import endings, failures

    codes = {int(n) for n in re.findall(r"^\| (\d) \|", README, flags=re.MULTILINE)}
    in_code = {f.exit_code for f in failures.Failure.__subclasses__()} | {0, endings.BUG, endings.INPUT_WRONG}
    assert codes == in_code


def test_the_command_is_the_distributions() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["name"] == "repurchase"
    assert project["scripts"] == {"repurchase": "pipelines.cli:main"}
    assert "Private :: Do Not Upload" in project["classifiers"]
