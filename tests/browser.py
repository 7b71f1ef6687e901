"""A real browser for tests: Chromium from PATH, driven by Playwright, nothing downloaded."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WEB = Path(__file__).resolve().parents[1] / "src" / "fewclicks" / "web"
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


def is_required(what: str) -> bool:
    """Whether $FEWCLICKS_REQUIRE ("chromium,postgres") says that missing is failing."""
    return what in os.environ.get("FEWCLICKS_REQUIRE", "").split(",")


def skip_or_fail(what: str, reason: str) -> NoReturn:
    """Skip for a reason, or fail where what is missing is required."""
    if is_required(what):
        pytest.fail(f"{reason} (FEWCLICKS_REQUIRE names {what})")
    pytest.skip(reason)


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start Chromium; skip where there is none, or fail where it is required.

    As long as it is open, this thread has a running event loop: close it before `asyncio.run`.
    """
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        skip_or_fail("chromium", "No Chromium on PATH; install it to test the page.")
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        skip_or_fail("chromium", "No Playwright; pip install playwright to test the page.")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=[*ARGUMENTS])
        yield browser
        browser.close()


@contextmanager
def open_another(browser: Browser) -> Iterator[Browser]:
    """Start Chromium once more, as a program of its own."""
    program = next(found for name in NAMES if (found := shutil.which(name)))
    other = browser.browser_type.launch(executable_path=program, args=[*ARGUMENTS])
    yield other
    other.close()


@contextmanager
def open_page(browser: Browser, **options: Any) -> Iterator[Page]:
    """Open a window of its own, 1280 x 720; an error in the page's code fails the test."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 720}, **options})
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    context.close()
    assert not problems, problems


def wait_until(page: Page, condition: str, argument: object = None, *, seconds: float = 30) -> Any:
    """Ask again until a function of the page answers something true, and give that.

    Not `page.wait_for_function`, which the page's content security policy forbids.
    """
    end = time.monotonic() + seconds
    while not (answer := page.evaluate(condition, argument)):
        if time.monotonic() > end:
            state = page.evaluate("() => window.fewclicks?.state()")
            raise AssertionError(f"Never true: {condition}\nThe page is at {state}")
        page.wait_for_timeout(10)
    return answer


class _Handler(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path != "/":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>blank</title>")

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serve_modules() -> Iterator[str]:
    """Serve the page's modules below an empty page, and nothing else; give the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(WEB)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()
