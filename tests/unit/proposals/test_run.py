"""Run: a folder done once, whatever stops it in between."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from drawing import BLOB, paint
from fewclicks.backbones.colour import ColourBackbone
from fewclicks.errors import InputError, MissingExtraError, StorageError
from fewclicks.images.folders import list_pictures
from fewclicks.images.writing import write_image
from fewclicks.proposals import run as running
from fewclicks.proposals.plan import Failure, ProposalPlan
from fewclicks.proposals.preview import write_previews
from fewclicks.proposals.run import propose
from fewclicks.proposals.shards import list_shards
from fewclicks.proposals.store import ProposalStore

PLAN = ProposalPlan(backbone="colour", settings={"backbone.longest_side": "12"})
NAMES = tuple(f"{number:02d}.png" for number in range(9))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pictures = tmp_path / "pictures"
    for number, name in enumerate(NAMES):
        write_image(pictures / name, np.roll(paint(BLOB), 3 * number, axis=1))
    return pictures


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each picture that the backbone sees; stops the run at as many as it says."""
    seen: list[int] = []
    look = ColourBackbone.features

    def features(self, image):
        seen.append(len(seen))
        return look(self, image)

    monkeypatch.setattr(ColourBackbone, "features", features)
    return seen


def test_every_picture_below_the_folder_is_done_and_its_store_is_sound(folder, tmp_path):
    write_image(folder / "deeper" / "more" / "x.JPG", paint(BLOB))
    (folder / ".hidden.png").write_bytes(b"")
    (folder / "notes.txt").write_text("nothing")
    told: list[tuple[int, int]] = []
    summary = propose(PLAN, folder, tmp_path / "s", watch=lambda *at: told.append(at))
    store = ProposalStore(tmp_path / "s", backbone="colour")
    assert store.images == (*NAMES, "deeper/more/x.JPG")
    assert (summary.done, summary.kept, summary.failures) == (10, 0, ())
    assert 0 < summary.seconds_looking <= summary.seconds
    assert told[0] == (0, 10)
    assert told[-1] == (10, 10)
    assert list(store.verify()) == []


def test_a_stopped_run_keeps_what_is_done_and_resuming_does_only_the_rest(folder, tmp_path, looked):
    def stop(done: int, _total: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        propose(PLAN, folder, tmp_path / "s", workers=1, watch=stop)
    assert len(ProposalStore(tmp_path / "s")) == 4
    before = len(looked)
    summary = propose(PLAN, folder, tmp_path / "s", resume=True)
    assert (summary.done, summary.kept) == (5, 4)
    assert len(looked) == before + 5
    assert ProposalStore(tmp_path / "s").images == NAMES
    assert propose(PLAN, folder, tmp_path / "s", resume=True).done == 0
    assert len(looked) == before + 5


def test_a_stopped_and_resumed_store_holds_what_an_unbroken_one_does(folder, tmp_path):
    propose(PLAN, folder, tmp_path / "whole")
    (folder / NAMES[6]).rename(tmp_path / "away.png")
    propose(PLAN, folder, tmp_path / "parts")
    (tmp_path / "away.png").rename(folder / NAMES[6])
    propose(PLAN, folder, tmp_path / "parts", resume=True)
    whole, parts = ProposalStore(tmp_path / "whole"), ProposalStore(tmp_path / "parts")
    assert whole.images == parts.images
    for image in whole.images:
        assert whole.label(image) == parts.label(image)
        np.testing.assert_array_equal(whole.tree(image).children, parts.tree(image).children)


@pytest.mark.parametrize("bound", ["_MOST_ROWS", "_LONGEST_UNKEPT"])
def test_shards_are_written_while_the_run_goes_on(folder, tmp_path, monkeypatch, bound):
    monkeypatch.setattr(running, bound, {"_MOST_ROWS": 4, "_LONGEST_UNKEPT": 0.0}[bound])
    propose(PLAN, folder, tmp_path / "s")
    assert len(list_shards(tmp_path / "s")) == {"_MOST_ROWS": 3, "_LONGEST_UNKEPT": 9}[bound]
    assert ProposalStore(tmp_path / "s").images == NAMES


def test_broken_pictures_are_named_and_the_others_go_on(folder, tmp_path):
    (folder / "03.png").write_bytes(b"broken")
    (folder / "07.png").write_bytes((folder / "06.png").read_bytes()[:200])
    named: list[Failure] = []
    summary = propose(PLAN, folder, tmp_path / "s", complain=named.append)
    assert summary.done == 7
    assert [failure.image for failure in summary.failures] == ["03.png", "07.png"]
    assert tuple(named) == summary.failures
    assert len(ProposalStore(tmp_path / "s")) == 7
    write_image(folder / "03.png", paint(BLOB))
    again = propose(PLAN, folder, tmp_path / "s", resume=True)
    assert (again.done, len(again.failures)) == (1, 1)


def test_a_store_is_not_gone_on_with_unless_asked_and_never_by_another_plan(folder, tmp_path):
    propose(PLAN, folder, tmp_path / "s")
    with pytest.raises(StorageError, match=r"holds proposals already; --resume"):
        propose(PLAN, folder, tmp_path / "s")
    other = ProposalPlan(backbone="colour", settings={"backbone.longest_side": "14"})
    with pytest.raises(InputError, match="backbone_settings longest_side=12, not longest_side=14"):
        propose(other, folder, tmp_path / "s", resume=True)


def test_shards_of_nobody_knows_what_are_left_alone(folder, tmp_path):
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "x.parquet").write_bytes(b"")
    with pytest.raises(StorageError, match=r"shards but no store\.json"):
        propose(PLAN, folder, tmp_path / "s")


def test_a_folder_without_pictures_and_a_missing_one_are_refused(tmp_path):
    with pytest.raises(InputError, match="has no picture"):
        list_pictures(tmp_path)
    with pytest.raises(StorageError, match="There is no folder"):
        list_pictures(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("given", "message"),
    [({"engine": "spark"}, "needs one of local, ray"), ({"workers": 0}, "workers is 0")],
)
def test_what_cannot_be_carried_out_is_refused(folder, tmp_path, given, message):
    with pytest.raises(InputError, match=message):
        propose(PLAN, folder, tmp_path / "s", **given)


def test_without_ray_the_answer_is_the_command_to_type(folder, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'fewclicks\[ray\]'"):
        propose(PLAN, folder, tmp_path / "s", engine="ray")


def test_the_local_engine_does_not_import_ray(folder, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)  # an import would fail
    assert propose(PLAN, folder, tmp_path / "s").done == 9


def test_a_picture_that_changed_since_is_named(folder, tmp_path):
    propose(PLAN, folder, tmp_path / "s")
    store = ProposalStore(tmp_path / "s")
    assert list(store.verify(folder)) == []
    write_image(folder / "05.png", paint(BLOB, noise=3))
    assert [problem.split(" is not what ")[0] for problem in store.verify(folder)] == [
        str(folder / "05.png")
    ]
    (folder / "02.png").unlink()
    problems = list(store.verify(folder))
    assert len(problems) == 2
    assert "no such file" in problems[0]


@pytest.mark.parametrize("kind", ["tree", "freemask"])
def test_a_preview_draws_the_first_pictures(folder, tmp_path, kind):
    plan = ProposalPlan(backbone="colour", kind=kind)
    propose(plan, folder, tmp_path / "s")
    store = ProposalStore(tmp_path / "s")
    written = write_previews(store, folder, tmp_path / "preview", 2)
    assert [path.name for path in written] == ["00.png.png", "01.png.png"]
    assert all(path.stat().st_size > 1000 for path in written)
