"""The simulated user: where a person would click next, by the rules the field measures with.

``ritm`` clicks the deepest point of the larger error, ``m2n2`` the deepest point of both errors
taken together, ``random`` any wrong pixel. They give different clicks, so every figure names its
rule.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

import cv2
import numpy as np

from fewclicks.arrays import BoolMask
from fewclicks.clicks import Click
from fewclicks.errors import InputError, ShapeError, UnknownEntryError
from fewclicks.evaluation.error_distance import error_distance

Rule: TypeAlias = Literal["ritm", "m2n2", "random"]
RULES: Final[tuple[Rule, ...]] = get_args(Rule)


@dataclass(frozen=True, kw_only=True, slots=True)
class SimulatedUser:
    """Someone who clicks by a rule, with a steady or a trembling hand.

    Parameters
    ----------
    rule
        ``"ritm"``, ``"m2n2"`` or ``"random"``.
    jitter
        Spread in pixels of a normal offset of each click, which stays inside the region of the
        error that was clicked; 0 for a steady hand.
    seed
        Of ``random`` and of jitter. Each click's chance depends on the seed, the object and the
        click's number alone, so the order of objects does not matter.
    """

    rule: Rule = "ritm"
    jitter: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise UnknownEntryError("click rule", self.rule, RULES)
        if not 0 <= self.jitter < float("inf"):
            raise InputError(f"jitter is {self.jitter}; needs a number of pixels, 0 or more.")
        if self.seed < 0:
            raise InputError(f"seed is {self.seed}; needs a whole number, 0 or more.")

    @property
    def stops_at_target(self) -> bool:
        """Whether the rule lets an object go once its IoU is high enough."""
        return self.rule == "ritm"

    def next_click(
        self,
        truth: BoolMask,
        prediction: BoolMask,
        *,
        void: BoolMask | None = None,
        clicked: Sequence[Click] = (),
        object_id: str = "",
    ) -> Click | None:
        """Answer a prediction with the next click.

        Parameters
        ----------
        truth, prediction, void : (H, W)
            As in `next_click`.
        clicked
            Earlier clicks on this object.
        object_id
            Chooses this object's own chance.

        Returns
        -------
        Click or None
            None where no wrong pixel is left to click.
        """
        chance = _chance(self.seed, object_id, len(clicked))
        if self.rule == "ritm":
            click = next_click(truth, prediction, void=void, clicked=clicked)
        elif self.rule == "m2n2":
            click = next_click_m2n2(truth, prediction, void=void)
        else:
            click = random_click(truth, prediction, chance, void=void)
        if click is None or self.jitter == 0:
            return click
        missed, spilled = errors(truth, prediction, void=void)
        return jittered(click, missed if click.is_positive else spilled, self.jitter, chance)


def errors(
    truth: BoolMask, prediction: BoolMask, *, void: BoolMask | None = None
) -> tuple[BoolMask, BoolMask]:
    """Split what is wrong into missed object and spilled background; void is neither.

    Raises
    ------
    ShapeError
        If the masks differ in shape.
    """
    if prediction.shape != truth.shape:
        raise ShapeError.differs("prediction", prediction.shape, needed=truth.shape, of="truth")
    missed, spilled = truth & ~prediction, prediction & ~truth
    if void is not None:
        if void.shape != truth.shape:
            raise ShapeError.differs("void", void.shape, needed=truth.shape, of="truth")
        missed, spilled = missed & ~void, spilled & ~void
    return missed, spilled


def next_click(
    truth: BoolMask,
    prediction: BoolMask,
    *,
    void: BoolMask | None = None,
    clicked: Sequence[Click] = (),
) -> Click | None:
    """Click the deepest point of the larger error, as the NoC protocol asks.

    Parameters
    ----------
    truth : (H, W)
        True on the object.
    prediction : (H, W)
        True where the method says object; all False before the first click.
    void : (H, W), optional
        True on pixels that the data set leaves unjudged; never clicked.
    clicked
        Earlier clicks; their pixels are not clicked again.

    Returns
    -------
    Click or None
        Ties: negative over positive, then the first pixel in row-major order, so the same input
        gives the same click. None where no wrong pixel is left to click.

    Raises
    ------
    ShapeError
        If the masks differ in shape.

    References
    ----------
    .. [1] Sofiiuk et al., "Reviving Iterative Training with Mask Guidance for Interactive
       Segmentation", arXiv:2102.06583.

    Examples
    --------
    >>> truth = np.zeros((5, 7), dtype=bool)
    >>> truth[1:4, 1:6] = True
    >>> next_click(truth, np.zeros_like(truth))
    Click(x=2, y=2, is_positive=True)
    """
    missed, spilled = (error_distance(e) for e in errors(truth, prediction, void=void))
    for click in clicked:
        missed[click.y, click.x] = spilled[click.y, click.x] = 0
    is_positive = bool(missed.max() > spilled.max())
    depth = missed if is_positive else spilled
    return _click_at(int(depth.argmax()), truth, is_positive) if depth.any() else None


def next_click_m2n2(
    truth: BoolMask, prediction: BoolMask, *, void: BoolMask | None = None
) -> Click | None:
    """Click the deepest point of both errors together, as the tables of M2N2 do.

    A pixel may be clicked again. Where nothing is wrong the click is the object's centre, its
    deepest point.

    Returns
    -------
    Click or None
        Labelled by the truth at its pixel; the first maximum in row-major order. None where there
        is no object either.

    Raises
    ------
    ShapeError
        If the masks differ in shape.

    References
    ----------
    .. [1] M2N2, arXiv:2411.10411.
    """
    missed, spilled = errors(truth, prediction, void=void)
    depth = error_distance(missed | spilled)
    if not depth.any():
        depth = error_distance(truth if void is None else truth & ~void)
    place = int(depth.argmax())
    return _click_at(place, truth, bool(truth.flat[place])) if depth.any() else None


def random_click(
    truth: BoolMask,
    prediction: BoolMask,
    chance: np.random.Generator,
    *,
    void: BoolMask | None = None,
) -> Click | None:
    """Click any wrong pixel, all with equal chance; with nothing wrong, any pixel of the object.

    Raises
    ------
    ShapeError
        If the masks differ in shape.

    References
    ----------
    .. [1] M2N2V2, section 11, arXiv:2503.16254.
    """
    missed, spilled = errors(truth, prediction, void=void)
    places = np.flatnonzero(missed | spilled)
    if places.size == 0:
        places = np.flatnonzero(truth if void is None else truth & ~void)
    if places.size == 0:
        return None
    place = int(places[chance.integers(places.size)])
    return _click_at(place, truth, bool(truth.flat[place]))


def jittered(click: Click, error: BoolMask, spread: float, chance: np.random.Generator) -> Click:
    """Move a click by a normal offset that stays inside its region of the error.

    Parameters
    ----------
    click
        Where the hand aimed; stays as it is where it does not lie on the error.
    error : (H, W)
        Wrong pixels of the click's own kind; the region is what hangs together with the click
        through the 8 neighbours.
    spread
        Standard deviation in pixels, along x and along y.
    """
    if not error[click.y, click.x]:
        return click
    reach = int(np.ceil(4 * spread))
    top, left = max(0, click.y - reach), max(0, click.x - reach)
    near = error[top : click.y + reach + 1, left : click.x + reach + 1]
    labels = cv2.connectedComponents(near.astype(np.uint8), connectivity=8)[1]
    rows, columns = np.nonzero(labels == labels[click.y - top, click.x - left])
    rows, columns = rows + top, columns + left
    squared = (rows - click.y) ** 2 + (columns - click.x) ** 2
    weight = np.exp(-squared / (2.0 * spread**2))
    chosen = chance.choice(weight.size, p=weight / weight.sum())
    return Click(int(columns[chosen]), int(rows[chosen]), click.is_positive)


def _click_at(place: int, mask: BoolMask, is_positive: bool) -> Click:
    y, x = divmod(place, mask.shape[1])
    return Click(x, y, is_positive)


def _chance(seed: int, object_id: str, number: int) -> np.random.Generator:
    # Python's own hash differs from process to process.
    name = int.from_bytes(hashlib.sha256(object_id.encode()).digest()[:8], "big")
    return np.random.default_rng([seed, name, number])
