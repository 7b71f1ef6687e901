"""The newcomer's notebook runs from its first cell to its last."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

NOTEBOOK = Path(__file__).resolve().parents[2] / "docs" / "newcomer.ipynb"


def test_the_notebook_is_kept_without_its_answers():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(code) > 5
    assert not any(cell.outputs or cell.execution_count for cell in code)
    assert NOTEBOOK.stat().st_size < 50_000


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_every_cell_runs_and_the_pictures_are_shown(tmp_path: Path):
    from nbclient import NotebookClient

    notebook = nbformat.read(NOTEBOOK, as_version=4)
    place = {"metadata": {"path": str(tmp_path)}}
    done = NotebookClient(notebook, timeout=300, resources=place).execute()
    outputs = [output for cell in done.cells for output in cell.get("outputs", [])]
    shown = [output.data for output in outputs if "data" in output]
    assert sum("image/png" in data for data in shown) >= 6
    assert any("application/vnd.jupyter.widget-view+json" in data for data in shown)
    assert list((tmp_path / "annotations").glob("*.json"))
