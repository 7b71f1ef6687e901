"""Generators: from a picture's tokens to its proposals, by name. Reading the table imports none."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from fewclicks.arrays import BoolMask
from fewclicks.backbones.base import Features
from fewclicks.errors import UnknownEntryError
from fewclicks.proposals.merge_tree import build_merge_tree
from fewclicks.settings import read_settings


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposals:
    """What was found in a picture: a merge tree, or masks.

    Parameters
    ----------
    children : (n - 1, 2), optional
        Of a merge tree, see `build_merge_tree`.
    masks : tuple of (h, w)
        At the size of the grid; may be none.
    """

    children: NDArray[np.integer[Any]] | None = None
    masks: tuple[BoolMask, ...] = ()


class Generator(Protocol):
    """A way to find regions without labels."""

    name: ClassVar[str]
    config_type: ClassVar[type]
    config: Any

    def propose(self, features: Features) -> Proposals:
        """Find regions of a picture, from its tokens alone."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class TreeConfig:
    """How tokens are merged.

    Parameters
    ----------
    connectivity
        Whether only regions that touch may join.
    exact
        Whether to reckon in float64.
    """

    connectivity: bool = True
    exact: bool = False


class TreeGenerator:
    """Regions of every size, by Ward's merging of tokens.

    References
    ----------
    .. [1] MIS, section 3.1 (arXiv:2303.13399).
    """

    name: ClassVar = "tree"
    config_type: ClassVar = TreeConfig

    def __init__(self, config: TreeConfig | None = None) -> None:
        self.config = config or TreeConfig()

    def propose(self, features: Features) -> Proposals:
        """Merge the tokens until one region is left."""
        grid = features.grid
        children = build_merge_tree(
            features.tokens,
            (grid.height, grid.width),
            connectivity=self.config.connectivity,
            exact=self.config.exact,
        )
        return Proposals(children=children)


_HERE: Final = "fewclicks.proposals"
GENERATORS: Final[Mapping[str, str]] = {
    "tree": f"{_HERE}.generators:TreeGenerator",
    "tokencut": f"{_HERE}.tokencut:TokenCut",
    "dsm": f"{_HERE}.dsm:DeepSpectral",
    "freemask": f"{_HERE}.freemask:FreeMask",
}


def create_generator(kind: str, **settings: Any) -> Generator:
    """Build a generator by name.

    Parameters
    ----------
    kind
        A key of `GENERATORS`.
    **settings
        Fields of its configuration, as values or as typed.

    Raises
    ------
    UnknownEntryError
        With the nearest known name, for a kind or a setting.
    """
    if kind not in GENERATORS:
        raise UnknownEntryError("kind of proposals", kind, GENERATORS)
    module, _, class_name = GENERATORS[kind].partition(":")
    built_class = getattr(importlib.import_module(module), class_name)
    config_type = built_class.config_type
    generator: Generator = built_class(
        config_type(**read_settings(config_type, settings, owner=f"'{kind}'"))
    )
    return generator
