"""Teacher targets: what a vision transformer says of photographs, kept on disk.

The teacher looks as a backbone of the package looks, patches overlapping, so that a student learns
the very convention it will be used with. Only the leading directions of its tokens are kept: what
is left out is mostly the network's own noise.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file, save_file

from fewclicks.arrays import FloatMatrix, RgbImage
from fewclicks.backbones.base import Backbone, Grid
from fewclicks.backbones.registry import create_backbone
from fewclicks.errors import InputError, StorageError
from fewclicks.files import written_beside
from fewclicks.images.reading import read_image
from fewclicks.images.resizing import resize_image

IMAGE_SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
_PHOTOS_FOR_DIRECTIONS: Final = 64
_HELD_OUT_PART: Final = 40  # one photograph in so many is never trained on


@dataclass(frozen=True, kw_only=True, slots=True)
class TeacherConfig:
    """Whose features, and how many of them.

    Parameters
    ----------
    weights
        A folder, a hub id, or a name that ``fewclicks weights list`` shows; of any ViT whose
        patches may overlap.
    block
        Whose keys are taken, from 0 on or from -1 backwards; None takes the last but one.
    stride
        Of the overlapping patches and so of the student, in pixels.
    longest_side
        Of a picture as the teacher sees it, in pixels.
    directions
        Leading principal directions of the tokens to keep.
    flip
        Whether to average with the mirrored picture, for twice the time. A student that is shown
        mirrored pictures averages by itself.
    precision
        ``"bf16"`` takes a third of the time on processors that know it, and moves the tokens by
        far less than mirroring the picture does.
    """

    weights: str
    block: int | None = None
    stride: int = 8
    longest_side: int = 480
    directions: int = 64
    flip: bool = False
    precision: str = "bf16"

    def __post_init__(self) -> None:
        if self.directions < 1:
            raise InputError(f"directions is {self.directions}; needs at least 1.")

    def create(self) -> Backbone:
        """Build the teacher."""
        return create_backbone(
            self.weights,
            kind="keys",
            block=self.block,
            stride=self.stride,
            longest_side=self.longest_side,
            flip=self.flip,
            precision=self.precision,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Lesson:
    """A photograph and what the teacher says of it.

    Parameters
    ----------
    image : (stride h, stride w, 3)
        As the teacher saw it.
    tokens : (h, w, k) float16
        Of length 1.
    """

    image: RgbImage
    tokens: NDArray[np.float16]


def list_photos(data: str) -> list[Path]:
    """List the photographs of a folder, or those that a text file names, one a line.

    Raises
    ------
    StorageError
        If there is no such place.
    InputError
        If it holds none.
    """
    place = Path(data).expanduser()
    if place.is_dir():
        found = [p for p in sorted(place.rglob("*")) if p.suffix.lower() in IMAGE_SUFFIXES]
    elif place.is_file():
        lines = place.read_text(encoding="utf-8").splitlines()
        found = [place.parent / line.strip() for line in lines if line.strip()]
    else:
        raise StorageError(f"There is no folder or list of photographs {place}.")
    if not found:
        raise InputError(f"{place} holds no photographs; needs {', '.join(IMAGE_SUFFIXES)}.")
    return found


class TeacherTargets:
    """What one teacher says of photographs: a folder of one file each.

    Parameters
    ----------
    folder
        Is made if need be. Photographs that are in it already are not looked at again.
    config
        Of the teacher.

    Raises
    ------
    InputError
        If the folder holds the targets of another teacher.
    """

    def __init__(self, folder: Path, config: TeacherConfig) -> None:
        self.folder = folder
        self.config = config
        said = json.dumps(asdict(config), sort_keys=True)
        if self._basis.is_file():
            with safe_open(self._basis, framework="numpy") as file:
                known = (file.metadata() or {}).get("teacher")
            if known != said:
                raise InputError(
                    f"{folder} holds targets of another teacher, {known}; name another."
                )
        self._said = said

    @property
    def _basis(self) -> Path:
        return self.folder / "directions.safetensors"

    def directions(self) -> FloatMatrix:
        """Read the leading principal directions, (c, k)."""
        values: FloatMatrix = load_file(self._basis)["directions"]
        return values

    def find_directions(self, photos: Sequence[Path]) -> None:
        """Take the principal directions of the first photographs, if none are known yet."""
        if self._basis.is_file():
            return
        teacher, looks = self.config.create(), 1 + self.config.flip
        seen = (
            _averaged(teacher, read_image(photo), looks=looks)[0].astype(np.float64)
            for photo in photos[:_PHOTOS_FOR_DIRECTIONS]
        )
        moments = np.sum([tokens.T @ tokens / len(tokens) for tokens in seen], axis=0)
        _, vectors = np.linalg.eigh(moments)
        leading = np.ascontiguousarray(vectors[:, ::-1][:, : self.config.directions])
        with written_beside(self._basis) as beside:
            save_file(
                {"directions": leading.astype(np.float32)}, beside, metadata={"teacher": self._said}
            )

    def fill(self, photos: Sequence[Path], *, workers: int = 1) -> Iterator[Path]:
        """Ask the teacher about each photograph that is not known yet; give each as it is done.

        Parameters
        ----------
        photos
            In the order in which they are asked about.
        workers
            Processes, each with a teacher of its own.
        """
        self.find_directions(photos)
        missing = [photo for photo in photos if not self.file_of(photo).is_file()]
        if workers == 1:
            _start(self)
            yield from map(_ask, missing)
            return
        context = get_context("spawn")
        with ProcessPoolExecutor(workers, context, initializer=_start, initargs=(self,)) as pool:
            yield from pool.map(_ask, missing)

    def file_of(self, photo: Path) -> Path:
        """Where a photograph's target is kept, by the file's content."""
        return self.folder / f"{_content(photo)}.safetensors"

    def read(self, photo: Path) -> Lesson:
        """Read a photograph and its target.

        Raises
        ------
        StorageError
            If the target is not there or damaged.
        """
        file = self.file_of(photo)
        try:
            tokens = load_file(file)["tokens"]
        except (OSError, SafetensorError) as error:
            raise StorageError(f"Cannot read the target {file} of {photo}: {error}.") from error
        height, width = (side * self.config.stride for side in tokens.shape[:2])
        return Lesson(
            image=resize_image(read_image(photo), height=height, width=width), tokens=tokens
        )

    def is_held_out(self, photo: Path) -> bool:
        """Whether a photograph is for judging only; decided by its content."""
        return int(_content(photo), 16) % _HELD_OUT_PART == 0


_ASKED: list[tuple[TeacherTargets, Backbone, FloatMatrix]] = []  # of this process


def _start(targets: TeacherTargets) -> None:
    _ASKED[:] = [(targets, targets.config.create(), targets.directions())]


def _ask(photo: Path) -> Path:
    targets, teacher, directions = _ASKED[0]
    looks = 1 + targets.config.flip
    tokens, grid = _averaged(teacher, read_image(photo), looks=looks)
    kept = _unit(tokens @ directions)
    shaped = kept.reshape(grid.height, grid.width, -1).astype(np.float16)
    with written_beside(targets.file_of(photo)) as beside:
        save_file({"tokens": shaped}, beside)
    return photo


def _averaged(teacher: Backbone, image: RgbImage, *, looks: int) -> tuple[FloatMatrix, Grid]:
    """Tokens of length 1, averaged over looks, which the backbone gives side by side."""
    features = teacher.features(image)
    tokens = features.tokens.reshape(features.grid.count, looks, -1).mean(axis=1)
    return _unit(tokens), features.grid


def _unit(tokens: FloatMatrix) -> FloatMatrix:
    lengths = np.linalg.norm(tokens, axis=1, keepdims=True)
    unit: FloatMatrix = tokens / np.maximum(lengths, np.float32(1e-6))
    return unit


def _content(photo: Path) -> str:
    return hashlib.sha256(photo.read_bytes()).hexdigest()[:20]
