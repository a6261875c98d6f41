"""The report in a browser: nothing fetched, cut off or overlapping, and readable for everyone.

On real logs, in both languages, on a phone, a laptop and paper. It takes a Chromium on the machine (or the
one that CHROMIUM names) and the development extra; nothing is downloaded.
"""

import importlib.util
import os
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipelines.cli import main
from pipelines.demo import cdnow_log
from pipelines.report import report_path
from tests.features.conftest import data_file

from .browser_checks import CLIPPED, OPEN_ALL, OVERFLOW, OVERLAPS, PAGE_WIDTH

pytestmark = pytest.mark.heavy

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
MOST_BYTES = 3_000_000
SCREENS = {"phone": (390, 844), "laptop": (1366, 768)}
A4 = (688, 1017)
"""The printable part of a sheet in CSS pixels: 210 × 297 mm less margins of 14 mm."""
GRAVE = ("serious", "critical")
CONFIG = """\
[project]
name = "{name}"
currency = "{currency}"
language = "{language}"
[tables.transactions]
source = "orders.parquet"
columns = {{ {columns} }}
[economics]
margin = 0.35
save_rate = 0.1
[campaign]
cost = 1.5
"""
CANCELLED = '[policy]\ncancellation = { column = "order_id", prefix = "C" }\n'
LOGS = {
    "retail": (
        "GBP", 'customer_id = "customer_id", order_id = "invoice", ordered_at = "invoice_date", '
        'product_id = "stock_code", quantity = "quantity", unit_price = "unit_price"',
        ("2011-08-01", "2011-09-01", "2011-12-02"),
    ),
    "journey": (
        "USD", 'customer_id = "customer_id", order_id = "order_id", ordered_at = "ts", '
        'product_id = "product_id", amount = "amount"',
        ("2017-08-01", "2017-09-01", "2017-11-30"),
    ),
    "cdnow": (
        "USD", 'customer_id = "customer_id", ordered_at = "date", quantity = "cds", amount = "amount"',
        ("1998-01-01", "1998-01-01", "1998-04-01"),
    ),
}  # fmt: skip
"""Currency, columns, and the dates of the training, of a first list, and of the report."""


def write_log(name: str, folder: Path) -> None:
    if name == "cdnow":
        cdnow_log().to_parquet(folder / "orders.parquet")
        return
    files = {
        "retail": ("online_retail", "online_retail.parquet"),
        "journey": ("complete_journey", "transactions.parquet"),
    }
    shutil.copy(data_file(*files[name]), folder / "orders.parquet")


@pytest.fixture(scope="module", params=[*LOGS])
def reports(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The reports of a shop whose first list has been measured, by language."""
    name = request.param
    folder = tmp_path_factory.mktemp(name)
    write_log(name, folder)
    currency, columns, (trained, first, last) = LOGS[name]
    path = folder / "repurchase.toml"

    def say(*command: str) -> None:
        assert main(["--config", str(path), "--quiet", *command]) == 0

    found = {}
    for language in ("en", "vi"):
        text = CONFIG.format(name=name, currency=currency, language=language, columns=columns)
        path.write_text(text + (CANCELLED if name == "retail" else ""), "utf-8")
        if language == "en":
            say("train", "--as-of", trained)
            say("promote")
            say("score", "--as-of", first)
            say("outcomes", "--as-of", last)
            say("measure", "--as-of", last)
        say("score", "--as-of", last)
        say("report")
        written = report_path(folder / "out", date.fromisoformat(last))
        found[language] = Path(shutil.copy(written, folder / f"{language}.html"))
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine; CHROMIUM names one")
    if not all(importlib.util.find_spec(name) for name in ("playwright", "axe_playwright_python")):
        pytest.skip("playwright and axe-playwright-python are not installed: pip install -e '.[dev]'")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


def opened(browser: Any, file: Path, size: tuple[int, int]) -> tuple[Any, list[str]]:
    """Open a page, its tables unfolded; return it and what it should not have done."""
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(f"console: {said.text}"))
    page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
    page.on("request", lambda asked: wrong.append(asked.url) if asked.url != file.as_uri() else None)
    page.goto(file.as_uri())
    page.evaluate(OPEN_ALL)
    return page, wrong


@pytest.mark.parametrize("language", ["en", "vi"])
@pytest.mark.parametrize("screen", [*SCREENS])
def test_a_screen_shows_it_whole(reports: dict[str, Path], browser: Any, language: str, screen: str) -> None:
    file = reports[language]
    assert file.stat().st_size < MOST_BYTES
    page, wrong = opened(browser, file, SCREENS[screen])
    wide, seen = page.evaluate(PAGE_WIDTH)
    assert wide <= seen
    assert page.evaluate(OVERFLOW) == []
    assert page.evaluate(CLIPPED) == []
    assert page.evaluate(OVERLAPS) == []
    assert wrong == []
    page.close()


@pytest.mark.parametrize("language", ["en", "vi"])
def test_paper_shows_it_whole_with_every_table(reports: dict[str, Path], browser: Any, language: str) -> None:
    page, wrong = opened(browser, reports[language], A4)
    page.reload()
    page.emulate_media(media="print")
    hidden = page.evaluate("[...document.querySelectorAll('table')].filter(t => !t.offsetHeight).length")
    assert hidden == 0  # folded on a screen, open on paper
    assert page.evaluate(OVERFLOW) == []
    assert page.evaluate(OVERLAPS) == []
    assert len(page.pdf(prefer_css_page_size=True)) > 10_000
    assert wrong == []
    page.close()


@pytest.mark.parametrize("language", ["en", "vi"])
def test_axe_finds_nothing_grave(reports: dict[str, Path], browser: Any, language: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page, _ = opened(browser, reports[language], SCREENS["phone"])
    found = Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in GRAVE] == []
    page.close()
