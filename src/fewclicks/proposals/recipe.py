"""Recipe: how the proposals of a store were made, so that nothing else is put beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from fewclicks.errors import InputError, StorageError
from fewclicks.files import read_text, write_text

RECIPE_FILE: Final = "store.json"
FORM: Final = 1
"""Of stores; a later one may differ."""

MOST_PIXELS: Final = 1024
"""Along the longest side of a picture as the backbone gets it, unless it is said otherwise."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """What made the proposals of a store.

    Parameters
    ----------
    kind
        ``"tree"``, ``"tokencut"``, ``"dsm"`` or ``"freemask"``.
    backbone
        Its name.
    backbone_settings
        Its configuration, less what changes nothing but the time.
    settings
        The generator's configuration.
    longest_side
        To which larger pictures were shrunk, in pixels.
    """

    kind: str
    backbone: str
    backbone_settings: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    longest_side: int = MOST_PIXELS

    def to_json(self) -> str:
        """Write it as text; equal recipes give equal texts."""
        return json.dumps({"form": FORM, **asdict(self)}, indent=2, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str, source: Path) -> Recipe:
        """Read it.

        Raises
        ------
        InputError
            If the text is no recipe of this form.
        """
        try:
            said = json.loads(text)
            form = said.pop("form")
            recipe = cls(**said)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise InputError(
                f"{source} says nothing of how its proposals were made; needs a store as "
                "`fewclicks propose` writes it."
            ) from None
        if form != FORM:
            raise InputError(f"{source} is of form {form}; this version reads form {FORM}.")
        return recipe

    def check_same(self, other: Recipe, place: Path) -> None:
        """Refuse a place that holds the proposals of another recipe, naming the first difference.

        Raises
        ------
        InputError
            With both sides.
        """
        ours, theirs = json.loads(self.to_json()), json.loads(other.to_json())
        for part in ("kind", "backbone", "settings", "backbone_settings", "longest_side"):
            if ours[part] != theirs[part]:
                one, two = _shown(theirs[part], ours[part])
                raise InputError(
                    f"{place} holds proposals of {part} {one}, not {two}; choose another folder, "
                    "or the same settings."
                )


def write_recipe(folder: Path, recipe: Recipe) -> None:
    """Keep a store's recipe.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    write_text(folder / RECIPE_FILE, recipe.to_json())


def read_recipe(folder: Path) -> Recipe:
    """Read a store's recipe.

    Raises
    ------
    StorageError
        If the folder is missing, or no store.
    InputError
        If the recipe cannot be read.
    """
    if not folder.is_dir():
        raise StorageError(
            f"There is no folder {folder}; make proposals with: fewclicks propose IMAGES --out "
            f"{folder}"
        )
    path = folder / RECIPE_FILE
    if not path.is_file():
        raise StorageError(
            f"{folder} has no {RECIPE_FILE}; needs a store as `fewclicks propose` writes it."
        )
    return Recipe.from_json(read_text(path), path)


def _shown(one: Any, other: Any) -> tuple[str, str]:
    """Of two settings, what differs."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = sorted(key for key in {*one, *other} if one.get(key) != other.get(key))
        return tuple(  # type: ignore[return-value]
            ", ".join(f"{key}={side.get(key)}" for key in keys) for side in (one, other)
        )
    return f"'{one}'", f"'{other}'"
