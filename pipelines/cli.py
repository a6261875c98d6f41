"""The command line: `repurchase <command>`. Nothing heavy is imported before it is needed."""

import argparse
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.console import Answer, Console

Run = Callable[[argparse.Namespace, "Console"], "Answer"]
WITHOUT_CONFIG = ("init", "demo")
"""They write a config of their own, and no log."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (documented in the README)."""
    args = _parser().parse_args(argv)
    warnings.simplefilter("ignore")  # libraries' notes to developers are not for a job's log
    # Work is split over processes (joblib) and over DuckDB's threads; threads inside each piece as well would
    # only wait for one another. To be set before numpy is imported.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")

    from pipelines.console import Console, show
    from pipelines.endings import ending_of
    from pipelines.job_log import NO_LOG, job_log
    from pipelines.signals import terminated_like_interrupted

    log = NO_LOG
    try:
        if args.command not in WITHOUT_CONFIG:
            log = job_log(args)
        with terminated_like_interrupted():
            answer: Answer = args.run(args, Console(quiet=args.quiet, log=log))
        try:
            show(answer, as_json=args.json)
        except BrokenPipeError:  # the reader has seen enough, and the work is done
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (Exception, KeyboardInterrupt) as error:
        ending = ending_of(error)
        log.end(ending.exit_code, " ".join(ending.logged.split()))
        sys.stderr.write(f"\nrepurchase: {' '.join(ending.said.split())}\n")
        return ending.exit_code
    log.end(answer.exit_code, answer=answer.data)
    return answer.exit_code


def _parser() -> argparse.ArgumentParser:
    shared = _shared(argparse.SUPPRESS)
    parser = argparse.ArgumentParser(
        prog="repurchase",
        parents=[_shared(None)],
        description="Who will buy again, who is about to leave, and what each customer is worth.",
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(name: str, run: Run, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, parents=[shared], help=text, description=text)
        made.set_defaults(run=run, command=name)
        return made

    made = command("init", _init, "guess the columns of a log and write a commented config")
    made.add_argument("log", metavar="LOG", help="parquet, csv, csv.gz, or a glob of them")
    made.add_argument("--force", action="store_true", help="overwrite an existing config")
    made = command("check", _check, "say whether the log is ready, and what is missing if not")
    made.add_argument("--leaks", action="store_true", help="prove that no feature sees the future")
    made.add_argument("--as-of", type=_day_or_auto, metavar="D", help="look at rows before D only")
    made = command("train", _train, "fit and judge every candidate, register the winner as challenger")
    made.add_argument(
        "--as-of",
        type=_day_or_auto,
        metavar="D",
        help="see rows before D only; without it, the day after the newest row",
    )
    made = command("compare", _compare, "show the leaderboard, and the holdout once there is one")
    made.add_argument("--versions", nargs="+", metavar="V", help="registered versions to measure")
    made = command("promote", _promote, "make the challenger champion, if the gate lets it through")
    _switch(made, "--dry-run", "only say what would happen")
    _switch(made, "--force", "make it champion whatever the gate says")
    made.add_argument("--reason", metavar="TEXT", help="why, for the promotion ledger; --force needs one")
    made = command("refresh", _refresh, "train, hold the gate, promote or say why not")
    made.add_argument("--as-of", type=_day_or_auto, metavar="D", help="as for train")
    made = command("rollback", _rollback, "make the champion before this one champion again")
    made.add_argument(
        "--to", metavar="V", help="a version that has been champion; without it, the one before"
    )
    made.add_argument("--reason", metavar="TEXT", help="why, for the promotion ledger")
    command("history", _history, "show every change of champion, and check the present one")
    made = command("doctor", _doctor, "find what crashes have left in the model store")
    _switch(made, "--repair", "and mend it")
    made = command("score", _score, "score every customer with the champion and publish one run")
    made.add_argument("--as-of", type=_day, required=True, metavar="D", help="look at rows before D only")
    made.add_argument("--wait", action="store_true", help="wait for another run of the same date")
    made = command("replay", _replay, "rebuild a published run and prove that it says the same")
    made.add_argument("name", metavar="RUN", help="a run's id, a date, or latest")
    made = command("outcomes", _outcomes, "hold published runs to account: expected against actual")
    made.add_argument("--as-of", type=_day, required=True, metavar="D", help="close what is over by D")
    made = command("measure", _measure, "say what past lists brought, against those left alone")
    made.add_argument(
        "--as-of", type=_day_or_auto, metavar="D", help="see rows before D only; without it, the whole log"
    )
    made = command("report", _report, "write one page for people: the verdict, whom to contact, what came")
    made.add_argument(
        "--as-of", type=_day_or_auto, metavar="D", help="of the run of this date; without it, the latest run"
    )
    made = command("show", _show, "show what is known and expected of one customer")
    made.add_argument("customer", metavar="CUSTOMER", help="the shop's own id, or a pseudonym of a list")
    made.add_argument(
        "--as-of", type=_day_or_auto, metavar="D", help="of the run of this date; without it, the latest run"
    )
    made.add_argument("--html", action="store_true", help="write a page instead")
    made = command("identify", _identify, "say whose pseudonym it is, with the key and the log")
    made.add_argument("what", metavar="WHAT", help="a pseudonym, or a CSV file that has some")
    made.add_argument("--into", type=Path, metavar="FILE", help="write the list with the customers' own ids")
    made = command("demo", _demo, "the whole job on a real public log")
    made.add_argument("--into", type=Path, default=Path("demo"), help="folder to write into (default: demo)")
    return parser


def _shared(default: object) -> argparse.ArgumentParser:
    """Options that work before and after the command; after it they must not overwrite with a default."""
    suppress = default is argparse.SUPPRESS
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        default=default if suppress else Path("repurchase.toml"),
        help="default: repurchase.toml",
    )
    for flag, text in (("--quiet", "no progress"), ("--json", "the answer as JSON")):
        shared.add_argument(flag, action="store_true", default=default if suppress else False, help=text)
    return shared


def _switch(parser: argparse.ArgumentParser, flag: str, text: str) -> None:
    """Add a switch that a program may also write out: ``--flag yes`` or ``--flag no``."""
    parser.add_argument(
        flag, nargs="?", const=True, default=False, type=_yes_or_no, metavar="yes|no", help=text
    )


def _yes_or_no(text: str) -> bool:
    if text not in ("yes", "no"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither yes nor no")
    return text == "yes"


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date; write it like 2026-11-21") from None


def _day_or_auto(text: str) -> date | None:
    return None if text == "auto" else _day(text)


def _init(args: argparse.Namespace, _console: "Console") -> "Answer":
    from pipelines.console import Answer
    from pipelines.init import as_data, explain, init

    result = init(args.log, args.config, force=args.force)
    return Answer(as_data(result), explain(result))


def _check(args: argparse.Namespace, console: "Console") -> "Answer":
    from pipelines.check import check
    from pipelines.config import load_config

    return check(load_config(args.config), console, leaks=args.leaks, as_of=args.as_of)


def _train(args: argparse.Namespace, console: "Console") -> "Answer":
    from pipelines.config import load_config
    from pipelines.train import train

    return train(load_config(args.config), console, args.as_of)


def _compare(args: argparse.Namespace, console: "Console") -> "Answer":
    from pipelines.compare import compare
    from pipelines.config import load_config

    return compare(load_config(args.config), console, args.versions)


def _promote(args: argparse.Namespace, console: "Console") -> "Answer":
    from pipelines.config import load_config
    from pipelines.promote import promote

    config = load_config(args.config)
    return promote(config, console, dry_run=args.dry_run, force=args.force, reason=args.reason)


def _refresh(args: argparse.Namespace, console: "Console") -> "Answer":
    from pipelines.config import load_config
    from pipelines.refresh import refresh

    return refresh(load_config(args.config), console, args.as_of)


def _rollback(args: argparse.Namespace, console: "Console") -> "Answer":
    from pipelines.config import load_config
    from pipelines.rollback import rollback

    to = None if args.to in ("", "auto") else args.to
    return rollback(load_config(args.config), console, to=to, reason=args.reason)


def _history(args: argparse.Namespace, console: "Console") -> "Answer":
    from pipelines.config import load_config
    from pipelines.history import history

    return history(load_config(args.config), console)


def _doctor(args: argparse.Namespace, console: "Console") -> "Answer":
    from pipelines.config import load_config
    from pipelines.doctor import doctor

    return doctor(load_config(args.config), console, repair=args.repair)


def _score(args: argparse.Namespace, console: "Console") -> "Answer":
    from pipelines.config import load_config
    from pipelines.score import score

    return score(load_config(args.config), console, args.as_of, wait=args.wait)


def _replay(args: argparse.Namespace, console: "Console") -> "Answer":
    from pipelines.config import load_config
    from pipelines.replay import replay

    return replay(load_config(args.config), console, args.name)


def _outcomes(args: argparse.Namespace, console: "Console") -> "Answer":
    from pipelines.config import load_config
    from pipelines.outcomes import outcomes

    return outcomes(load_config(args.config), console, args.as_of)


def _measure(args: argparse.Namespace, console: "Console") -> "Answer":
    from pipelines.config import load_config
    from pipelines.measure import measure

    return measure(load_config(args.config), console, args.as_of)


def _report(args: argparse.Namespace, console: "Console") -> "Answer":
    from pipelines.config import load_config
    from pipelines.report import report

    return report(load_config(args.config), console, args.as_of)


def _show(args: argparse.Namespace, console: "Console") -> "Answer":
    from pipelines.config import load_config
    from pipelines.show import show

    return show(load_config(args.config), console, args.customer, args.as_of, html=args.html)


def _identify(args: argparse.Namespace, console: "Console") -> "Answer":
    from pipelines.config import load_config
    from pipelines.identify import identify

    return identify(load_config(args.config), console, args.what, args.into)


def _demo(args: argparse.Namespace, console: "Console") -> "Answer":
    from pipelines.demo import demo

    return demo(console, args.into)


if __name__ == "__main__":
    sys.exit(main())
