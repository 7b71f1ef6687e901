"""Store: the proposals of many pictures, read one picture at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fewclicks.arrays import BoolMask
from fewclicks.errors import FewclicksError, InputError, StorageError, UnknownEntryError
from fewclicks.files import sha256_of
from fewclicks.methods.memo import Memo
from fewclicks.proposals.merge_tree import MergeTree
from fewclicks.proposals.recipe import Recipe, read_recipe
from fewclicks.proposals.sampling import DRAWS, LEAST_AREA, Scheme, check_scheme, draw_node
from fewclicks.proposals.shards import Label, Row, Shard, check_pyarrow, list_shards

_OPEN_SHARDS: Final = 64
_TREE_BYTES: Final = 64 * 2**20  # as they are stored; laid out they weigh seven times that


class ProposalStore:
    """Proposals that `fewclicks propose` made, of whichever kind.

    Nothing but its recipe is read before it is asked for; then which pictures there are, from
    each shard; then single rows. It may go to other processes, and threads may share it.

    Parameters
    ----------
    path
        Its folder.
    backbone
        Name that its proposals must come from; None takes any.

    Raises
    ------
    StorageError
        If the folder is missing, or no store.
    InputError
        If it was made with another backbone.
    MissingExtraError
        If Parquet cannot be read here.
    """

    def __init__(self, path: str | Path, *, backbone: str | None = None) -> None:
        check_pyarrow()
        self.path = Path(path)
        self.recipe: Recipe = read_recipe(self.path)
        if backbone is not None and backbone != self.recipe.backbone:
            raise InputError(
                f"{self.path} holds proposals of backbone '{self.recipe.backbone}', not "
                f"'{backbone}'; choose another store, or make one with --backbone {backbone}."
            )
        self._backbone = backbone
        self._shards: Memo[Path, Shard] = Memo(_OPEN_SHARDS)
        self._children: Memo[str, NDArray[np.integer[Any]]] = Memo(
            _TREE_BYTES, weigh=lambda children: children.nbytes
        )
        self._index: dict[str, tuple[Path, int, Label]] | None = None
        self._reading = threading.Lock()

    def __reduce__(self) -> tuple[object, ...]:
        return _reopen, (self.path, self._backbone)

    @property
    def images(self) -> tuple[str, ...]:
        """Of every picture that was looked at, its path below the folder; in alphabetical order."""
        return tuple(self._labels())

    def __len__(self) -> int:
        """Count the pictures."""
        return len(self._labels())

    def __contains__(self, image: object) -> bool:
        """Say whether a picture was looked at."""
        return image in self._labels()

    def label(self, image: str) -> Label:
        """Say of which file a picture's proposals are, and on which grid.

        Raises
        ------
        UnknownEntryError
            If the picture is not in the store.
        """
        return self._place(image)[2]

    def tree(self, image: str) -> MergeTree:
        """Give a picture's merge tree.

        Raises
        ------
        UnknownEntryError
            If the picture is not in the store.
        InputError
            If the store holds masks.
        StorageError
            If the shard is damaged.
        """
        if self.recipe.kind != "tree":
            raise InputError(f"{self.path} holds masks by {self.recipe.kind}; needs merge trees.")
        children = self._children.get(image, self._read_children)
        return MergeTree.from_children(children, self.label(image).grid)

    def masks(self, image: str) -> tuple[BoolMask, ...]:
        """Give a picture's masks, each (h, w) at the size of its grid; none of a merge tree."""
        return self._row(image).masks

    def sample_region(
        self,
        image: str,
        rng: np.random.Generator,
        *,
        alpha: float = 0.9,
        scheme: Scheme = "top-down",
        least_area: float = LEAST_AREA,
    ) -> BoolMask:
        """Draw a region to be the object of a lesson.

        Parameters
        ----------
        image
            As in `images`.
        rng
            Of which chance comes: the same state gives the same region.
        alpha, scheme
            Of merge trees, see `fewclicks.proposals.sampling`; masks all have the same chance.
        least_area
            Share of the picture under which a region is refused; the hundredth draw is taken.

        Returns
        -------
        (h, w)
            At the size of the picture's grid, whose cells tile the picture evenly. All False
            where a generator of masks found none.

        Raises
        ------
        UnknownEntryError
            If the picture is not in the store.
        InputError
            For an unknown scheme, or an alpha outside [0, 1].
        StorageError
            If the shard is damaged.
        """
        if self.recipe.kind == "tree":
            tree = self.tree(image)
            return tree.region(
                draw_node(tree, rng, alpha=alpha, scheme=scheme, least_area=least_area)
            )
        check_scheme(scheme)
        row = self._row(image)
        return _draw_mask(row, rng, least_area)

    def verify(self, pictures: Path | None = None) -> Iterator[str]:
        """Read every row, and say in one line each what is wrong.

        Parameters
        ----------
        pictures
            Folder whose files are held to the checksums, too.
        """
        seen: dict[str, Path] = {}
        for path in list_shards(self.path):
            try:
                shard = Shard(path, self.recipe)
                for number, label in enumerate(shard.labels()):
                    if label.image in seen:
                        yield _twice(label.image, seen[label.image], path)
                    seen[label.image] = path
                    row = shard.row(number, label)
                    if row.children is not None:
                        MergeTree.from_children(row.children, label.grid)
                    if pictures:
                        yield from _changes(pictures, label, path)
            except FewclicksError as error:
                yield str(error)

    def _labels(self) -> dict[str, tuple[Path, int, Label]]:
        with self._reading:
            if self._index is None:
                self._index = self._read_labels()
            return self._index

    def _read_labels(self) -> dict[str, tuple[Path, int, Label]]:
        found: dict[str, tuple[Path, int, Label]] = {}
        for path in list_shards(self.path):
            for number, label in enumerate(Shard(path, self.recipe).labels()):
                if label.image in found:
                    raise InputError(_twice(label.image, found[label.image][0], path))
                found[label.image] = path, number, label
        return dict(sorted(found.items()))

    def _place(self, image: str) -> tuple[Path, int, Label]:
        try:
            return self._labels()[image]
        except KeyError:
            raise UnknownEntryError(f"picture in {self.path}", image, self.images[:5]) from None

    def _row(self, image: str) -> Row:
        path, number, label = self._place(image)
        shard = self._shards.get(path, lambda path: Shard(path, self.recipe))
        with self._reading:  # a file has one place at which it is read
            return shard.row(number, label)

    def _read_children(self, image: str) -> NDArray[np.integer[Any]]:
        row = self._row(image)
        if row.children is None:
            raise InputError(f"{self.path} has no merge tree of {image}; make the store anew.")
        return row.children


def _reopen(path: Path, backbone: str | None) -> ProposalStore:
    return ProposalStore(path, backbone=backbone)


def _draw_mask(row: Row, rng: np.random.Generator, least_area: float) -> BoolMask:
    if not row.masks:
        return np.zeros((row.label.grid.height, row.label.grid.width), dtype=np.bool_)
    for _ in range(DRAWS - 1):
        mask = row.masks[int(rng.integers(len(row.masks)))]
        if float(mask.mean()) >= least_area:
            return mask
    return row.masks[int(rng.integers(len(row.masks)))]


def _changes(pictures: Path, label: Label, shard: Path) -> Iterator[str]:
    try:
        if sha256_of(pictures / label.image) != label.checksum:
            yield f"{pictures / label.image} is not what {shard} was made of."
    except StorageError as error:
        yield str(error)


def _twice(image: str, one: Path, other: Path) -> str:
    return f"{image} stands in both {one} and {other.name}; delete one of the two shards."
