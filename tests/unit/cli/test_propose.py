from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from drawing import BLOB, paint
from fewclicks.cli.app import main
from fewclicks.images.writing import write_image
from fewclicks.proposals.store import ProposalStore


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.png", "b.png"):
        write_image(tmp_path / "pictures" / name, paint(BLOB))
    return tmp_path / "pictures"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run the verb here; give exit code, stdout, stderr."""

    def ran(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["fewclicks", "propose", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        return int(end.value.code or 0), out, err

    return ran


def test_a_folder_becomes_a_store_and_the_summary_says_so(run, folder, tmp_path):
    code, out, err = run(folder, "--out", tmp_path / "s", "--preview", 1)
    assert (code, err) == (0, "")
    assert f"Wrote proposals of 2 pictures to {tmp_path / 's'} (0 were there)" in out
    assert "in the backbone" in out
    assert ProposalStore(tmp_path / "s").images == ("a.png", "b.png")
    assert [path.name for path in (tmp_path / "s" / "preview").iterdir()] == ["a.png.png"]


def test_json_says_the_same(run, folder, tmp_path):
    said = json.loads(run(folder, "--out", tmp_path / "s", "--json")[1])
    assert (said["done"], said["kept"], said["failures"], said["previews"]) == (2, 0, [], [])


def test_a_broken_picture_is_named_and_the_exit_counts_it(run, folder, tmp_path):
    (folder / "c.jpg").write_bytes(b"broken")
    code, out, err = run(folder, "--out", tmp_path / "s")
    assert code == 1
    assert "Wrote proposals of 2 pictures" in out
    assert "c.jpg: " in err
    assert "Error: 1 of 3 pictures cannot be read and were left out." in err
    assert run(folder, "--out", tmp_path / "s", "--resume")[0] == 1


def test_settings_reach_the_kind_and_the_backbone(run, folder, tmp_path):
    settings = ("--set", "backbone.longest_side=8", "--set", "exact=yes")
    assert run(folder, "--out", tmp_path / "s", "--no-connectivity", *settings)[0] == 0
    recipe = ProposalStore(tmp_path / "s").recipe
    assert recipe.settings == {"connectivity": False, "exact": True}
    assert recipe.backbone_settings["longest_side"] == 8


@pytest.mark.parametrize("kind", ["tokencut", "dsm", "freemask"])
def test_the_rivals_are_kept_the_same_way(run, folder, tmp_path, kind):
    assert run(folder, "--out", tmp_path / "s", "--kind", kind)[0] == 0
    store = ProposalStore(tmp_path / "s")
    assert store.recipe.kind == kind
    assert store.masks("a.png")


def test_connectivity_is_said_once(run, folder, tmp_path):
    both = ("--no-connectivity", "--set", "connectivity=yes")
    code, _, err = run(folder, "--out", tmp_path / "s", *both)
    assert (code, "leave --set connectivity out" in err) == (2, True)
    assert not (tmp_path / "s").exists()


def test_no_connectivity_is_of_trees_alone(run, folder, tmp_path):
    code, _, err = run(folder, "--out", tmp_path / "s", "--kind", "dsm", "--no-connectivity")
    assert code == 2
    assert "--kind tree" in err


def test_a_store_that_is_there_is_answered_with_what_to_do(run, folder, tmp_path):
    run(folder, "--out", tmp_path / "s")
    code, _, err = run(folder, "--out", tmp_path / "s")
    assert code == 1
    assert "--resume goes on" in err
