"""Take pictures of the annotation page in its main states.

    .venv/bin/python tools/page_pictures.py docs/pictures

Needs Chromium on PATH. The photographs come with scikit-image and scikit-learn.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image
from playwright.sync_api import Page, sync_playwright
from skimage.data import astronaut, chelsea, coffee, rocket
from sklearn.datasets import load_sample_images

ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu"]
ASTRONAUT = ((223, 120, True), (330, 330, True), (40, 200, False), (120, 400, True))
HELMET = ((400, 420, True), (440, 300, False), (498, 400, False))
SHUTTLE = ((420, 150, True), (495, 60, False), (392, 190, True), (447, 130, True))


def write_photographs(folder: Path) -> None:
    """Write what there is to annotate."""
    photographs = {
        "astronaut.jpg": astronaut(), "chelsea.jpg": chelsea(), "coffee.jpg": coffee(),
        "rocket.jpg": rocket(),
    }  # fmt: skip
    names = ("pavilion.jpg", "flower.jpg")
    photographs.update(zip(names, load_sample_images().images, strict=True))
    for name, pixels in photographs.items():
        Image.fromarray(pixels).save(folder / name, quality=92)


def start(folder: Path) -> tuple[subprocess.Popen[str], str]:
    """Start the server, and give its address."""
    command = [sys.executable, "-m", "fewclicks", "annotate", str(folder), "--no-browser"]
    server = subprocess.Popen([*command, "--port", "0"], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    line = server.stdout.readline()
    return server, next(word for word in line.split() if word.startswith("http"))


def wait(page: Page, condition: str) -> None:
    """Ask again until it is true; the page's security policy forbids the browser's own way."""
    for _ in range(3000):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(20)
    raise SystemExit(f"Never true: {condition}")


def calm(page: Page) -> None:
    """Wait until everything is saved and shown."""
    wait(page, "() => window.fewclicks?.state().name && !window.fewclicks.state().pending")
    page.wait_for_timeout(300)


def click_all(page: Page, clicks: tuple[tuple[int, int, bool], ...]) -> None:
    """Click pixels of the picture: what belongs to the object, and what does not."""
    for x, y, is_positive in clicks:
        calm(page)
        place = page.evaluate("([x, y]) => window.fewclicks.clientPoint(x, y)", [x + 0.5, y + 0.5])
        page.mouse.click(place["x"], place["y"], button="left" if is_positive else "right")
        page.wait_for_timeout(200)
    calm(page)


def finish(page: Page, label: str) -> None:
    """Give the object a label and go on."""
    page.get_by_test_id("label-input").fill(label)
    page.get_by_test_id("label-input").press("Enter")
    page.get_by_test_id("finish").click()
    page.wait_for_timeout(300)
    calm(page)


def walk_through(page: Page, address: str, take: Any) -> None:
    """Annotate the astronaut, and take a picture of each state."""
    page.goto(address)
    calm(page)
    page.get_by_test_id("picture-row").filter(has_text="astronaut").first.click()
    wait(page, "() => window.fewclicks.state().name === 'astronaut.jpg'")
    click_all(page, ASTRONAUT)
    take(page, "clicks")
    finish(page, "astronaut")
    click_all(page, HELMET)
    finish(page, "helmet")
    click_all(page, SHUTTLE)
    take(page, "objects")
    page.keyboard.press("m")
    page.wait_for_timeout(1500)
    take(page, "reference")
    page.get_by_test_id("reference-close").click()
    page.keyboard.press("Shift+?")
    page.wait_for_timeout(300)
    take(page, "help")


def main(target: Path) -> None:
    """Take the pictures in light and in dark."""
    program = shutil.which("chromium") or sys.exit("There is no Chromium on PATH.")
    target.mkdir(parents=True, exist_ok=True)

    def take(page: Page, state: str) -> None:
        path = target / f"page_{state}_{scheme}.png"
        page.screenshot(path=path)
        Image.open(path).quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
        print(f"Wrote {path}, {path.stat().st_size // 1000} kB")

    for scheme in ("light", "dark"):
        with TemporaryDirectory() as place, sync_playwright() as driver:
            folder = Path(place) / "photographs"
            folder.mkdir()
            write_photographs(folder)
            server, address = start(folder)
            try:
                browser = driver.chromium.launch(executable_path=program, args=ARGUMENTS)
                context = browser.new_context(
                    viewport={"width": 1280, "height": 720}, color_scheme=scheme
                )
                walk_through(context.new_page(), address, take)
                browser.close()
            finally:
                server.terminate()
                server.wait(30)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Usage: page_pictures.py FOLDER")
    main(Path(sys.argv[1]))
