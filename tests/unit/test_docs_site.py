"""What the site adds to its pages: links that leave it, the command line, stored results."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
HOME = "https://github.com/fewclicks/fewclicks"
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def site() -> ModuleType:
    specification = importlib.util.spec_from_file_location(
        "docs_site", ROOT / "tools" / "docs_site.py"
    )
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def navigation(entries: object) -> list[str]:
    """Give every page that the navigation names."""
    if isinstance(entries, str):
        return [entries]
    each = entries.values() if isinstance(entries, dict) else entries
    return [page for entry in each for page in navigation(entry)]


def configuration() -> dict[str, object]:
    return yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))


def test_every_page_has_its_place_in_the_navigation():
    pages = navigation(configuration()["nav"])
    there = [path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")]
    assert sorted(pages) == sorted(there)


def test_nothing_is_fetched_from_elsewhere_by_a_font():
    theme = configuration()["theme"]
    assert theme["font"] is False
    assert "repo_url" not in configuration()
    assert {palette["scheme"] for palette in theme["palette"]} == {"default", "slate"}


def test_home_has_the_picture_and_the_commands_of_the_readme():
    home = (DOCS / "index.md").read_text(encoding="utf-8")
    (picture,) = re.findall(r"!\[([^]]+)\]\(pictures/demo\.jpg\)", home)
    assert f"![{picture}](docs/pictures/demo.jpg)" in README
    (typed,) = re.findall(r"```sh\n(.*?)```", home, flags=re.S)
    assert f"```sh\n{typed}```" in README


def test_every_method_stands_on_a_page_with_a_figure_of_the_code():
    tool = (ROOT / "tools" / "method_figures.py").read_text(encoding="utf-8")
    for page in sorted((DOCS / "methods").glob("*.md")):
        if page.stem == "index":
            continue
        (figure,) = re.findall(r"\(\.\./pictures/methods/(\w+)\.jpg\)", page.read_text("utf-8"))
        assert figure == page.stem
        assert f'"{figure}": ({figure}, ' in tool
        assert (DOCS / "pictures" / "methods" / f"{figure}.jpg").stat().st_size <= 250_000


def test_links_that_leave_the_docs_lead_to_the_repository(site: ModuleType):
    page = DOCS / "methods" / "x.md"
    text = "[a](../../CONTRIBUTING.md#style) [b](../../configs) [c](../weights.md) [d](x.md)"
    led = site.lead_outside(text, page, HOME)
    assert f"[a]({HOME}/blob/main/CONTRIBUTING.md#style)" in led
    assert f"[b]({HOME}/tree/main/configs)" in led
    assert led.endswith("[c](../weights.md) [d](x.md)")


def test_the_command_line_page_has_every_verb_and_option(site: ModuleType):
    told = "\n".join(site.describe_verbs())
    assert "## fewclicks segment\n" in told
    assert "## fewclicks weights fetch\n" in told
    assert "| `--out` | The mask, a .png; of a folder: the folder for NAME.png. Needed. |" in told
    assert "| <code>IMAGE&#124;FOLDER</code> | A picture, or a folder of pictures." in told


def test_a_stored_result_becomes_a_table_and_names_its_machine(site: ModuleType, tmp_path: Path):
    machine = {"cpu": "A chip", "cores": 2, "versions": {"numpy": "2.4"}}
    stored = {
        "machine": machine,
        "repeats": 7,
        "rows": [{"name": "walk", "median_s": 0.0123456, "ratio": 4.0}, {"name": "cut"}],
    }
    (tmp_path / "speed.json").write_text(json.dumps(stored), encoding="utf-8")
    named = {"runs": [{"flip": True, "rows": {"torch": {"cpu_s": 1.5}, "onnx": {"cpu_s": 1.0}}}]}
    (tmp_path / "two.json").write_text(json.dumps(named), encoding="utf-8")
    told = "\n".join(site.describe_results(tmp_path))
    assert "## speed\n\nrepeats: 7.\n" in told
    assert "| name | median s | ratio |\n| --- | --- | --- |\n| walk | 0.01235 | 4 |" in told
    assert "| cut |  |  |" in told
    assert "On A chip, 2 cores, numpy 2.4." in told
    assert "## two\n" in told
    assert "|  | cpu s |\n| --- | --- |\n| torch | 1.5 |\n| onnx | 1 |" in told
    assert "flip: yes" in told


def test_every_stored_result_is_told(site: ModuleType):
    told = "\n".join(site.describe_results(ROOT / "benchmarks" / "results"))
    names = [path.stem for path in (ROOT / "benchmarks" / "results").rglob("*.json")]
    assert names
    assert all(f"{name}\n" in told for name in names)
    assert told.count("\n| --- |") >= len(names)


@pytest.mark.long
def test_the_site_is_built_without_a_warning_and_fetches_nothing(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    pages = list((tmp_path / "site").rglob("*.html"))
    assert len(pages) > 50
    shown = r'<(?:script|img|iframe|source)[^>]+src="(https?:)?//'
    linked = r'<link[^>]+rel="(?:stylesheet|icon|preconnect)"[^>]+href="(https?:)?//'
    fetched = re.compile(f"{shown}|{linked}")
    assert not [page.name for page in pages if fetched.search(page.read_text(encoding="utf-8"))]
