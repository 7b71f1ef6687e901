"""References: finished objects that show what a label means, in every picture of the folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from fewclicks.arrays import RgbImage
from fewclicks.errors import FewclicksError, InputError
from fewclicks.images.masks import decode_rle
from fewclicks.methods.guidance import Reference
from fewclicks.methods.memo import Memo
from fewclicks.web.actions import (
    LabelAction,
    Mask,
    ReferenceAction,
    StepAction,
    UnreferenceAction,
    read_action,
)

_READ: Final = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelReference:
    """What a label's reference is.

    Parameters
    ----------
    id
        Of the action that chose it; another choice has another.
    label
        Whose it is.
    picture, object, negative
        Where the masks come from.
    positive_mask, negative_mask
        As they were when it was chosen: the object may have changed since.
    """

    id: int
    label: str
    picture: int
    object: int
    negative: int | None
    positive_mask: Mask
    negative_mask: Mask | None


def lay_references(actions: Iterable[tuple[int, LabelAction]]) -> dict[str, LabelReference]:
    """Say which reference each label has, after actions of all pictures, the oldest first.

    Parameters
    ----------
    actions
        Each with its row's number.
    """
    standing: dict[str, LabelReference] = {}
    for id_, action in actions:
        if not isinstance(action, ReferenceAction):
            standing.pop(action.label, None)
        elif action.positive_mask is not None:
            standing[action.label] = LabelReference(
                id=id_,
                label=action.label,
                picture=action.picture,
                object=action.object,
                negative=action.negative,
                positive_mask=action.positive_mask,
                negative_mask=action.negative_mask,
            )
    return standing


@lru_cache(maxsize=256)
def read_label_action(text: str) -> LabelAction:
    """Read an action that the store kept; with masks in it, and asked for at each click."""
    action = read_action(text)
    assert isinstance(action, ReferenceAction | UnreferenceAction)
    return action


def labels_of(prompts: Iterable[StepAction]) -> list[str]:
    """List the labels that prompts aim at, each once, the newest last."""
    aimed = [getattr(prompt, "label", None) for prompt in prompts]
    newest_first = dict.fromkeys(label for label in reversed(aimed) if label is not None)
    return list(newest_first)[::-1]


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Guides:
    """References as a session takes them.

    Parameters
    ----------
    by_label
        Those that can be used.
    ids
        Of the choices behind them; guides with the same are the same.
    """

    by_label: Mapping[str, Sequence[Reference]]
    ids: tuple[int, ...]


NO_GUIDES: Final = Guides(by_label={}, ids=())


class ReferenceReader:
    """Reads the pictures of references, the ones used last only once; threads may share it.

    Parameters
    ----------
    read
        Gives a picture's pixels by its number, or complains.
    """

    def __init__(self, read: Callable[[int], RgbImage]) -> None:
        self._read = read
        self._known: Memo[LabelReference, Reference] = Memo(_READ)
        self._problems: dict[int, str] = {}

    def guides(
        self, prompts: Iterable[StepAction], references: Mapping[str, LabelReference]
    ) -> Guides:
        """Read what guides some prompts; a reference that cannot be read guides none."""
        chosen = [references[label] for label in labels_of(prompts) if label in references]
        found = {}
        for one in chosen:
            try:
                found[one] = self._known.get(one, self._show)
                self._problems.pop(one.id, None)
            except FewclicksError as error:
                self._problems[one.id] = str(error)
        return Guides(
            by_label={one.label: [reference] for one, reference in found.items()},
            ids=tuple(sorted(one.id for one in found)),
        )

    def problem(self, reference: LabelReference) -> str | None:
        """Say why a reference could not be read; None if it was, or nobody tried."""
        return self._problems.get(reference.id)

    def _show(self, chosen: LabelReference) -> Reference:
        image = self._read(chosen.picture)
        masks = [chosen.positive_mask, chosen.negative_mask]
        if any(mask is not None and mask.size != image.shape[:2] for mask in masks):
            raise InputError("Its picture has another size than when it was chosen.")
        positive, negative = (None if mask is None else decode_rle(mask.rle) for mask in masks)
        return Reference(image=image, positive=positive, negative=negative)
