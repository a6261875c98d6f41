import json

from pipelines.cli import main
from pipelines.console import Answer, Console, show


def test_a_quiet_console_says_nothing(capsys):
    with Console(quiet=True).step("reading"):
        Console(quiet=True).say("hello")
    assert capsys.readouterr() == ("", "")


def test_a_warning_is_said_however_quiet_it_is_to_be(capsys):
    for quiet in (True, False):
        Console(quiet=quiet).warn("look out")
        assert capsys.readouterr() == ("", "  warning: look out\n")


def test_progress_goes_to_stderr_and_the_answer_to_stdout(capsys):
    with Console().step("reading"):
        pass
    show(Answer({"a": "khách"}, ["one", "two"]), as_json=False)
    show(Answer({"a": "khách"}, []), as_json=True)
    printed = capsys.readouterr()
    assert printed.err.startswith("  reading …")
    text, _, data = printed.out.partition("two\n")
    assert text == "one\n"
    assert json.loads(data) == {"a": "khách"}


def test_options_work_before_and_after_the_command(shop, capsys):
    for words in (
        ["--json", "--quiet", "--config", str(shop), "check"],
        ["check", "--json", "--quiet", "--config", str(shop)],
        ["--quiet", "check", "--config", str(shop), "--json"],
    ):
        assert main(words) == 0
        printed = capsys.readouterr()
        assert json.loads(printed.out)["ready"] is True
        assert printed.err == ""
