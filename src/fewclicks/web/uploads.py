"""Uploads: pictures that are sent along with what is asked about them, and belong to no folder."""

from __future__ import annotations

import base64
import binascii
import hashlib
import tempfile
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from fewclicks.arrays import BoolMask, RgbImage
from fewclicks.clicks import Click
from fewclicks.errors import ImageError, InputError
from fewclicks.images.boxes import Box
from fewclicks.images.masks import RunLengths, encode_rle
from fewclicks.images.reading import read_image, read_mask
from fewclicks.methods.base import AnyMethod, Prepared
from fewclicks.web.actions import BoxAction, ClickAction, PromptAction
from fewclicks.web.desk import Desk, DeskObject
from fewclicks.web.prepared import weigh
from fewclicks.web.sittings import Sittings

KEPT_BYTES: Final = 512 * 2**20
MOST_MEGAPIXELS: Final = 100.0
_MOST_KEPT: Final = 16
_BREAKS: Final = dict.fromkeys(map(ord, "\r\n"))  # `base64` and MIME write lines of 76 signs


@dataclass(frozen=True, kw_only=True, slots=True)
class Prompts:
    """What is asked about a picture, all at once.

    Parameters
    ----------
    clicks
        In their order.
    box, optional
        Nothing outside becomes part of the mask.
    previous, optional
        A mask to go on from.

    Raises
    ------
    InputError
        If there is neither a click nor a box.
    """

    clicks: tuple[Click, ...] = ()
    box: Box | None = None
    previous: RunLengths | None = None

    def __post_init__(self) -> None:
        if not self.clicks and self.box is None:
            raise InputError("There is neither a click nor a box; needs one at least.")

    @property
    def desk(self) -> Desk:
        """As an annotator's desk, the box first, so that clicks are checked against it."""
        prompts: list[PromptAction] = []
        if self.box is not None:
            box = self.box
            prompts.append(BoxAction(kind="box", x0=box.x0, y0=box.y0, x1=box.x1, y1=box.y1))
        prompts += [
            ClickAction(kind="click", x=click.x, y=click.y, is_positive=click.is_positive)
            for click in self.clicks
        ]
        reopened = None
        if self.previous is not None:
            begun = DeskObject(id=0, label="previous", rle=self.previous, origin=self.previous)
            reopened = (begun, 0)
        return Desk(prompts=tuple(prompts), reopened=reopened)


class Uploads:
    """Segments pictures that are sent along; for one thread.

    A request says all there is to say. That the second click on a picture neither reads nor
    prepares it again, and asks the method once, is a matter of time only: what is remembered is
    bounded, and an answer is the same without it.

    Parameters
    ----------
    method
        Which answers.
    kept_bytes
        What prepared pictures may weigh together; the one used longest ago goes first. One is
        always kept.
    """

    def __init__(self, method: AnyMethod, *, kept_bytes: int = KEPT_BYTES) -> None:
        self._method = method
        self._kept_bytes = kept_bytes
        self._sittings = Sittings(method)
        self._kept: OrderedDict[int, tuple[Prepared, int]] = OrderedDict()

    def segment(self, content: bytes, prompts: Prompts) -> BoolMask:
        """(H, W) Find the mask that is asked for.

        Parameters
        ----------
        content
            Of a picture file, of any usual format.

        Raises
        ------
        ImageError
            If that is no picture, or more than `MOST_MEGAPIXELS`.
        InputError
            If a prompt does not fit the picture.
        """
        key = int.from_bytes(hashlib.sha256(content).digest(), "big")
        prepared = self._prepared(key, content)
        previous = prompts.previous
        if previous is not None and list(previous["size"]) != list(prepared.shape):
            height, width = previous["size"]
            raise InputError(
                f"The previous mask is {width} x {height}; needs the size of its picture, "
                f"{prepared.width} x {prepared.height}."
            )
        return self._sittings.mask(key, prepared, prompts.desk)

    def _prepared(self, key: int, content: bytes) -> Prepared:
        if key not in self._kept:
            prepared: Prepared = self._method.prepare(read_upload(content))
            self._kept[key] = (prepared, weigh(prepared))
        self._kept.move_to_end(key)
        while len(self._kept) > 1 and (self._weight > self._kept_bytes or self._are_many):
            self._sittings.forget(self._kept.popitem(last=False)[0])
        return self._kept[key][0]

    @property
    def _weight(self) -> int:
        return sum(weight for _, weight in self._kept.values())

    @property
    def _are_many(self) -> bool:
        return len(self._kept) > _MOST_KEPT


def read_upload(content: bytes) -> RgbImage:
    """(H, W, 3) Read a picture that was sent along.

    Raises
    ------
    ImageError
        If it is none, or more than `MOST_MEGAPIXELS`.
    """
    with _as_file(content, "The picture") as path:
        return read_image(path, max_megapixels=MOST_MEGAPIXELS)


def read_mask_upload(content: bytes) -> RunLengths:
    """Read a mask that was sent along as a picture: the object is what is not black.

    Raises
    ------
    ImageError
        If it is no picture, or too large.
    """
    with _as_file(content, "The previous mask") as path:
        return encode_rle(read_mask(path))


def read_base64(text: str, *, source: str) -> bytes:
    """Read a file's content that was sent as text: base64, or an address that begins ``data:``.

    Raises
    ------
    InputError
        If it is neither.
    """
    if text[:5].lower() == "data:":
        head, _, text = text.partition(",")
        if not head.lower().endswith(";base64"):
            raise InputError(f"{source} is a data: address without base64; needs ';base64,'.")
    try:
        return base64.b64decode(text.translate(_BREAKS), validate=True)
    except (binascii.Error, ValueError):
        raise InputError(f"{source} is no base64; encode the file's bytes that way.") from None


@contextmanager
def _as_file(content: bytes, name: str) -> Iterator[str]:
    """Lend content a file, since decoders read files; complaints call it by the name."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        try:
            yield file.name
        except InputError as error:
            raise ImageError(str(error).replace(file.name, name)) from None
