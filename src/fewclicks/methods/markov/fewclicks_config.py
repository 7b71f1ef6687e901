"""What fewclicks weighs, and how much."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from fewclicks.errors import InputError

_LEAST: Final = (
    ("regions", 1),
    ("longest_side", 8),
    ("radius", 0),
    ("levels", 0),
    ("zoom_regions", 1),
    ("zoom_side", 8),
)
_WEIGHTS: Final = (
    "shape", "colour", "local_colour", "strength", "steadiness", "bulge", "zoom",
    "reference_likeness", "reference_place", "exemplar_likeness", "exemplar_zoom",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class FewclicksConfig:
    """What the method weighs, and how much.

    Parameters
    ----------
    regions
        About so many superpixels.
    longest_side
        In pixels; larger pictures are worked on at this size and the answer is enlarged.
    radius
        In pixels of the disk around a click that surely has the click's class.
    certainty
        Log odds at which the network's opinion of a region is cut off.
    shape
        Weight of what the shape network says of the picture around the answer; 0 does not ask it.
    colour
        Weight of the whole picture's colour model against the network's opinion.
    local_colour
        Weight of the colour models of each place against it.
    strength
        Weight of the contrast against both; higher is smoother.
    steadiness
        Log odds that the previous mask adds where the newest click is far; 0 forgets it there.
    bulge
        Radius of the thickest part that the newest click may turn to its class, over its distance
        from the outline that it corrects; 0 lets everything turn.
    one_way
        Whether a click on the object only adds to it, and one off it only takes away.
    bins
        Of the colour model, along each axis of Lab.
    levels
        How often the picture is halved for the min cut.
    cut
        Whether a min cut draws the outline; without it, each pixel decides for itself.
    zoom
        Margin around a small object when it is looked at more closely, as a share of its size; 0
        always looks at the whole picture.
    zoom_regions, zoom_side
        ``regions`` and ``longest_side`` of the closer look.
    reference_likeness
        Weight of what looks like the marked parts of references; 0 takes no notice.
    reference_place
        Weight of what lies about the first positive click as they do, shared by all clicks; 0
        takes no notice.
    exemplar_likeness
        Weight of what looks like an exemplar where its kind is proposed; 0 proposes nothing.
    exemplar_doubt
        Log odds that are taken off it; higher proposes less.
    exemplar_zoom
        Margin around one object of the exemplar's kind where a click corrects it, as a share of
        its size; 0 looks at the whole picture.
    """

    regions: int = 1000
    longest_side: int = 1024
    radius: int = 3
    certainty: float = 4.0
    shape: float = 0.75
    colour: float = 0.4
    local_colour: float = 0.8
    strength: float = 20.0
    steadiness: float = 0.5
    bulge: float = 0.0
    one_way: bool = False
    bins: int = 32
    levels: int = 1
    cut: bool = True
    zoom: float = 0.0
    zoom_regions: int = 1000
    zoom_side: int = 640
    reference_likeness: float = 0.5
    reference_place: float = 0.5
    exemplar_likeness: float = 1.0
    exemplar_doubt: float = 2.0
    exemplar_zoom: float = 0.4

    def __post_init__(self) -> None:
        for name, least in _LEAST:
            if getattr(self, name) < least:
                raise InputError(f"{name} is {getattr(self, name)}; needs at least {least}.")
        if not self.certainty > 0:
            raise InputError(f"certainty is {self.certainty}; needs a number above 0.")
        if not 1 <= self.bins <= 40:
            raise InputError(f"bins is {self.bins}; needs a number from 1 to 40.")
        if not math.isfinite(self.exemplar_doubt):
            raise InputError(f"exemplar_doubt is {self.exemplar_doubt}; needs a finite number.")
        for name in _WEIGHTS:
            if not getattr(self, name) >= 0:
                raise InputError(f"{name} is {getattr(self, name)}; needs a number from 0 on.")
