from __future__ import annotations

import base64
import io
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from drawing import BLOB, mask, paint
from fake_method import BlobMethod
from fewclicks.clicks import Click
from fewclicks.errors import ImageError, InputError
from fewclicks.images.boxes import Box
from fewclicks.images.masks import encode_rle
from fewclicks.session.session import Session
from fewclicks.web.sittings import Sittings
from fewclicks.web.uploads import Prompts, Uploads, read_base64, read_mask_upload

INSIDE, OUTSIDE = Click(32, 22), Click(70, 50, is_positive=False)


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


PICTURES = [paint(BLOB, inside=(200, 40 * number, 40), noise=0) for number in range(6)]
FILES = [png(picture) for picture in PICTURES]


def test_the_second_click_prepares_nothing_and_asks_once():
    method = BlobMethod()
    uploads = Uploads(method)
    first = uploads.segment(FILES[0], Prompts(clicks=(INSIDE,)))
    np.testing.assert_array_equal(first, BLOB)
    uploads.segment(FILES[0], Prompts(clicks=(INSIDE, OUTSIDE)))
    assert method.prepared == 1
    assert [clicks for clicks, _ in method.asked] == [(INSIDE,), (INSIDE, OUTSIDE)]


def test_what_is_remembered_changes_no_answer():
    asked = [
        Prompts(clicks=(INSIDE,)),
        Prompts(clicks=(OUTSIDE, INSIDE)),
        Prompts(box=Box(10, 5, 40, 30)),
        Prompts(clicks=(INSIDE,), previous=encode_rle(~BLOB)),
        Prompts(clicks=(INSIDE, OUTSIDE), box=Box(10, 5, 40, 30), previous=encode_rle(BLOB)),
    ]
    used = Uploads(BlobMethod())
    order = np.random.default_rng(0).integers(len(asked), size=25)
    assert any(one != other for one, other in pairwise(order))
    for number in order:
        wanted = Uploads(BlobMethod()).segment(FILES[0], asked[number])
        np.testing.assert_array_equal(used.segment(FILES[0], asked[number]), wanted)


def test_a_previous_mask_is_gone_on_from_as_a_session_does():
    previous = np.zeros_like(BLOB)
    previous[40:50, 50:70] = True
    prompts = Prompts(clicks=(INSIDE,), box=Box(0, 0, 60, 60), previous=encode_rle(previous))
    got = Uploads(BlobMethod()).segment(FILES[0], prompts)
    session = Session(BlobMethod(), PICTURES[0], initial_mask=previous)
    session.box(0, 0, 60, 60)
    session.click(INSIDE.x, INSIDE.y)
    np.testing.assert_array_equal(got, session.mask)


def test_pictures_used_longest_ago_are_forgotten_and_prepared_again():
    method = BlobMethod()
    weight = PICTURES[0].nbytes
    uploads = Uploads(method, kept_bytes=3 * weight)
    prompts = Prompts(clicks=(INSIDE,))
    for number in (0, 1, 2, 0, 3):  # 3 drives 1 out, since 0 was used again
        uploads.segment(FILES[number], prompts)
    assert method.prepared == 4
    uploads.segment(FILES[0], prompts)
    assert method.prepared == 4
    np.testing.assert_array_equal(uploads.segment(FILES[1], prompts), BLOB)
    assert method.prepared == 5


def test_a_picture_too_heavy_to_keep_is_answered_all_the_same():
    method = BlobMethod()
    uploads = Uploads(method, kept_bytes=1)
    for number in (0, 1, 0):
        np.testing.assert_array_equal(
            uploads.segment(FILES[number], Prompts(clicks=(INSIDE,))), BLOB
        )
    assert method.prepared == 3


@pytest.mark.parametrize(
    ("prompts", "complaint"),
    [
        (Prompts(clicks=(Click(999, 0),)), "outside the image"),
        (Prompts(box=Box(0, 0, 999, 9)), "leaves the image"),
        (Prompts(clicks=(INSIDE,), previous=encode_rle(BLOB.T)), "60 x 80; needs the size"),
        (Prompts(clicks=(Click(70, 50),), box=Box(0, 0, 40, 40)), "outside the Box"),
    ],
)
def test_a_prompt_that_does_not_fit_is_refused_and_the_next_is_answered(
    prompts: Prompts, complaint: str
):
    uploads = Uploads(BlobMethod())
    with pytest.raises(InputError, match=complaint):
        uploads.segment(FILES[0], prompts)
    np.testing.assert_array_equal(uploads.segment(FILES[0], Prompts(clicks=(INSIDE,))), BLOB)


def test_nothing_asked_is_refused():
    with pytest.raises(InputError, match="neither a click nor a box"):
        Prompts(previous=encode_rle(BLOB))


def test_a_broken_picture_is_called_the_picture_and_not_by_a_temporary_name():
    with pytest.raises(ImageError, match=r"^The picture is"):
        Uploads(BlobMethod()).segment(b"no picture", Prompts(clicks=(INSIDE,)))


def test_a_mask_comes_as_a_picture_whose_object_is_not_black():
    drawn = mask("..##", ".##.")
    rle = read_mask_upload(png(drawn.astype(np.uint8) * 7))
    assert rle == encode_rle(drawn)


def test_base64_is_read_bare_and_as_a_data_address():
    text = base64.b64encode(b"abc").decode()
    assert read_base64(text, source="image") == b"abc"
    assert read_base64(f"data:image/png;base64,{text}", source="image") == b"abc"
    assert read_base64(f"DATA:;BASE64,{text}", source="image") == b"abc"


def test_base64_may_be_broken_into_lines():
    assert read_base64(base64.encodebytes(bytes(99)).decode(), source="image") == bytes(99)
    assert read_base64("YW\r\nJj", source="image") == b"abc"


@pytest.mark.parametrize("text", ["äö", "a", "data:text/plain,abc", "data:", "http://x/y.png"])
def test_what_is_no_base64_is_refused(text: str):
    with pytest.raises(InputError, match="base64"):
        read_base64(text, source="image")


def test_a_picture_that_was_prepared_again_begins_a_session_of_its_own():
    method = BlobMethod()
    sittings = Sittings(method)
    desk = Prompts(clicks=(INSIDE,)).desk
    for _ in range(2):
        prepared = method.prepare(PICTURES[0].copy())
        np.testing.assert_array_equal(sittings.mask(1, prepared, desk), BLOB)
    assert len(method.asked) == 2
