from __future__ import annotations

import dataclasses
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fewclicks.clicks import Click
from fewclicks.errors import InputError, StorageError
from fewclicks.session.clicks_file import read_clicks, read_clicks_of_pictures


@pytest.fixture
def write(tmp_path: Path):
    def written(content: object) -> Path:
        path = tmp_path / "clicks.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return written


def test_a_click_is_written_in_any_of_three_ways(write):
    path = write([[1, 2], [3, 4, False], {"x": 5, "y": 6}, {"x": 7, "y": 8, "is_positive": False}])

    assert read_clicks(path, picture="dog.jpg") == [
        Click(1, 2), Click(3, 4, False), Click(5, 6), Click(7, 8, False),
    ]  # fmt: skip


CLICKS = st.builds(
    Click,
    x=st.integers(-(10**9), 10**9),
    y=st.integers(-(10**9), 10**9),
    is_positive=st.booleans(),
    level=st.none() | st.floats(0, 1, exclude_min=True),
)


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.text(max_size=9), st.lists(CLICKS, min_size=1, max_size=5), min_size=1))
def test_any_clicks_are_read_as_they_were_written(clicks: dict[str, list[Click]]):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clicks.json"
        written = {name: [dataclasses.asdict(one) for one in some] for name, some in clicks.items()}
        path.write_text(json.dumps(written), encoding="utf-8")
        assert read_clicks_of_pictures(path) == clicks
        for name, some in clicks.items():
            assert read_clicks(path, picture=name) == some


def test_one_picture_finds_its_clicks_among_others(write):
    path = write({"dog.jpg": [[1, 2]], "cat.jpg": [[3, 4]]})

    assert read_clicks(path, picture="cat.jpg") == [Click(3, 4)]
    with pytest.raises(InputError, match=r"no clicks for cow.jpg; it has cat.jpg, dog.jpg\."):
        read_clicks(path, picture="cow.jpg")


def test_pictures_keep_the_order_of_the_file(write):
    path = write({"b.jpg": [[1, 2]], "a.jpg": [[3, 4], [5, 6, False]]})

    assert list(read_clicks_of_pictures(path).items()) == [
        ("b.jpg", [Click(1, 2)]),
        ("a.jpg", [Click(3, 4), Click(5, 6, False)]),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "no JSON"),
        ("7", "neither a list of clicks"),
        ([], "at least 1 item"),
        ([[1]], r"number 1: 1 values; needs \[x, y\] or"),
        ([[1, 2], [1, 2, True, 4]], "number 2: 4 values"),
        ([[1, 2], [1.5, 2]], "number 2, x: "),
        ([["1", 2]], "number 1, x: "),
        ([[True, 2]], "number 1, x: "),
        ([[1, 2, 1]], "number 1, is_positive: "),
        ([{"x": 1}], "number 1, y: field required"),
        ([{"x": 1, "y": 2, "z": 3}], "number 1, z: "),
        (["dog"], "number 1: "),
        ({"dog.jpg": [[1, 2], [3]]}, "dog.jpg, number 2: 1 values"),
        ({"dog.jpg": 3}, "dog.jpg: "),
        ({"dog.jpg": []}, "dog.jpg: "),
    ],
)
def test_the_message_names_the_picture_and_the_click(write, content, message):
    path = write(content)
    with pytest.raises(InputError, match=message) as caught:
        read_clicks(path, picture="dog.jpg")
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(path))


def test_a_folder_needs_clicks_by_picture(write):
    with pytest.raises(InputError, match="one for each picture"):
        read_clicks_of_pictures(write([[1, 2]]))
    with pytest.raises(InputError, match="names no picture"):
        read_clicks_of_pictures(write({}))


def test_a_missing_file_is_a_storage_error(tmp_path: Path):
    with pytest.raises(StorageError, match="no such file"):
        read_clicks(tmp_path / "none.json", picture="dog.jpg")
