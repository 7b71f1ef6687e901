"""Pictures, masks and label maps from files, by content and not by extension.

Pillow decodes; what it leaves open is settled here:

* **EXIF** rotation is applied, to masks as well.
* **Transparent** pixels are laid over white, as a viewer shows them.
* **16 bits of grey** become 8 by the smallest depth (8, 10, 12, 14 or 16 bits) that holds the
  brightest pixel, so a 12-bit scan is not black. Colours of 16 bits keep their upper byte.
* **Grey of 32 bits**, whole or real, runs from its darkest pixel (black) to its brightest (white);
  real numbers within [0, 1] are taken as they are, and what is not finite is black.
* **Animations** and stacks give their first frame.
* **Formats that run a program** to be drawn (PostScript, metafiles) are refused.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from fewclicks.arrays import BoolMask, FloatMap, LabelMap, RgbImage
from fewclicks.errors import ImageError, InputError, ShapeError, StorageError

MAX_MEGAPIXELS: Final = 200.0
"""Of a picture, unless its reader says otherwise; 0.6 GB, and 2 GB while it is read."""

_FORMATS: Final = (
    "PNG", "JPEG", "WEBP", "TIFF", "BMP", "DIB", "GIF", "AVIF", "JPEG2000", "PPM", "TGA",
    "PCX", "SGI", "QOI", "PSD", "ICO",
)  # fmt: skip

_BITS, _PLANAR = 258, 284  # tags of TIFF
_ORIENTATION, _LYING = 274, (5, 6, 7, 8)  # of EXIF
_PNG_SIGNATURE, _NOTES = b"\x89PNG\r\n\x1a\n", (b"eXIf", b"tEXt", b"zTXt", b"iTXt")

# Pillow keeps its pixel limit and Python its warning filters in global state, and decoders use
# both until the last pixel; so one file is decoded at a time.
_DECODING: Final = threading.Lock()


def read_image(path: str | Path, *, max_megapixels: float = MAX_MEGAPIXELS) -> RgbImage:
    """Read a picture as 8-bit colours; the module's first lines say how each kind is turned.

    Parameters
    ----------
    path
        The content decides, not the extension.
    max_megapixels
        More pixels than that are refused before any is decoded, so that a small file cannot fill
        the memory.

    Returns
    -------
    (H, W, 3)
        Upright, writable.

    Raises
    ------
    StorageError
        If there is no such file, or it may not be read.
    ImageError
        If the file is no picture, is cut short, or is larger than the limit.
    """
    image = _decode(Path(path), max_megapixels)
    if image.mode.startswith("I;16"):
        return _grey_to_rgb(_sixteen_to_eight_bits(np.asarray(image)))
    if image.mode in ("I", "F"):
        return grey_to_image(np.asarray(image))
    if image.has_transparency_data:
        image = _over_white(image)
    try:
        return np.array(image if image.mode == "RGB" else image.convert("RGB"))
    except ValueError as error:
        raise ImageError(
            f"{path} holds {image.mode} colours, which have no way to RGB; save it as RGB."
        ) from error


def grey_to_image(grey: NDArray[np.int32] | FloatMap) -> RgbImage:
    """Turn numbers into a picture, as the module's first lines say of grey of 32 bits.

    Parameters
    ----------
    grey : (H, W)

    Returns
    -------
    (H, W, 3)
    """
    return _grey_to_rgb(_real_to_eight_bits(grey))


def read_size(path: str | Path) -> tuple[int, int]:
    """Read how large a picture is, upright, without decoding it.

    Returns
    -------
    tuple
        Height and width in pixels.

    Raises
    ------
    StorageError, ImageError
        As `read_image`; that the pixels are whole is not looked at.
    """
    with _opened(Path(path)) as image:
        notes = image.getexif() if _may_be_turned(Path(path), image) else {}
        turned = notes.get(_ORIENTATION, 1) in _LYING
        return (image.width, image.height) if turned else (image.height, image.width)


def read_mask(
    path: str | Path, *, shape: tuple[int, int] | None = None, threshold: int = 0
) -> BoolMask:
    """Read a mask: True where the file is brighter than ``threshold``.

    A pixel is as bright as its brightest channel (through the palette, where there is one). In a
    file with transparency, a cut-out say, the opacity is the mask and colours do not count.

    Parameters
    ----------
    path
        Any picture; PNG is best, since JPEG blurs the edge.
    shape : optional
        Height and width that the mask must have.
    threshold
        On the file's own scale: 0 to 255 (one bit: 0 and 255), or 0 to 65535.

    Returns
    -------
    (H, W)

    Raises
    ------
    ShapeError
        If the mask is not of the wanted shape.
    StorageError, ImageError
        As `read_image`.
    """
    image = _decode(Path(path), MAX_MEGAPIXELS)
    _check_shape(path, (image.height, image.width), shape)
    if image.mode.startswith("I") or image.mode == "F":
        return np.asarray(np.asarray(image) > threshold)
    if image.has_transparency_data:
        opacity = np.asarray(image.convert("RGBA").getchannel("A"))
        if opacity.min() < 255:
            return np.asarray(opacity > threshold)
    return np.asarray(np.asarray(image.convert("RGB")).max(axis=2) > threshold)


def read_label_map(path: str | Path, *, shape: tuple[int, int] | None = None) -> LabelMap:
    """Read a map of labels: the numbers as they stand in a grey or palette file.

    Parameters
    ----------
    path
        A file of 1, 8, 16 or 32 bits of grey, or a palette, whose indices are the labels. Colours
        are taken where all three channels agree.
    shape : optional
        Height and width that the map must have.

    Returns
    -------
    (H, W)
        0 and up.

    Raises
    ------
    ShapeError
        If the map is not of the wanted shape.
    ImageError
        If the file holds colours, transparency, or numbers that are no labels.
    StorageError
        As `read_image`.
    """
    image = _decode(Path(path), MAX_MEGAPIXELS)
    _check_shape(path, (image.height, image.width), shape)
    values = np.asarray(image)
    if image.mode == "RGB" and bool((values == values[..., :1]).all()):
        values = values[..., 0]
    if values.ndim != 2 or image.mode == "F":
        raise ImageError(
            f"{path} holds {image.mode} pixels, not labels; needs a grey PNG of 8 or 16 bits, "
            "or one with a palette."
        )
    if int(values.min()) < 0:
        raise ImageError(f"{path} holds the label {values.min()}; needs labels from 0.")
    return values.astype(np.int32)


def read_grey(path: str | Path) -> NDArray[np.generic]:
    """Read the numbers of a grey file as they stand.

    Parameters
    ----------
    path
        A file of 8, 16 or 32 bits of grey, whole or real. Colours are taken where all three
        channels agree.

    Returns
    -------
    (H, W)
        Of the file's own type.

    Raises
    ------
    ImageError
        If the file holds colours, a palette or transparency.
    StorageError
        As `read_image`.
    """
    image = _decode(Path(path), MAX_MEGAPIXELS)
    values = np.asarray(image)
    if image.mode == "RGB" and bool((values == values[..., :1]).all()):
        return values[..., 0]
    if values.ndim != 2 or image.mode in ("1", "P"):
        raise ImageError(
            f"{path} holds {image.mode} pixels, not numbers; needs a grey file of 8, 16 or 32 bits."
        )
    return values


def _decode(path: Path, max_megapixels: float) -> Image.Image:
    """Read the first frame, upright, and close the file."""
    if not max_megapixels > 0:
        raise InputError(f"max_megapixels is {max_megapixels}; needs a number above 0.")
    with _opened(path) as image:
        _check_size(path, image, max_megapixels)
        _check_planes(path, image)
        image.load()
        _turn_upright(image)
        return image


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """Open a picture; whatever a decoder answers to a broken one becomes one line."""
    _check_file(path)
    try:
        with _pillow_without_limit_or_warnings(), Image.open(path, formats=_formats()) as image:
            yield image
    except ImageError:
        raise
    except MemoryError as error:
        raise ImageError(f"{path} does not fit into memory; shrink it.") from error
    except UnidentifiedImageError as error:
        raise ImageError(
            f"{path} is no picture in a known format; needs PNG, JPEG, WebP, TIFF, BMP or GIF "
            "of usual depth."
        ) from error
    except PermissionError as error:
        raise StorageError(f"Cannot read {path}: permission denied.") from error
    except Exception as error:  # decoders answer broken files with every kind of exception
        raise ImageError(
            f"{path} is damaged or cut short and cannot be read whole ({error}); fetch it again."
        ) from error


def _check_file(path: Path) -> None:
    try:
        if not path.exists():
            raise StorageError(f"There is no file {path}.")
        if path.is_dir():
            raise StorageError(f"{path} is a folder; needs a picture file.")
        if not path.is_file():  # a pipe would wait for ever
            raise StorageError(f"{path} is no regular file; needs a picture file.")
        if path.stat().st_size == 0:
            raise ImageError(f"{path} is empty (0 bytes); needs a picture file.")
    except (OSError, ValueError) as error:
        if isinstance(error, (StorageError, ImageError)):
            raise
        raise StorageError(f"Cannot read {str(path)!r}: {error}.") from error


def _formats() -> list[str]:
    Image.init()
    return [name for name in _FORMATS if name in Image.OPEN]  # old versions of Pillow know fewer


def _check_shape(path: str | Path, found: tuple[int, int], needed: tuple[int, int] | None) -> None:
    if needed is not None and found != tuple(needed):
        raise ShapeError(
            f"{path} is {found[0]} high and {found[1]} wide; needs the size of its picture, "
            f"{needed[0]} high and {needed[1]} wide."
        )


def _check_size(path: Path, image: Image.Image, max_megapixels: float) -> None:
    pixels = image.width * image.height
    if pixels > max_megapixels * 1e6:
        raise ImageError(
            f"{path} is {image.width} x {image.height}, {pixels / 1e6:.4g} megapixels; the limit "
            f"is {max_megapixels:g}. Shrink it, or raise the limit with max_megapixels."
        )


def _check_planes(path: Path, image: Image.Image) -> None:
    """Refuse the one kind of TIFF that Pillow decodes to a wrong picture without a word."""
    tags = getattr(image, "tag_v2", {})
    in_planes, bits = tags.get(_PLANAR) == 2, tags.get(_BITS, (8,))
    if in_planes and max(bits) > 8 and image.info.get("compression") == "raw":
        raise ImageError(
            f"{path} stores colours of {max(bits)} bits in separate planes, which cannot be read; "
            "save it compressed, with interleaved channels, or with 8 bits."
        )


def _may_be_turned(path: Path, image: Image.Image) -> bool:
    """Whether notes are worth a look: to see if a PNG ends with some, Pillow decodes all of it."""
    if image.format != "PNG" or {"exif", "xmp", "Raw profile type exif"} & image.info.keys():
        return True
    place, is_after_pixels = len(_PNG_SIGNATURE), False
    with path.open("rb") as file:
        while True:
            file.seek(place)
            head = file.read(8)
            if len(head) < 8 or (is_after_pixels and head[4:] in _NOTES):
                return len(head) == 8
            is_after_pixels |= head[4:] == b"IDAT"
            place += 12 + int.from_bytes(head[:4], "big")


def _turn_upright(image: Image.Image) -> None:
    with suppress(Exception):  # a broken note about the camera must not cost the picture
        ImageOps.exif_transpose(image, in_place=True)


@contextmanager
def _pillow_without_limit_or_warnings() -> Iterator[None]:
    with _DECODING, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        limit = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _over_white(image: Image.Image) -> Image.Image:
    layer = image.convert("RGBA")
    white = Image.new("RGBA", layer.size, "white")
    return Image.alpha_composite(white, layer)


def _sixteen_to_eight_bits(grey: NDArray[np.uint16]) -> NDArray[np.uint8]:
    brightest = int(grey.max())
    depth = next(bits for bits in (8, 10, 12, 14, 16) if brightest < 1 << bits)
    # A table is quicker than arithmetic on every pixel.
    table = np.rint(np.arange(1 << depth) * (255 / ((1 << depth) - 1))).astype(np.uint8)
    return np.asarray(table[grey])


def _real_to_eight_bits(grey: NDArray[np.int32] | FloatMap) -> NDArray[np.uint8]:
    is_real = np.isfinite(grey)
    if not is_real.any():
        return np.zeros(grey.shape, dtype=np.uint8)
    low, high = float(grey[is_real].min()), float(grey[is_real].max())
    if grey.dtype.kind == "f" and low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    share = (np.where(is_real, grey, low).astype(np.float64) - low) / max(high - low, 1e-300)
    return np.rint(share * 255).astype(np.uint8)


def _grey_to_rgb(grey: NDArray[np.uint8]) -> RgbImage:
    return np.repeat(grey[..., None], 3, axis=2)
