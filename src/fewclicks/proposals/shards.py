"""Shards: Parquet files of proposals, one row for each picture, each file whole or not there."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from fewclicks.arrays import BoolMask
from fewclicks.backbones.base import Grid
from fewclicks.errors import InputError, MissingExtraError, StorageError
from fewclicks.files import written_beside
from fewclicks.images.masks import RunLengths, decode_rle, encode_rle
from fewclicks.proposals.recipe import Recipe

if TYPE_CHECKING:
    import pyarrow

SUFFIX: Final = ".parquet"
_RECIPE: Final = b"fewclicks.recipe"
_ROWS: Final = 8  # in a group: what is read to get one row; fewer make the labels slow to read
_LABELS: Final = ("image", "checksum", "height", "width", "grid_height", "grid_width")
_FOUND: Final = ("children", "masks")


@dataclass(frozen=True, kw_only=True, slots=True)
class Label:
    """Which picture a row is of.

    Parameters
    ----------
    image
        Its path below the folder, with slashes.
    checksum
        sha256 of its file.
    height, width
        In pixels.
    grid
        Of its tokens.
    """

    image: str
    checksum: str
    height: int
    width: int
    grid: Grid


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """The proposals of one picture: a merge tree, or masks.

    Parameters
    ----------
    label
        Of the picture.
    children : (n - 1, 2), optional
        Of a merge tree.
    masks : tuple of (h, w)
        At the size of the grid; may be none.
    """

    label: Label
    children: NDArray[np.integer[Any]] | None = None
    masks: tuple[BoolMask, ...] = ()


def check_pyarrow() -> None:
    """Refuse to go on where Parquet cannot be read.

    Raises
    ------
    MissingExtraError
        With the command that installs it.
    """
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        raise MissingExtraError("A store of proposals", "propose") from None


def child_type(tokens: int) -> np.dtype[Any]:
    """Smallest type that holds the numbers of all nodes but the root."""
    return np.dtype(np.min_scalar_type(max(2 * tokens - 3, 0))).newbyteorder("<")


def write_shard(
    folder: Path, recipe: Recipe, rows: Sequence[Row], *, of: Sequence[str] | None = None
) -> Path:
    """Write rows as one file, in the place of one that was named alike.

    Parameters
    ----------
    of
        Pictures that name the file; those of the rows by default.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    import pyarrow
    import pyarrow.parquet as parquet

    names = "\n".join(of if of is not None else [row.label.image for row in rows])
    path = folder / f"{hashlib.sha256(names.encode()).hexdigest()[:20]}{SUFFIX}"
    table = pyarrow.Table.from_pylist(
        [_to_record(row) for row in rows],
        schema=_schema().with_metadata({_RECIPE: recipe.to_json().encode()}),
    )
    with written_beside(path) as beside:
        parquet.write_table(
            table, beside, compression="zstd", row_group_size=_ROWS, write_page_checksum=True
        )
    return path


def list_shards(folder: Path) -> list[Path]:
    """Give the folder's shards, in the order of their names; a begun one is none."""
    return sorted(path for path in folder.glob(f"*{SUFFIX}") if not path.name.startswith("."))


class Shard:
    """One file, read a few rows at a time.

    Parameters
    ----------
    path
        Of the file.
    recipe
        That it must have been made by.

    Raises
    ------
    StorageError
        If it is damaged.
    InputError
        If it was made by another recipe.
    """

    def __init__(self, path: Path, recipe: Recipe) -> None:
        import pyarrow.parquet as parquet

        self.path = path
        try:
            self._file = parquet.ParquetFile(path, page_checksum_verification=True)
            about = self._file.metadata
            lengths = [about.row_group(group).num_rows for group in range(about.num_row_groups)]
            self._starts = np.cumsum([0, *lengths])
            said = self._file.schema_arrow.metadata[_RECIPE].decode()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise self._damaged(error) from error
        recipe.check_same(Recipe.from_json(said, path), path)

    def labels(self) -> list[Label]:
        """Read which pictures it holds, in the order of the rows."""
        return [_to_label(record) for record in self._read(_LABELS).to_pylist()]

    def row(self, number: int, label: Label) -> Row:
        """Read what was found in the picture of one of the labels."""
        group = int(np.searchsorted(self._starts, number, side="right")) - 1
        place = number - int(self._starts[group])
        record = self._read(_FOUND, group).slice(place, 1).to_pylist()[0]
        try:
            return _to_row(record, label)
        except (InputError, ValueError) as error:
            raise self._damaged(error) from error

    def _read(self, columns: Sequence[str], group: int | None = None) -> pyarrow.Table:
        try:
            if group is None:
                return self._file.read(columns=list(columns), use_threads=False)
            return self._file.read_row_group(group, columns=list(columns), use_threads=False)
        except (OSError, ValueError) as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> StorageError:
        return StorageError(
            f"{self.path} is damaged ({' '.join(str(error).split()).rstrip('.')}); delete it, and "
            "make its pictures again with `fewclicks propose ... --resume`."
        )


def _schema() -> pyarrow.Schema:
    import pyarrow as pa

    sides = [(name, pa.int32()) for name in _LABELS[2:]]
    return pa.schema(
        [
            *((name, pa.string()) for name in _LABELS[:2]),
            *sides,
            ("children", pa.binary()),
            ("masks", pa.list_(pa.string())),
        ]
    )


def _to_record(row: Row) -> dict[str, Any]:
    label, grid = row.label, row.label.grid
    return {
        "image": label.image,
        "checksum": label.checksum,
        "height": label.height,
        "width": label.width,
        "grid_height": grid.height,
        "grid_width": grid.width,
        "children": (
            None if row.children is None else row.children.astype(child_type(grid.count)).tobytes()
        ),
        "masks": [encode_rle(mask)["counts"] for mask in row.masks],
    }


def _to_label(record: dict[str, Any]) -> Label:
    return Label(
        image=record["image"],
        checksum=record["checksum"],
        height=record["height"],
        width=record["width"],
        grid=Grid(record["grid_height"], record["grid_width"]),
    )


def _to_row(record: dict[str, Any], label: Label) -> Row:
    grid = label.grid
    children = None
    if record["children"] is not None:
        children = np.frombuffer(record["children"], dtype=child_type(grid.count))
        children = children.reshape(grid.count - 1, 2)
    masks = tuple(
        decode_rle(RunLengths(size=[grid.height, grid.width], counts=counts))
        for counts in record["masks"]
    )
    return Row(label=label, children=children, masks=masks)
