from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from drawing import enlarge, mask, paint
from fake_method import BlobMethod
from fewclicks.arrays import BoolMask
from fewclicks.cli.app import main
from fewclicks.images.reading import read_image, read_mask
from fewclicks.images.writing import write_image
from fewclicks.methods import registry

TWO_BLOBS = enlarge(
    mask(
        "............",
        ".###....###.",
        ".###....###.",
        ".###....###.",
        "............",
    ),
    4,
)
LEFT: BoolMask = np.where(np.arange(48) < 24, TWO_BLOBS, False)
RIGHT: BoolMask = TWO_BLOBS & ~LEFT


@pytest.fixture
def method(monkeypatch: pytest.MonkeyPatch) -> BlobMethod:
    """What `--method` gives, whatever it says."""
    made = BlobMethod()
    monkeypatch.setattr(registry, "create_method", lambda *_, **__: made)
    return made


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    write_image(tmp_path / "dog.png", paint(TWO_BLOBS))
    return tmp_path / "dog.png"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures and a file of clicks; the second picture is no picture."""
    (tmp_path / "in").mkdir()
    for name in ("a.png", "c.jpg"):
        write_image(tmp_path / "in" / name, paint(TWO_BLOBS))
    (tmp_path / "in" / "b.png").write_text("no picture")
    (tmp_path / "clicks.json").write_text(
        json.dumps({"a.png": [[8, 8]], "b.png": [[8, 8]], "c.jpg": [[38, 8], [8, 8, False]]})
    )
    return tmp_path / "in"


@pytest.fixture
def segment(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path):
    """Run `fewclicks segment` beside the pictures; give exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def ran(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["fewclicks", "segment", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        return int(end.value.code or 0), out, err

    return ran


pytestmark = pytest.mark.usefixtures("method", "picture", "folder")


def test_clicks_make_a_mask(segment):
    code, out, err = segment("dog.png", "--click", "8,8", "--click=38,8", "--out", "mask.png")

    assert (code, err) == (0, "")
    assert out.startswith(f"Wrote mask.png: {TWO_BLOBS.sum()} pixels in ")
    assert (read_mask("mask.png") == TWO_BLOBS).all()


def test_a_leading_minus_makes_a_negative_click(segment, method: BlobMethod):
    segment("dog.png", "--click=8,8", "--click=-38,8", "--click", "-0,0", "--out", "mask.png")

    clicks, _ = method.asked[-1]
    assert [(click.x, click.y, click.is_positive) for click in clicks] == [
        (8, 8, True), (38, 8, False), (0, 0, False),
    ]  # fmt: skip


def test_each_click_goes_on_from_the_answer_before_it(segment, method: BlobMethod):
    segment("dog.png", "--click=8,8", "--click=38,8", "--out", "mask.png")

    assert len(method.asked) == 2
    assert method.asked[1][1] is not None


def test_a_box_alone_is_enough(segment):
    code, _, _ = segment("dog.png", "--box", "0,0,20,20", "--out", "mask.png")

    assert code == 0
    assert (read_mask("mask.png") == LEFT).all()


def test_clicks_of_the_file_come_before_those_typed(segment, method: BlobMethod):
    Path("clicks.json").write_text('{"dog.png": [[8, 8]], "cat.png": [[1, 1]]}')
    segment("dog.png", "--clicks", "clicks.json", "--click=-38,8", "--out", "mask.png")

    assert [click.x for click in method.asked[-1][0]] == [8, 38]


def test_overlay_and_cutout_are_written_too(segment):
    code, _, _ = segment(
        "dog.png", "--click=8,8", "--out", "new/mask.png", "--overlay", "o.jpg", "--cutout", "c.png"
    )

    assert code == 0
    assert read_image("o.jpg").shape == (20, 48, 3)
    assert (read_mask("c.png") == LEFT).all()
    assert (read_mask("new/mask.png") == LEFT).all()


def test_a_program_can_read_what_was_done(segment):
    code, out, err = segment(
        "dog.png", "--click=8,8", "--click=-38,8", "--out", "mask.png", "--json", "--threads", "1"
    )
    report = json.loads(out)
    seconds = report.pop("seconds")

    assert (code, err) == (0, "")
    assert report == {
        "picture": "dog.png",
        "width": 48,
        "height": 20,
        "clicks": [[8, 8, True], [38, 8, False]],
        "unknown_depth": None,
        "references": 0,
        "exemplar": None,
        "proposals": 0,
        "area": LEFT.sum(),
        "mask": "mask.png",
        "overlay": None,
        "cutout": None,
        "maps": None,
    }
    assert set(seconds) == {"prepare", "clicks"}


@pytest.mark.parametrize("option", ["--out", "--overlay", "--cutout"])
def test_the_picture_is_never_written_over(segment, picture: Path, option: str):
    before = picture.read_bytes()
    arguments = {"--out": "mask.png", option: "./dog.png"}
    code, _, err = segment("dog.png", "--click=8,8", *sum(arguments.items(), ()))

    assert code == 1
    assert "over the picture itself" in err
    assert picture.read_bytes() == before
    assert not Path("mask.png").exists()


@pytest.mark.parametrize(
    ("option", "name"), [("--clicks", "given.png"), ("--depth", "given.png"), ("--depth", ".")]
)
def test_what_is_read_is_never_written_over(segment, option: str, name: str):
    Path("given.png").write_text("[[8, 8]]")
    code, _, err = segment("dog.png", "--click=8,8", option, name, "--out", "given.png")

    assert code == 1
    assert err.startswith(f"Error: given.png would be written over what is read from {name};")
    assert Path("given.png").read_text() == "[[8, 8]]"


def test_another_picture_of_the_folder_is_never_written_over(segment, folder: Path):
    write_image(folder / "c.png", paint(TWO_BLOBS))
    before = (folder / "c.png").read_bytes()
    Path("clicks.json").write_text('{"c.jpg": [[8, 8]]}')
    code, _, err = segment("in", "--clicks", "clicks.json", "--out", "in")

    assert (code, err.count("\n")) == (1, 1)
    assert "in/c.png would be written over what is read from in" in err
    assert (folder / "c.png").read_bytes() == before


def test_a_folder_that_holds_pictures_and_masks_is_taken_up_again(segment, folder: Path):
    (folder / "a.png").unlink()
    Path("clicks.json").write_text('{"c.jpg": [[8, 8]]}')
    again = ("in", "--clicks", "clicks.json", "--out", "in")

    assert segment(*again)[0] == 0
    assert segment(*again, "--resume")[:2] == (0, "Wrote 0 masks to in\n")


def test_two_results_are_never_written_to_one_file(segment):
    code, _, err = segment("dog.png", "--click=8,8", "--out", "a.png", "--cutout", "a.png")

    assert (code, err) == (1, "Error: a.png would be written over another result.\n")


def test_a_folder_gives_a_mask_for_each_picture_and_names_those_that_fail(segment):
    code, out, err = segment("in", "--clicks", "clicks.json", "--out", "masks", "--overlay", "over")

    assert code == 1
    assert out == "Wrote 2 masks to masks\n"
    assert err.splitlines()[0].startswith(f"b.png: {Path('in/b.png')} is no picture")
    assert err.splitlines()[1:] == ["Error: 1 of 3 pictures failed: b.png"]
    assert sorted(path.name for path in Path("masks").iterdir()) == ["a.png", "c.png"]
    assert sorted(path.name for path in Path("over").iterdir()) == ["a.png", "c.png"]
    assert (read_mask("masks/a.png") == LEFT).all()


def test_what_was_done_in_a_folder_can_be_read_by_a_program(segment):
    code, out, _ = segment("in", "--clicks", "clicks.json", "--out", "masks", "--json")
    report = json.loads(out)

    assert code == 1
    assert [one["mask"] for one in report["pictures"]] == [
        str(Path(f"masks/{name}.png")) for name in "ac"
    ]
    assert report["skipped"] == 0
    assert [one["picture"] for one in report["failed"]] == [str(Path("in/b.png"))]


def test_a_stopped_folder_is_taken_up_again(segment, folder: Path, method: BlobMethod):
    segment("in", "--clicks", "clicks.json", "--out", "masks")
    Path("masks/c.png").unlink()
    prepared = method.prepared
    write_image(folder / "b.png", paint(TWO_BLOBS))
    code, out, _ = segment("in", "--clicks", "clicks.json", "--out", "masks", "--resume")

    assert (code, out) == (0, "Wrote 2 masks to masks\n")
    assert method.prepared == prepared + 2


def test_a_picture_that_is_missing_does_not_stop_the_others(segment, folder: Path):
    (folder / "a.png").unlink()
    code, out, err = segment("in", "--clicks", "clicks.json", "--out", "masks")

    assert code == 1
    assert out == "Wrote 1 masks to masks\n"
    assert f"There is no file {Path('in/a.png')}" in err


def test_a_full_disk_leaves_no_mask(segment, monkeypatch: pytest.MonkeyPatch):
    from PIL import Image

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    code, out, err = segment("dog.png", "--click=8,8", "--out", "new/mask.png")

    assert (code, out) == (1, "")
    assert err == f"Error: Cannot write {Path('new/mask.png')}: no space left on device.\n"
    assert list(Path("new").iterdir()) == []
