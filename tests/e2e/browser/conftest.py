"""One browser for each module of tests, a window of its own for each test."""

from __future__ import annotations

import pytest

from browser import open_browser, open_page


@pytest.fixture(scope="module")
def chromium():
    with open_browser() as browser:
        yield browser


@pytest.fixture
def page(chromium):
    with open_page(chromium) as window:
        yield window
