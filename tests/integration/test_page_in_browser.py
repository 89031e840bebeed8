"""report.html in Chromium: nothing loads, overlaps or leaves its frame, on a phone, on a desk and on paper.

Needs the extra ``browser`` and a Chromium on PATH: ``make test-browser``.
"""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from profiler.present import figures, page, tables
from profiler.present.answer_sections import sections
from profiler.present.view import view
from tests.page_checks import HOSTILE, analysis, renamed

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
WHY_NOT = (
    "playwright is not installed (make test-browser)"
    if find_spec("playwright") is None
    else "no chromium, chromium-browser or google-chrome on PATH"
    if CHROMIUM is None
    else None
)
pytestmark = [pytest.mark.browser, pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))]

NAMES = (
    "ipc-int_loop",
    "variants-int_loop",
    "rebuild/default-int_loop",
    "rebuild/tls-trixie-int_loop",
    "poc4-amortize",
    "poc4-eliminate",
)
PHONE, DESK, PAPER = 390, 1280, 700

TEXTS = """
({ inside }) => {
  const found = [];
  const walker = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (!node.data.trim() || parent.closest('.hidden') || !parent.checkVisibility()) continue;
    if (parent.closest('.stack thead') && getComputedStyle(parent.closest('thead')).position === 'absolute') continue;
    if (!inside && parent.closest('.scroll')) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const rect of range.getClientRects()) {
      if (rect.width < 1) continue;
      found.push({ text: node.data.trim().slice(0, 40), left: rect.left, right: rect.right,
        top: rect.top + scrollY, bottom: rect.bottom + scrollY });
    }
  }
  return found;
}
"""
OVERLAPS = """
(texts) => {
  const found = [];
  texts.sort((a, b) => a.top - b.top);
  texts.forEach((a, at) => {
    for (const b of texts.slice(at + 1)) {
      if (b.top > a.bottom) break;
      const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      // The boxes of two lines of letters touch; letters themselves do not.
      if (across > 1 && down > 0.3 * Math.min(a.bottom - a.top, b.bottom - b.top)) found.push(a.text + ' | ' + b.text);
    }
  });
  return found;
}
"""
OUTSIDE = """
() => {
  const found = [];
  for (const frame of document.querySelectorAll('.box, .term, .whole, pre, td, th, dd, dt, .panel, .files td')) {
    if (!frame.checkVisibility() || frame.closest('.hidden') || getComputedStyle(frame).display === 'inline') continue;
    if (frame.closest('.stack thead')) continue;
    const outer = frame.getBoundingClientRect();
    const walker = document.createTreeWalker(frame, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (!node.data.trim() || !node.parentElement.checkVisibility()) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      const rect = range.getBoundingClientRect();
      // An axis's label is centred on its place and may reach into the cell's own margin.
      const slack = node.parentElement.closest('.axis') ? 16 : 1;
      if (rect.left < outer.left - slack || rect.right > outer.right + slack) found.push(node.data.trim());
      if (frame.matches('.box, .term') && (rect.top < outer.top - 1 || rect.bottom > outer.bottom + 1))
        found.push(node.data.trim());
    }
  }
  return found;
}
"""
FAINT = """
() => {
  const linear = (value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const channel = (value) => linear(value / 255);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const behind = (element) => {
    for (; element; element = element.parentElement) {
      const found = parts(getComputedStyle(element).backgroundColor);
      if (found.length === 3 || found[3] === 1) return found;
    }
    return [255, 255, 255];
  };
  const found = new Set();
  const walker = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (!node.data.trim() || parent.closest('.hidden') || !parent.checkVisibility()) continue;
    const one = light(parts(getComputedStyle(parent).color)), other = light(behind(parent));
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (contrast < 4.5) found.add(contrast.toFixed(2) + ' ' + parent.className + ' ' + node.data.trim().slice(0, 30));
  }
  return [...found];
}
"""
OPEN = "document.querySelectorAll('details').forEach((one) => { one.open = true; })"


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # A container's root has no sandbox; what is opened is our own file.
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Result folders with their pages, and one whose names come to do harm."""
    found = {name: analysis(name) for name in NAMES}
    found["hostile"] = renamed(renamed(analysis("ipc-int_loop"), "pyo3", HOSTILE[1]), "int_loop", HOSTILE[0])
    places = {}
    for name, one in found.items():
        place = places[name] = tmp_path_factory.mktemp("page")
        tables.write(place, one.verdict)
        tables.write_points(place, one.points)
        page.write(place, one, view(one), sections(one.verdict, one.run))
    return places


@pytest.fixture(params=[*NAMES, "hostile"])
def folder(request: pytest.FixtureRequest, folders: dict[str, Path]) -> Path:
    return folders[request.param]


@contextmanager
def opened(browser: "Browser", folder: Path, width: int, scheme: Any = "light") -> Iterator["Page"]:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    found = context.new_page()
    found.goto((folder / page.NAME).as_uri())
    yield found
    context.close()


def test_nothing_is_loaded_run_or_complained_of(browser: "Browser", folder: Path) -> None:
    context = browser.new_context()
    found = context.new_page()
    requests: list[str] = []
    complaints: list[str] = []
    found.on("request", lambda one: requests.append(one.url))
    found.on("console", lambda one: complaints.append(one.text))
    found.on("pageerror", lambda one: complaints.append(str(one)))
    found.on("dialog", lambda one: complaints.append(one.message))
    found.goto((folder / page.NAME).as_uri())
    found.evaluate(OPEN)
    assert [url for url in requests if not url.startswith("data:")] == [(folder / page.NAME).as_uri()]
    assert complaints == []
    assert found.evaluate("document.querySelectorAll('script, img, iframe, object').length") == 0
    context.close()


@pytest.mark.parametrize("width", [360, PHONE, 760, DESK])
@pytest.mark.parametrize("unfolded", [False, True], ids=["folded", "open"])
def test_nothing_overlaps_or_leaves_its_frame(browser: "Browser", folder: Path, width: int, unfolded: bool) -> None:
    with opened(browser, folder, width) as found:
        if unfolded:
            found.evaluate(OPEN)
        assert found.evaluate("document.documentElement.scrollWidth") <= width
        texts: list[dict[str, Any]] = found.evaluate(TEXTS, {"inside": False})
        assert len(texts) > 50
        assert [one["text"] for one in texts if one["left"] < 0 or one["right"] > width] == []
        assert found.evaluate(OVERLAPS, texts) == []
        assert found.evaluate(OUTSIDE) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_word_can_be_read(browser: "Browser", folder: Path, scheme: str) -> None:
    with opened(browser, folder, DESK, scheme) as found:
        found.evaluate(OPEN)
        assert found.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") == (scheme == "dark")
        assert found.evaluate(FAINT) == []


def test_tables_can_be_downloaded(browser: "Browser", folder: Path) -> None:
    with opened(browser, folder, DESK) as found:
        links = found.locator("a[download]")
        names = links.evaluate_all("(links) => links.map((link) => link.download)")
        assert names
        for at, name in enumerate(names):
            with found.expect_download() as download:
                links.nth(at).click()
            assert download.value.suggested_filename == name
            assert Path(str(download.value.path())).read_bytes() == (folder / name).read_bytes()


def test_paper_has_what_is_folded(browser: "Browser", folder: Path, tmp_path: Path) -> None:
    with opened(browser, folder, PAPER) as found:
        if not found.evaluate("CSS.supports('selector(::details-content)')"):
            pytest.skip("this Chromium has no ::details-content: it prints folds closed")
        found.emulate_media(media="print")
        shown: list[bool] = found.evaluate(
            "[...document.querySelectorAll('details > :not(summary)')].map((one) => one.checkVisibility())"
        )
        assert shown
        assert all(shown)
        assert found.evaluate("document.documentElement.scrollWidth") <= PAPER
        assert found.evaluate(FAINT) == []
        data = found.pdf(path=tmp_path / "report.pdf", format="A4")
        assert len(re.findall(rb"/Type\s*/Page\b", data)) >= 2


def test_drawings_stay_in_their_frame(browser: "Browser", tmp_path: Path) -> None:
    for name in NAMES:
        one = analysis(name)
        for drawing in figures.write(tmp_path, one.verdict, view(one)):
            context = browser.new_context(viewport={"width": 900, "height": 2000})
            found = context.new_page()
            found.goto((tmp_path / drawing).as_uri())
            texts = """[...document.querySelectorAll('text')].map((one) => {
                const { left, right, top, bottom } = one.getBoundingClientRect();
                return { text: one.textContent, left, right, top, bottom };
            })"""
            frame = found.evaluate("document.querySelector('rect').getBoundingClientRect().toJSON()")
            placed: list[dict[str, Any]] = found.evaluate(texts)
            outside = [
                text["text"]
                for text in placed
                if text["left"] < frame["left"] or text["right"] > frame["right"] or text["bottom"] > frame["bottom"]
            ]
            assert outside == [], f"{name} {drawing}"
            assert found.evaluate(OVERLAPS, placed) == [], f"{name} {drawing}"
            context.close()
