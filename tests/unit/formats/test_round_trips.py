from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from annotated_pictures import RING, STRANGE, blobs, make
from fewclicks.errors import InputError, StorageError, UnknownEntryError
from fewclicks.formats.annotated import AnnotatedObject, AnnotatedPicture, Annotations
from fewclicks.formats.registry import FORMATS, export, read_annotations

READABLE = [entry.name for entry in FORMATS if entry.reader]


@pytest.mark.parametrize("name", READABLE)
def test_what_is_written_is_read_again_pixel_by_pixel(name: str, tmp_path: Path):
    images = tmp_path / "images"
    annotations = make(images)
    export(annotations, name, tmp_path / "out")
    read = read_annotations(name, tmp_path / "out", images=images)
    found = {picture.name: picture for picture in read.pictures}
    for picture in annotations.pictures:
        again = found[picture.name]
        assert (again.height, again.width) == (picture.height, picture.width)
        assert [one.label for one in again.objects] == [one.label for one in picture.objects]
        for one, other in zip(picture.objects, again.objects, strict=True):
            np.testing.assert_array_equal(other.mask, one.mask)


@pytest.mark.parametrize("name", ["coco", "coco-polygons", "yolo", "labelme"])
def test_an_island_in_a_hole_and_corners_that_touch_survive(name: str, tmp_path: Path):
    images = tmp_path / "images"
    annotations = Annotations(pictures=make(images).pictures[:1])
    (images / "a" / "dog.png").unlink()
    (images / "empty.png").unlink()
    export(annotations, name, tmp_path / "out")
    (again,) = read_annotations(name, tmp_path / "out", images=images).pictures
    np.testing.assert_array_equal(again.objects[0].mask, RING)
    assert again.objects[1].label == STRANGE


def test_labels_keep_their_order_and_new_ones_come_after(tmp_path: Path):
    assert make(tmp_path).labels == ("ring", "unused", "blob", STRANGE)


def test_pictures_whose_names_differ_by_the_extension_get_files_of_their_own(tmp_path: Path):
    annotations = make(tmp_path)
    stems = [annotations.stem(picture) for picture in annotations.pictures]
    assert stems == ["a/dog_jpg", "a/dog_png", "empty"]


def test_a_picture_called_as_the_files_of_another_keeps_its_own():
    pictures = [
        AnnotatedPicture(name=name, height=9, width=12)
        for name in ("dog.jpg", "dog.png", "dog_jpg.png")
    ]
    annotations = Annotations(pictures=pictures)
    assert [annotations.stem(one) for one in pictures] == ["dog_jpg_", "dog_png", "dog_jpg"]


@pytest.mark.parametrize("name", READABLE)
def test_a_picture_is_not_given_the_objects_of_one_with_its_stem(name: str, tmp_path: Path):
    images = tmp_path / "images"
    whole = make(images)
    names = [picture.name for picture in whole.pictures]
    only_one = Annotations(pictures=whole.pictures[:1], labels=whole.labels, folder=names)
    export(only_one, name, tmp_path / "out")
    read = read_annotations(name, tmp_path / "out", images=images)
    assert [picture.name for picture in read.pictures if picture.objects] == ["a/dog.jpg"]


@pytest.mark.parametrize("name", READABLE)
def test_an_export_is_read_though_its_namesake_is_gone(name: str, tmp_path: Path):
    images = tmp_path / "images"
    whole = make(images)
    export(whole, name, tmp_path / "out")
    (images / "a/dog.png").unlink()
    read = read_annotations(name, tmp_path / "out", images=images)
    found = {picture.name: picture for picture in read.pictures}
    assert [one.label for one in found["a/dog.jpg"].objects] == ["ring", STRANGE]


def test_a_mask_of_another_size_than_its_picture_is_refused():
    one = AnnotatedObject.of("ring", RING)
    with pytest.raises(InputError, match=r"a\.png is 5 x 5, but a mask of its 'ring' is 12 x 9"):
        AnnotatedPicture(name="a.png", height=5, width=5, objects=(one,))


@pytest.mark.parametrize("name", [entry.name for entry in FORMATS])
def test_whatever_is_written_among_the_pictures_leaves_them_as_they_are(name: str, tmp_path: Path):
    annotations = make(tmp_path)
    (tmp_path / "a/dog.jpg").unlink()
    annotations = Annotations(pictures=annotations.pictures[1:])
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.png")}
    if name in ("png", "png-class"):
        with pytest.raises(InputError, match=r"dog\.png would be written over the picture itself"):
            export(annotations, name, tmp_path)
        assert set(tmp_path.rglob("*.*")) == before.keys()
    else:
        export(annotations, name, tmp_path)
    assert {path: path.read_bytes() for path in before} == before


def test_an_unknown_format_answers_with_a_near_one(tmp_path: Path):
    with pytest.raises(UnknownEntryError, match="Did you mean 'coco'"):
        export(make(tmp_path / "images"), "cocoo", tmp_path / "out")


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path):
    annotations = make(tmp_path / "images")
    (tmp_path / "out").write_text("in the way")
    with pytest.raises(StorageError, match="needs a folder"):
        export(annotations, "coco", tmp_path / "out")


@pytest.mark.parametrize("name", ["png-class", "cutouts"])
def test_a_format_that_cannot_be_read_names_those_that_can(name: str, tmp_path: Path):
    with pytest.raises(InputError, match="those that can: coco"):
        read_annotations(name, tmp_path, images=tmp_path)


def test_ten_thousand_objects_are_no_trouble_for_a_label_of_every_one(tmp_path: Path):
    one, other = blobs(1)
    pictures = [
        AnnotatedPicture(
            name=f"{number}.png",
            height=40,
            width=56,
            objects=(AnnotatedObject.of("one", one), AnnotatedObject.of("other", other)),
        )
        for number in range(300)
    ]
    (path,) = export(Annotations(pictures=pictures), "coco", tmp_path)
    assert len(read_annotations("coco", path, images=tmp_path).pictures) == 300
