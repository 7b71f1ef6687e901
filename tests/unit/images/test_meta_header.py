"""Headers of MetaImages that would crash the reader behind them."""

from __future__ import annotations

from pathlib import Path

import pytest

from fewclicks.errors import ImageError
from fewclicks.images.meta_header import check_meta_header

GOOD = {
    "ObjectType": "Image",
    "NDims": "3",
    "DimSize": "2 3 4",
    "ElementType": "MET_UCHAR",
    "ElementDataFile": "a.raw",
}


def header(folder: Path, **changed: str) -> Path:
    (folder / "a.raw").write_bytes(bytes(24))
    said = {**GOOD, **changed}
    last = said.pop("ElementDataFile")
    lines = [f"{key} = {value}" for key, value in [*said.items(), ("ElementDataFile", last)]]
    path = folder / "a.mhd"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_volume_of_three_axes_passes_with_its_data_beside_it_or_in_it(tmp_path: Path):
    check_meta_header(header(tmp_path))
    check_meta_header(header(tmp_path, ElementDataFile="LOCAL"))
    check_meta_header(header(tmp_path, CompressedDataSize="24", ElementSpacing="1 1 2.5"))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"DimSize": "2 3"}, "DimSize = 2 3; needs 3 numbers"),
        ({"DimSize": "2 3 nan"}, "needs 3 numbers"),
        ({"DimSize": "2 3 many"}, "needs 3 numbers"),
        ({"DimSize": "2 0 4"}, "needs DimSize with 3 whole numbers from 1"),
        ({"NDims": "4"}, "NDims = 4; needs 3"),
        ({"ElementNumberOfChannels": "3"}, "ElementNumberOfChannels = 3; needs 1"),
        ({"ElementDataFile": "../a.raw"}, "has its data in '../a.raw'"),
        ({"ElementDataFile": "b.raw"}, "has its data in 'b.raw'"),
        ({"CompressedDataSize": "25"}, "more than a.raw"),
    ],
)
def test_what_is_none_is_refused_in_one_line(tmp_path: Path, changed: dict[str, str], said: str):
    with pytest.raises(ImageError, match=said) as error:
        check_meta_header(header(tmp_path, **changed))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["", "NDims = 3\n", "no header\n", "NDims = 3\nNDims = 3\n"])
def test_lines_that_end_before_the_data_is_named_are_no_header(tmp_path: Path, text: str):
    (tmp_path / "a.mhd").write_text(text)
    with pytest.raises(ImageError, match="has no header of a MetaImage"):
        check_meta_header(tmp_path / "a.mhd")
