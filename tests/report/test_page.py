"""The report in a browser: sorted, filtered, opened; nothing asked for, nothing run, readable by all."""

from __future__ import annotations

import json
import re
import shutil
import time
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from serab_core.data.protocols import SUITE
from serab_core.report.board import load_leaderboard
from serab_core.report.figures.plots import confusion_plot, forest, size_plot
from serab_core.report.figures.svg import PAGE, PAPER
from serab_core.report.html.page import report_page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
HOSTILE = "<img src=x onerror=alert(1)>"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync"]


@pytest.fixture
def filled(home, make_result, store_result):
    """A home with results: three tasks, a synthetic one, an extractor that lacks some, one with a hostile name."""
    for place, (name, right) in enumerate({"good": 0.9, "near": 0.88, "bad": 0.4, HOSTILE: 0.6}.items()):
        for task in ("emodb", "savee", "ravdess"):
            if name != "near" or task != "savee":
                sexes = {f"s{i}": "fm"[i % 2] for i in range(8)}
                store_result(make_result(name, task, right, seed=place, sexes=sexes))
        store_result(make_result(name, "demo", 0.9, seed=place, synthetic=True))
    odd = make_result("opensmile", "emodb", 0.7, seed=9)
    store_result(replace(odd, cautions=("</script><script>alert(2)</script>",), imported="a friend"))
    return home


@pytest.fixture
def page_file(filled, tmp_path) -> Path:
    path = tmp_path / "report.html"
    path.write_text(report_page(load_leaderboard(filled, "serab"), "Report & <title>", {"good": 40.0}))
    return path


@pytest.fixture
def browser():
    sync = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with sync.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def opened(browser, page_file):
    """`opened(width, dark)` opens the page; at the end nothing must have been asked for, nor complained of."""
    said, asked = [], []

    def open_(width: int = 1440, *, dark: bool = False):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light"
        )
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: (said.append(f"alert {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(page_file.as_uri())
        return page

    yield open_
    assert said == []
    assert set(asked) <= {page_file.as_uri()}


def floats(value) -> set[float]:
    """All numbers of a JSON document, as numbers in percent and as they are."""
    if isinstance(value, dict | list):
        return set().union(*(floats(part) for part in (value.values() if isinstance(value, dict) else value)))
    return {value, 100 * value} if isinstance(value, int | float) else set()


def test_every_figure_of_the_page_is_in_json(filled, serab):
    """In those of the leaderboard by each metric, or in those of fairness, optimism and bias."""
    extractors = ("good", "near", "bad", "opensmile", HOSTILE)
    metrics = ("uar", "macro_f1", "weighted_f1", "kappa")
    commands = [
        ("leaderboard",),
        *(("leaderboard", "--metric", name) for name in metrics),
        ("optimism",),
        ("bias",),
        *(("fairness", name) for name in extractors),
    ]
    known = floats([json.loads(serab(*command, "--json")[1]) for command in commands])
    page = report_page(load_leaderboard(filled, "serab"), "Report", {})
    text = re.sub(r"<(script|style).*?</\1>|<[^>]*>", " ", page, flags=re.DOTALL)
    shown = set(re.findall(r"(?<![\w.:;])\d+\.\d+(?![\w.])", text))  # not arXiv:2110.03414 and &lt;0.001
    assert len(shown) > 50
    formatted = {f"{abs(value):.{places}f}" for value in known for places in (1, 2, 3)}
    assert shown - formatted == set()


def names(page) -> list[str]:
    rows = page.locator("table.board:not([hidden]) tbody tr:not([hidden]) th")
    return rows.all_text_contents()


def test_sorted_filtered_and_opened(opened):
    page = opened()
    assert names(page)[:2] == ["good", HOSTILE]
    head = page.locator("table.board:not([hidden]) thead button", has_text="ravdess")
    head.click()
    assert page.locator("th[aria-sort]:visible").text_content() == "ravdess"
    assert names(page)[-1] == "opensmile"  # it has none
    head.click()
    assert names(page)[0] == "bad"
    page.fill("#filter", "goo, near")
    assert sorted(names(page)) == ["good", "near"]
    assert page.locator("#shown").text_content() == "2 shown"
    page.fill("#filter", "")
    page.select_option("#metric", "uar")
    assert page.locator("table.board:visible").get_attribute("data-metric") == "uar"
    page.select_option("#metric", "accuracy")
    page.locator("button.cell:visible").first.focus()
    page.keyboard.press("Enter")
    dialog = page.locator("dialog[open]")
    assert "on emodb" in dialog.locator("h2").text_content()
    text = dialog.text_content()
    for wanted in ("over 8 speakers", "Macro-F1", "LDA (chosen)", "serab eval", "Fingerprint", "Seeds"):
        assert wanted in text
    page.keyboard.press("Escape")
    assert page.locator("dialog[open]").count() == 0


def test_what_is_hostile_is_only_words(opened):
    page = opened()
    assert HOSTILE in names(page)
    assert page.locator("img").count() == 0
    page.fill("#filter", "opensmile")
    page.locator("button.cell:visible").first.click()
    assert "</script><script>alert(2)</script>" in page.locator("dialog[open]").text_content()


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (390, False), (1440, True), (390, True)])
def test_it_is_for_everybody(opened, width, dark):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    page = opened(width, dark=dark)
    for place in range(page.locator("details").count()):
        page.locator("details").nth(place).evaluate("own => own.open = true")
    found = axe.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.locator("button.cell:visible").first.click()
    found = axe.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_it_opens_in_a_moment(browser, home, make_result, store_result, tmp_path):
    """Thirty extractors on nine tasks; a second is asked for, on a machine that does nothing else."""
    for number in range(30):
        for task in SUITE:
            store_result(make_result(f"x{number:02d}", task, 0.5 + 0.01 * number, speakers=19, each=16, seed=number))
    path = tmp_path / "large.html"
    path.write_text(report_page(load_leaderboard(home, "serab"), "Large", {}))
    assert path.stat().st_size < 3_000_000
    page = browser.new_page()
    begin = time.perf_counter()
    page.goto(path.as_uri())
    assert page.locator("button.cell").count() == 5 * 270
    print(f"{path.stat().st_size / 1e6:.2f} MB, {time.perf_counter() - begin:.2f} s")
    assert time.perf_counter() - begin < 10


def test_nothing_is_asked_for_by_construction(page_file):
    text = page_file.read_text()
    assert "default-src 'none'" in text
    assert not re.findall(r"(?:src|href)=[\"'](?!#|data:)", text)
    assert "<img" not in re.sub(r"<script type=.application/json.*?</script>", "", text, flags=re.DOTALL)
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])
    assert len(data["cells"]) == 16
    assert {cell["imported"] for cell in data["cells"]} == {"", "a friend"}


def test_figures_are_wellformed_and_escaped(filled):
    board = load_leaderboard(filled, "serab").board
    for drawing in (forest(board, PAPER), forest(board, PAGE), confusion_plot(board.rows[0].cells["emodb"], PAPER)):
        root = ElementTree.fromstring(drawing)
        assert root.find("{http://www.w3.org/2000/svg}title").text
        assert not root.findall(".//{http://www.w3.org/2000/svg}img")
    assert "var(--" not in forest(board, PAPER)


def test_the_command(filled, serab, tmp_path, monkeypatch):
    pytest.importorskip("resvg_py")
    monkeypatch.chdir(tmp_path)
    code, out, err = serab("report", "--figures", "figs", "--json")
    assert code == 0, err
    document = json.loads(out)
    assert Path(document["file"]).stat().st_size == document["bytes"]
    kinds = {Path(file).stem.split("-")[0] for file in document["figures"]}
    assert kinds == {"means", "size", "subsets", "optimism", "speakers", "confusion"}
    for file in document["figures"]:
        assert Path(file).read_bytes()[:4] in (b"<svg", b"\x89PNG")
    code, _, err = serab("report", "nobody")
    assert code == 2
    assert "no result of extractor 'nobody'" in err
    code, _, err = serab("report", "-o", "there-is-none/report.html", "--protocol", "strict")
    assert code == 2
    assert "no result under protocol strict" in " ".join(err.split())


def test_figures_without_what_makes_png(filled, serab, tmp_path, monkeypatch):
    monkeypatch.setattr("serab_core.report.figures.files.find_spec", lambda name: None)
    code, out, err = serab("report", "-o", str(tmp_path / "r.html"), "--figures", str(tmp_path / "figs"), "--json")
    assert (code, "pip install serab-core[figures]" in err) == (0, True)
    assert {Path(file).suffix for file in json.loads(out)["figures"]} == {".svg"}


def test_long_names_fit_beside_a_figure(home, make_result, store_result):
    name = "hf:somebody/" + "wav2vec2-" * 8 + "xlsr+layer=9"
    store_result(make_result(name, "emodb", 0.9))
    drawn = forest(load_leaderboard(home, "serab").board, PAPER)
    shown = re.findall(r">([^<>]*…[^<>]*)</text>", drawn)
    assert [len(word) for word in shown] == [36]
    assert shown[0].startswith("hf:somebody/")
    assert shown[0].endswith("+layer=9")


def test_a_crowded_figure_names_what_is_joined(home, make_result, store_result):
    """Shorter embeddings come with shorter names in these results; the third is both longer and worse."""
    for number in range(14):
        store_result(make_result("x" * (number + 1), "emodb", 0.5 if number == 2 else 0.8, seed=number))
    drawn = size_plot(load_leaderboard(home, "serab").board, PAPER)
    assert drawn.count("<circle") == 14
    named = re.findall(r">(x+)</text>", drawn)
    assert "x" in named
    assert "xxx" not in named
    assert "<title>xxx: " in drawn
