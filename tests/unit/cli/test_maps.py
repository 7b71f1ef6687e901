from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from drawing import enlarge, mask, paint
from fewclicks.cli.app import main
from fewclicks.cli.maps import write_maps
from fewclicks.clicks import Click
from fewclicks.images.heat_maps import draw_heat_map
from fewclicks.images.reading import read_image, read_mask
from fewclicks.images.writing import write_image
from fewclicks.methods.maps import ClickMaps

ON = enlarge(mask("..........", "..####....", "..####....", "....####..", ".........."), 6)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    write_image(tmp_path / "dog.png", paint(ON, noise=40))
    return tmp_path / "dog.png"


@pytest.fixture
def segment(
    picture: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Run `fewclicks segment` on the picture with one click; give exit code and stderr."""
    monkeypatch.chdir(picture.parent)

    def ran(*options: str) -> tuple[int, str]:
        begin = ["fewclicks", "segment", "dog.png", "--out", "mask.png", "--click", "18,10"]
        monkeypatch.setattr(sys, "argv", [*begin, *options])
        with pytest.raises(SystemExit) as end:
            main()
        return int(end.value.code or 0), " ".join(capsys.readouterr().err.split())

    return ran


M2N2 = ("--method", "m2n2", "--backbone", "colour", "--set", "backbone.longest_side=20")


def test_each_click_gets_its_stages_and_a_sheet(segment, picture: Path):
    assert segment(*M2N2, "--click=-50,2", "--maps", "maps") == (0, "")
    stages = ["attention", "flooded", "markov", "segment", "sheet", "upsampled"]
    expected = [f"{number}-{stage}.png" for number in ("01", "02") for stage in stages]
    assert sorted(path.name for path in (picture.parent / "maps").iterdir()) == expected
    assert read_image(picture.parent / "maps" / "01-markov.png").shape == (30, 60, 3)


def test_a_level_changes_the_mask(segment, picture: Path):
    areas = {}
    for level in ("object", "0", "+0", "1"):
        assert segment(*M2N2, f"--level={level}") == (0, "")
        areas[level] = int(read_mask(picture.parent / "mask.png").sum())
    assert areas["object"] == areas["+0"]
    assert areas["0"] < areas["1"]


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--method", "graphcut", "--maps", "maps"), 1, "This method has no maps to show"),
        (("--method", "graphcut", "--level", "part"), 1, "This method has no levels"),
        ((*M2N2, "--level", "half"), 2, "'half' is no level; needs part, object"),
        ((*M2N2, "--level", "40"), 1, "Level 40 is not offered"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_cannot_be_shown_is_refused_in_one_line(
    segment, picture: Path, options: tuple[str, ...], code: int, message: str
):
    ended, said = segment(*options)
    assert ended == code
    assert message in said
    assert not (picture.parent / "mask.png").exists()


def test_stages_end_at_the_segments_rim_and_depth_is_drawn_beside_them(tmp_path: Path):
    flooded = np.where(ON, np.float32(0.1), np.float32(1.0))
    maps = ClickMaps(
        click=Click(x=18, y=10),
        stages={"attention": np.eye(5, 10, dtype=np.float32), "flooded": flooded},
        threshold=0.5,
        depth=np.tile(np.linspace(0, 1, 60, dtype=np.float32), (30, 1)),
    )
    written = write_maps(tmp_path, paint(ON), [maps])
    names = ["segment", "attention", "flooded", "depth", "sheet"]
    assert [path.name for path in written] == [f"01-{name}.png" for name in names]
    depth = read_image(tmp_path / "01-depth.png").astype(int).sum(axis=-1)
    assert depth[-1, -1] > depth[-1, 0]


def test_a_heat_map_grows_evenly_lighter_and_keeps_its_cells():
    values = np.array([[0.0, 1.0], [2.0, 4.0]], dtype=np.float32)
    drawn = draw_heat_map(values, height=4, width=4)
    assert (drawn[:2, :2] == drawn[0, 0]).all()
    lightness = drawn.astype(float) @ [0.299, 0.587, 0.114]
    assert lightness[0, 0] < lightness[0, 3] < lightness[3, 0] < lightness[3, 3]
    turned = draw_heat_map(values, height=4, width=4, is_high_light=False)
    np.testing.assert_array_equal(turned[0, 0], drawn[3, 3])
    flat = draw_heat_map(np.zeros((2, 2), dtype=np.float32), height=3, width=3)
    assert (flat == flat[0, 0]).all()
