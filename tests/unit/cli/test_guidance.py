"""References and exemplars on the command line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from drawing import enlarge, mask, paint
from fewclicks.cli.app import main
from fewclicks.images.reading import read_mask
from fewclicks.images.writing import write_image, write_mask
from fewclicks.methods import registry
from guided_method import GuidedBlobs

HEAD = enlarge(mask("......", "..##..", "......", "......", "......"), 4)
BODY = enlarge(mask("......", "......", ".####.", ".####.", "......"), 4)
PICTURE = np.where(
    HEAD[..., None],
    paint(HEAD, inside=(205, 105, 85), noise=0),
    paint(BODY, inside=(160, 60, 40), noise=0),
)


@pytest.fixture
def method(monkeypatch: pytest.MonkeyPatch) -> GuidedBlobs:
    """What `--method` gives, whatever it says."""
    made = GuidedBlobs()
    monkeypatch.setattr(registry, "create_method", lambda *_, **__: made)
    return made


@pytest.fixture
def segment(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path):
    """Run `fewclicks segment` beside the pictures; give exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    write_image(tmp_path / "dog.png", PICTURE)
    (tmp_path / "in").mkdir()
    for name in ("a.png", "b.png"):
        write_image(tmp_path / "in" / name, PICTURE)
    (tmp_path / "clicks.json").write_text(json.dumps({"a.png": [[10, 6]], "b.png": [[10, 6]]}))
    write_image(tmp_path / "other.png", PICTURE)
    write_mask(tmp_path / "head.png", HEAD)
    write_mask(tmp_path / "body.png", BODY)
    write_mask(tmp_path / "empty.png", np.zeros_like(HEAD))
    write_mask(tmp_path / "small.png", HEAD[:10])
    write_mask(tmp_path / "full.png", np.ones_like(HEAD))
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")

    def ran(*arguments: str, out: str = "mask.png") -> tuple[int, str, str]:
        given = ["fewclicks", "segment", *arguments, "--out", out]
        monkeypatch.setattr(sys, "argv", given)
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        return int(end.value.code or 0), out, err

    return ran


REFERENCE = ("--reference", "other.png", "--reference-mask", "head.png")


@pytest.mark.usefixtures("method")
def test_a_reference_says_which_part_is_meant(segment):
    code, out, err = segment("dog.png", "--click=10,6", *REFERENCE, "--json")

    assert (code, err) == (0, "")
    assert json.loads(out)["references"] == 1
    assert (read_mask("mask.png") == HEAD).all()


def test_several_references_and_both_masks_reach_the_method(segment, method: GuidedBlobs):
    code, _, _ = segment(
        "dog.png", "--click=10,6", *REFERENCE, "--reference-negative", "body.png",
        "--reference", "dog.png", "--reference-mask", "head.png",
        "--reference-negative", "body.png",
    )  # fmt: skip

    references = method.guided[-1].references
    assert code == 0
    assert len(references) == 2
    assert all((each.positive == HEAD).all() for each in references)
    assert all(each.negative is not None and (each.negative == BODY).all() for each in references)


@pytest.mark.usefixtures("segment")
def test_one_reference_serves_a_folder(method: GuidedBlobs, monkeypatch):
    arguments = ["in", "--clicks", "clicks.json", *REFERENCE, "--out", "masks"]
    monkeypatch.setattr(sys, "argv", ["fewclicks", "segment", *arguments])
    with pytest.raises(SystemExit) as end:
        main()

    assert not end.value.code
    for name in ("a.png", "b.png"):
        assert (read_mask(Path("masks") / name) == HEAD).all()
    used = {id(each) for guidance in method.guided for each in guidance.references}
    assert len(used) == 1


@pytest.mark.usefixtures("method")
def test_an_exemplar_needs_no_click_and_what_is_proposed_is_written(segment):
    code, out, _ = segment("dog.png", "--exemplar", "left.png", "--json")
    assert code == 1  # there is no such file

    write_mask(Path("left.png"), BODY & (np.arange(24) < 8))
    code, out, err = segment("dog.png", "--exemplar", "left.png", "--json")

    assert (code, err) == (0, "")
    report = json.loads(out)
    assert (report["exemplar"], report["proposals"], report["clicks"]) == ("left.png", 1, [])
    assert (read_mask("mask.png") == BODY & (np.arange(24) >= 8)).all()


def test_pictures_of_a_folder_have_their_own_exemplars_and_those_without_are_told(
    segment, method: GuidedBlobs
):
    Path("shown").mkdir()
    write_mask(Path("shown/a.png"), BODY & (np.arange(24) < 8))
    code, _, err = segment("in", "--clicks", "clicks.json", "--exemplar", "shown", out="masks")

    assert code == 0
    assert err == "b.png: there is no exemplar shown/b.png; clicked without one.\n"
    assert sum(guidance.exemplar is not None for guidance in method.guided) == 1
    assert read_mask("masks/b.png")[6, 10]


@pytest.mark.usefixtures("method")
def test_an_exemplar_that_finds_nothing_says_so_and_writes_an_empty_mask(segment):
    write_mask(Path("all.png"), BODY | HEAD)
    code, out, err = segment("dog.png", "--exemplar", "all.png", "--json")

    assert (code, json.loads(out)["area"]) == (0, 0)
    assert err == "dog.png: nothing else of the exemplar's kind was found; click on one.\n"
    assert not read_mask("mask.png").any()


@pytest.mark.usefixtures("method")
@pytest.mark.parametrize(
    "arguments",
    [
        ["dog.png", "--exemplar", "shown/a.png", "--cutout", "shown/a.png"],
        ["dog.png", "--click=8,8", "--reference", "other.png", "--reference-mask", "shown/a.png",
         "--overlay", "shown/a.png"],
        ["in", "--exemplar", "shown", "--overlay", "shown"],
    ],
)  # fmt: skip
def test_masks_that_guide_are_never_written_over(segment, arguments: list[str]):
    Path("shown").mkdir()
    write_mask(Path("shown/a.png"), BODY & (np.arange(24) < 8))
    before = Path("shown/a.png").read_bytes()
    code, _, err = segment(*arguments, out="in/new.png" if arguments[0] != "in" else "masks")

    assert (code, err.count("\n")) == (1, 1)
    assert "shown/a.png would be written over what is read from shown" in err
    assert Path("shown/a.png").read_bytes() == before


@pytest.mark.usefixtures("method")
def test_a_folder_needs_no_clicks_where_pictures_have_exemplars(segment):
    Path("shown").mkdir()
    code, _, err = segment("in", "--exemplar", "shown", out="masks")
    assert (code, err.count("\n")) == (1, 1)
    assert "shown has no exemplar for any picture of in" in err

    write_mask(Path("shown/a.png"), BODY & (np.arange(24) < 8))
    code, _, err = segment("in", "--exemplar", "shown", out="masks")
    assert (code, err) == (0, "")
    assert [path.name for path in Path("masks").iterdir()] == ["a.png"]
    assert (read_mask("masks/a.png") == BODY & (np.arange(24) >= 8)).all()


@pytest.mark.usefixtures("method")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--reference", "other.png", "--reference-mask", "empty.png"], "empty.png marks no pixel"),
        (["--reference", "other.png", "--reference-mask", "small.png"],
         "small.png is 24 x 10, but the reference other.png is 24 x 20"),
        (["--reference", "other.png", "--reference-mask", "broken.png"], "broken.png"),
        (["--reference", "broken.png", "--reference-mask", "head.png"], "broken.png"),
        (["--reference", "none.png", "--reference-mask", "head.png"], "none.png"),
        (["--exemplar", "empty.png"], "empty.png marks no pixel"),
        (["--exemplar", "full.png"], "cover the whole picture"),
        (["--exemplar", "small.png"], "small.png is 24 x 10, but the picture is 24 x 20"),
    ],
)  # fmt: skip
def test_a_wrong_mask_is_told_in_one_line(segment, arguments: list[str], said: str):
    code, _, err = segment("dog.png", "--click=10,6", *arguments)

    assert code == 1
    assert said in err
    assert err.count("\n") == 1


@pytest.mark.usefixtures("method")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--reference", "other.png"], "without a mask"),
        (["--reference-mask", "head.png"], "needs --reference"),
        ([*REFERENCE, "--reference-mask", "head.png"], "1 --reference and 2 --reference-mask"),
    ],
)
def test_options_that_do_not_fit_together_are_wrong_use(segment, arguments: list[str], said: str):
    code, _, err = segment("dog.png", "--click=10,6", *arguments)

    assert code == 2
    assert said in " ".join(err.replace("│", " ").split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (REFERENCE, "Method 'graphcut' takes no reference; choose one of: default, fewclicks"),
        (("--exemplar", "head.png"), "Method 'graphcut' takes no exemplar; choose one of: default"),
    ],
)
def test_a_method_that_takes_none_is_told_with_those_that_do(
    segment, arguments: tuple[str, ...], said: str
):
    code, _, err = segment("dog.png", "--click=10,6", "--method", "graphcut", *arguments)

    assert code == 1
    assert said in err
