"""Pictures, masks, label maps, depth and volumes, each in many forms."""

# ruff: noqa: E501 - a header is read best in one line

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import nibabel
import numpy as np
import SimpleITK
from PIL import Image

from fewclicks.images.depth_files import read_depth
from fewclicks.images.reading import read_image, read_label_map, read_mask, read_size
from fewclicks.images.volumes import read_volume
from fuzzing.trial import Reader

_Y, _X = np.mgrid[:24, :32]
GREY: Final = ((_Y * 9 + _X * 3) % 256).astype(np.uint8)
COLOURS: Final = np.stack([GREY, GREY.T[:24, :24].repeat(2, 1)[:, :32], 255 - GREY], axis=-1)


def _saved(name: str, image: Image.Image, **options: Any) -> Callable[[Path], list[Path]]:
    def build(folder: Path) -> list[Path]:
        image.save(folder / name, **options)
        return [folder / name]

    return build


def _turned() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


_RGB = Image.fromarray(COLOURS)
_FRAMES = [Image.fromarray(np.roll(COLOURS, k, 0)) for k in range(4)]
_SIXTEEN = Image.fromarray(GREY.astype(np.uint16) * 250)
PICTURES: Final = {
    "rgb.png": (_RGB, {}),
    "palette.png": (_RGB.quantize(16), {}),
    "grey16.png": (_SIXTEEN, {}),
    "bits.png": (_RGB.convert("1"), {}),
    "alpha.png": (_RGB.convert("RGBA"), {}),
    "one.png": (_RGB.crop((0, 0, 1, 1)), {}),
    "noted.png": (_RGB, {"exif": _turned(), "icc_profile": b"icc" * 40}),
    "turned.jpg": (_RGB, {"exif": _turned()}),
    "cmyk.jpg": (_RGB.convert("CMYK"), {}),
    "progressive.jpg": (_RGB, {"progressive": True}),
    "animated.gif": (_FRAMES[0], {"save_all": True, "append_images": _FRAMES[1:]}),
    "animated.png": (_FRAMES[0], {"save_all": True, "append_images": _FRAMES[1:]}),
    "animated.webp": (_FRAMES[0], {"save_all": True, "append_images": _FRAMES[1:]}),
    "lossless.webp": (_RGB, {"lossless": True}),
    "grey16.tif": (_SIXTEEN, {}),
    "float.tif": (Image.fromarray(GREY.astype(np.float32)), {}),
    "packed.tif": (_RGB, {"compression": "tiff_lzw"}),
    "zip.tif": (_RGB, {"compression": "tiff_adobe_deflate"}),
    "plain.bmp": (_RGB, {}),
    "text.ppm": (_RGB, {}),
    "old.tga": (_RGB, {"compression": "tga_rle"}),
    "old.pcx": (_RGB, {}),
    "small.ico": (_RGB.resize((16, 16)), {}),
    "wave.jp2": (_RGB, {}),
    "wrong.jpg": (_RGB, {"format": "PNG"}),
}


def chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def png(width: int, height: int, *more: bytes, depth: int = 8, colour: int = 2) -> bytes:
    header = struct.pack(
        ">IIBBBBB", width & 0xFFFFFFFF, height & 0xFFFFFFFF, depth, colour, 0, 0, 0
    )
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(more) + chunk(b"IEND", b"")


def tiff(*entries: tuple[int, int, int, int], following: int = 0) -> bytes:
    tags = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\x00" + struct.pack("<IH", 8, len(entries)) + tags + struct.pack("<I", following)


_BOMB = zlib.compress(bytes(1 << 26), 9)  # 64 MB in 64 KB
_HUGE = 1 << 30
EVIL_PICTURES: Final = {
    "100000 x 100000": png(100_000, 100_000, chunk(b"IDAT", zlib.compress(bytes(100)))),
    "as large as the limit": png(14_000, 14_000, chunk(b"IDAT", _BOMB[:9000])),
    "0 x 0": png(0, 0, chunk(b"IDAT", zlib.compress(b""))),
    "2^31 wide": png(1 << 31, 1, chunk(b"IDAT", zlib.compress(bytes(10)))),
    "a line of 4 thousand million": png(-1, 1, chunk(b"IDAT", b"")),
    "no pixels": png(20, 20),
    "unknown colours": png(4, 4, chunk(b"IDAT", zlib.compress(bytes(100))), colour=5),
    "17 bits": png(4, 4, chunk(b"IDAT", zlib.compress(bytes(100))), depth=17),
    "a palette too short": png(
        4, 4, chunk(b"PLTE", b"\0\0\0"), chunk(b"IDAT", zlib.compress(b"\0\xff\xff\xff\xff" * 4)), colour=3
    ),
    "64 MB of text": png(4, 4, chunk(b"zTXt", b"a\0\0" + _BOMB), chunk(b"IDAT", zlib.compress(bytes(52)))),
    "a profile of 64 MB": png(4, 4, chunk(b"iCCP", b"a\0\0" + _BOMB), chunk(b"IDAT", zlib.compress(bytes(52)))),
    "64 MB of pixels for 4 x 4": png(4, 4, chunk(b"IDAT", _BOMB)),
    "a GIF of 65535 x 65535": b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0) + b",\0\0\0\0\xff\xff\xff\xff\0\x08\0;",
    "a JPEG of 65535 x 65535": b"\xff\xd8\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01\xff\xd9",
    "a TIFF that points to itself": tiff((256, 4, 1, 8), (257, 4, 1, 8), following=8),
    "a TIFF with a thousand million strips": tiff(
        (256, 4, 1, 8), (257, 4, 1, 8), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, _HUGE, 8), (278, 4, 1, 1), (279, 4, _HUGE, 8)
    ),
    "a TIFF of a tag of 4 GB": tiff((256, 4, 1, 8), (257, 4, 1, 8), (270, 2, 0xFFFFFFF0, 8)),
    "a BMP upside down and huge": b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, 2**31 - 1, -(2**31), 1, 24, 0, 0, 0, 0, 0, 0),
    "a PPM of digits": b"P6 " + b"9" * 5000 + b" 9 255\n",
    "a huge PPM": b"P6 99999999 99999999 255\n",
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(%pipe%touch evil) (w) file\n",
    "a drawing": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
}  # fmt: skip


def _look(_home: Path, file: Path) -> None:
    read_size(file)
    found = read_image(file)
    assert found.dtype == np.uint8
    assert found.ndim == 3
    assert found.shape[2] == 3


def _look_at_mask(_home: Path, file: Path) -> None:
    found = read_mask(file)
    assert found.dtype == np.bool_
    assert found.ndim == 2


def _look_at_labels(_home: Path, file: Path) -> None:
    found = read_label_map(file)
    assert found.min() >= 0


def _look_at_depth(_home: Path, file: Path) -> None:
    for kind in ("inverse", "depth", "relative"):
        found = read_depth(file, kind=kind).values
        assert np.isfinite(found).all()


def _npy(folder: Path) -> list[Path]:
    np.save(folder / "depth.npy", GREY.astype(np.float32) + 1)
    return [folder / "depth.npy"]


_HEADERS = "{'descr': %s, 'fortran_order': False, 'shape': %s, }"


def _npy_of(descr: str, shape: str) -> bytes:
    header = (_HEADERS % (descr, shape)).encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(64)


EVIL_ARRAYS: Final = {
    "objects": _npy_of("'|O'", "(2, 2)"),
    "a huge shape": _npy_of("'<f4'", "(1000000, 1000000)"),
    "a shape beyond counting": _npy_of("'<f4'", "(99999999999999999999, 9)"),
    "a negative shape": _npy_of("'<f4'", "(-4, -4)"),
    "no shape": _npy_of("'<f4'", "()"),
    "text": _npy_of("'<U4'", "(2, 2)"),
    "a program": _npy_of("__import__('os').abort()", "(2, 2)"),
    "records": _npy_of("[('a', '<f4')]", "(2, 2)"),
}


def _nifti(name: str) -> Callable[[Path], list[Path]]:
    def build(folder: Path) -> list[Path]:
        volume = np.stack([GREY] * 3, axis=2).astype(np.int16)
        nibabel.save(nibabel.Nifti1Image(volume, np.eye(4)), folder / name)
        return [folder / name]

    return build


def _meta(name: str) -> Callable[[Path], list[Path]]:
    def build(folder: Path) -> list[Path]:
        SimpleITK.WriteImage(SimpleITK.GetImageFromArray(np.stack([GREY] * 3)), str(folder / name))
        return [folder / name]

    return build


def _header(size: str, *, kind: str = "MET_UCHAR", data: str = "LOCAL") -> bytes:
    return f"ObjectType = Image\nNDims = 3\nDimSize = {size}\nElementType = {kind}\nElementDataFile = {data}\n".encode()


EVIL_HEADERS: Final = {
    "huge": _header("100000 100000 100000"),
    "just under the limit, without data": _header("500 500 500"),
    "negative": _header("-4 4 4"),
    "another file's data": _header("4 4 4", data="/etc/passwd"),
    "a list of slices": _header("4 4 4", data="LIST"),
    "a pattern of slices": _header("4 4 4", data="%s%s%s%n.raw 1 4 1"),
    "an unknown type": _header("4 4 4", kind="MET_OTHER"),
}


def _volume(_home: Path, file: Path) -> None:
    assert read_volume(file).ndim == 3


READERS: Final = [
    *(
        Reader(
            name="picture",
            build=_saved(name, image, **options),
            read=_look,
            evil=EVIL_PICTURES if name == "rgb.png" else {},
        )
        for name, (image, options) in PICTURES.items()
    ),
    *(
        Reader(name="mask", build=_saved(name, *[PICTURES[name][0]]), read=_look_at_mask)
        for name in ("bits.png", "palette.png", "alpha.png", "grey16.png")
    ),
    *(
        Reader(name="label map", build=_saved(name, PICTURES[name][0]), read=_look_at_labels)
        for name in ("palette.png", "grey16.png")
    ),
    *(
        Reader(name="depth", build=_saved(name, PICTURES[name][0]), read=_look_at_depth)
        for name in ("grey16.png", "float.tif")
    ),
    Reader(name="depth", build=_npy, read=_look_at_depth, evil=EVIL_ARRAYS),
    Reader(name="volume", build=_nifti("a.nii"), read=_volume),
    Reader(
        name="volume",
        build=_nifti("a.nii.gz"),
        read=_volume,
        evil={"64 MB of zeros": zlib.compress(bytes(1 << 26), wbits=31)},
    ),
    Reader(name="volume", build=_meta("a.mha"), read=_volume, evil=EVIL_HEADERS),
    Reader(name="volume", build=_meta("a.mhd"), read=_volume, evil=EVIL_HEADERS),
]
