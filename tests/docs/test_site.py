"""The site of the documents: every document has its place, and no page asks another server for anything."""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chromium import ARGUMENTS, CHROMIUM, needs_chromium

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "build" / "docs"


def part(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"site_{name}", ROOT / "docs" / "site" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_document_has_one_place() -> None:
    placed = Counter(page for pages in part("navigation").NAVIGATION.values() for page in pages)
    folders = ("docs", "infra", "samples", "benchmarks")
    found = [*ROOT.glob("*.md"), *(path for folder in folders for path in (ROOT / folder).rglob("*.md"))]
    documents = {path.relative_to(ROOT).with_suffix("").as_posix() for path in found} - {"README"}
    assert placed == Counter(documents)


def test_requests_to_other_servers_are_found() -> None:
    offline = part("offline")
    assert offline.requests_in('<script async src="https://a.example/x.js"></script>') == ["https://a.example/x.js"]
    assert offline.requests_in('<link rel="stylesheet" href="//a.example/x.css">') == ["//a.example/x.css"]
    assert offline.requests_in("@import 'https://a.example/x.css'", style=True) == ["https://a.example/x.css"]
    assert offline.requests_in('<a href="https://a.example/">there</a><img src="_images/a.jpg">') == []


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS])
        yield browser
        browser.close()


@needs_chromium
@pytest.mark.skipif(not (SITE / "index.html").exists(), reason="no site: make docs has not run")
@pytest.mark.parametrize("width", [1280, 390])
def test_the_site_is_searched_from_a_folder_without_a_network(browser: Any, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 844})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((SITE / "index.html").as_uri())
    page.wait_for_url("**/README.html")
    page.goto(f"{(SITE / 'search.html').as_uri()}?q=halo")
    page.locator("#search-results li a", has_text="How good the cut-outs are").first.click()
    assert page.locator("h1").first.inner_text().startswith("How good the cut-outs are")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    page.close()
