"""Time the annotation page in a real browser: from the mouse button to the mask on screen.

    .venv/bin/python benchmarks/annotation_page.py [--size WxH] [--only clicks|list] [--out FILE]

Needs Chromium on PATH. The photographs come with scikit-image and scikit-learn, resized to
the size asked for. Beside the clicks, five on every picture, the opening of the next,
prepared picture is timed, and of a folder of ten thousand pictures its list, from the command
that starts the server and from the address of one that runs.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
from PIL import Image
from playwright.sync_api import Page, sync_playwright
from skimage.data import astronaut, chelsea, coffee, rocket
from sklearn.datasets import load_sample_images

from fewclicks.evaluation.machine import describe_machine

PLACES = ((0.5, 0.5), (0.3, 0.6), (0.1, 0.1), (0.7, 0.4), (0.9, 0.9))  # two of them off the object
MANY = 10_000
STARTS = 5  # the first one also writes the database
LISTED = "() => document.querySelector('[data-testid=picture-row]') !== null"


def write_photographs(folder: Path, width: int, height: int) -> None:
    """Write six photographs of one size."""
    photographs = [astronaut(), chelsea(), coffee(), rocket(), *load_sample_images().images]
    for number, pixels in enumerate(photographs):
        rows, columns = pixels.shape[:2]
        scale = max(height / rows, width / columns)
        size = max(width, round(columns * scale)), max(height, round(rows * scale))
        enlarged = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        Image.fromarray(enlarged[:height, :width]).save(folder / f"{number}.jpg", quality=92)


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Run the server on a folder, and give the page's address."""
    command = [sys.executable, "-m", "fewclicks", "annotate", str(folder), "--no-browser"]
    server = subprocess.Popen([*command, "--port", "0"], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    line = server.stdout.readline()
    try:
        yield next(word for word in line.split() if word.startswith("http"))
    finally:
        server.terminate()
        server.wait(30)


def wait(page: Page, condition: str) -> None:
    """Ask again until it is true; the page's security policy forbids the browser's own way."""
    for _ in range(12_000):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(5)
    raise SystemExit(f"Never true: {condition}")


def time_clicks(page: Page, count: int) -> tuple[list[float], list[float]]:
    """Click through the pictures; give milliseconds of clicks, and of opening the next one."""
    clicks, openings = [], []
    for number in range(count):
        wait(page, f"() => window.fewclicks?.state().name === '{number}.jpg'")
        page.wait_for_timeout(4000)  # until this picture and the next are prepared
        for right, down in PLACES:
            clicks.append(time_click(page, right, down))
        if number < count - 1:
            started = time.perf_counter()
            page.keyboard.press("PageDown")
            wait(page, f"() => window.fewclicks.state().name === '{number + 1}.jpg'")
            openings.append(1000 * (time.perf_counter() - started))
    return clicks, openings


def time_click(page: Page, right: float, down: float) -> float:
    """Click at shares of the picture's size, and read the page's own marks."""
    corner = page.evaluate("() => window.fewclicks.clientPoint(0, 0)")
    one = page.evaluate("() => window.fewclicks.clientPoint(1, 1)")
    scale = one["x"] - corner["x"]
    page.evaluate("() => performance.clearMarks()")
    x, y = corner["x"] + scale * WIDTH * right, corner["y"] + scale * HEIGHT * down
    page.mouse.click(x, y, button="right" if right in (0.1, 0.9) else "left")
    wait(page, "() => performance.getEntriesByName('mask').length > 0")
    times = page.evaluate(
        "() => ['click', 'mask'].map((name) => performance.getEntriesByName(name).at(-1).startTime)"
    )
    wait(page, "() => !window.fewclicks.state().pending")
    return float(times[1] - times[0])


def time_list(page: Page, folder: Path) -> tuple[list[float], list[float]]:
    """Seconds to the list of ten thousand pictures: from the command, and from the address."""
    for number in range(len(list(folder.iterdir())), MANY):
        os.link(folder / "0.jpg", folder / f"{number:05}.jpg")
    from_command, from_address = [], []
    for _ in range(STARTS):
        page.goto("about:blank")
        started = time.perf_counter()
        with serving(folder) as address:
            page.goto(address)
            wait(page, LISTED)
            from_command.append(time.perf_counter() - started)
            wait(page, "() => window.fewclicks?.state().name")
            page.wait_for_timeout(5000)  # until the model is loaded and the picture prepared
            page.goto("about:blank")
            started = time.perf_counter()
            page.goto(address)
            wait(page, LISTED)
            from_address.append(time.perf_counter() - started)
    return from_command, from_address


def measure_clicks(page: Page, place: Path) -> dict[str, object]:
    """Time clicks and the opening of the next picture."""
    write_photographs(place, WIDTH, HEIGHT)
    with serving(place) as address:
        page.goto(address)
        clicks, openings = time_clicks(page, 6)
    clicks.sort()
    return {
        "size": f"{WIDTH}x{HEIGHT}",
        "clicks": len(clicks),
        "click_ms_median": round(statistics.median(clicks), 1),
        "click_ms_95": round(clicks[int(0.95 * len(clicks))], 1),
        "next_picture_ms_median": round(statistics.median(openings), 1),
    }


def measure_list(page: Page, place: Path) -> dict[str, object]:
    """Time the list of a large folder."""
    write_photographs(place, 64, 48)
    from_command, from_address = time_list(page, place)
    return {
        "list_of_10000_s_from_command": [round(seconds, 2) for seconds in from_command],
        "list_of_10000_s_from_address": [round(seconds, 2) for seconds in from_address],
    }


PARTS = {"clicks": measure_clicks, "list": measure_list}


def main() -> None:
    """Time what is asked for, print it, and write it down."""
    program = shutil.which("chromium") or sys.exit("There is no Chromium on PATH.")
    result: dict[str, object] = {}
    with TemporaryDirectory() as place, sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=program, args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        for name in [OPTIONS.only] if OPTIONS.only else PARTS:
            folder = Path(place) / name
            folder.mkdir()
            result |= PARTS[name](page, folder)
        browser.close()
    result["machine"] = describe_machine(workers=1, threads=1)
    print(json.dumps(result, indent=1))
    if OPTIONS.out:
        OPTIONS.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="854x480")
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--out", type=Path)
    OPTIONS = parser.parse_args()
    WIDTH, HEIGHT = (int(side) for side in OPTIONS.size.split("x"))
    main()
