"""Target: what is to be segmented, and what stands before the first click on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal, Protocol, TypeAlias, get_args

from fewclicks.arrays import BoolMask, FloatMap, RgbImage
from fewclicks.clicks import Click
from fewclicks.datasets.base import Sample
from fewclicks.evaluation.clicker import SimulatedUser
from fewclicks.methods.base import AnyMethod, Prepared
from fewclicks.methods.guidance import Guidance
from fewclicks.session.session import Session

Combination: TypeAlias = Literal["single", "pair", "whole"]
"""How many parts of an object a target unites."""

ProtocolName: TypeAlias = Literal["noc", "combination", "collective", "additional"]
PROTOCOLS: Final[tuple[ProtocolName, ...]] = get_args(ProtocolName)


@dataclass(frozen=True, kw_only=True, slots=True)
class Opening:
    """Who clicks on what, before anything is clicked.

    Parameters
    ----------
    method
        What answers.
    prepared
        The picture, with its depth if there is one.
    user
        Who clicks.
    max_clicks
        At most, for one target.
    """

    method: AnyMethod
    prepared: Prepared
    user: SimulatedUser
    max_clicks: int

    @classmethod
    def prepare(
        cls,
        method: AnyMethod,
        image: RgbImage,
        user: SimulatedUser,
        *,
        max_clicks: int,
        depth: FloatMap | None = None,
    ) -> Opening:
        """Prepare a picture, (H, W, 3), with its measured depth, (H, W), if there is one."""
        prepared = method.prepare(image)
        if depth is not None:
            prepared = method.condition(prepared, Guidance(depth=depth))
        return cls(method=method, prepared=prepared, user=user, max_clicks=max_clicks)

    def session(
        self, guidance: Guidance | None = None, *, initial_mask: BoolMask | None = None
    ) -> Session:
        """Sit down to the picture, guided or not."""
        prepared = self.prepared if guidance is None else self.guided(guidance)
        return Session(self.method, prepared, initial_mask=initial_mask)

    def guided(self, guidance: Guidance) -> Prepared:
        """Condition the picture; the depth it has stays."""
        known = replace(guidance, depth=self.prepared.depth)
        prepared: Prepared = self.method.condition(self.prepared, known)
        return prepared


@dataclass(frozen=True, kw_only=True, slots=True)
class Beginning:
    """Where the clicks on a target begin.

    Parameters
    ----------
    session
        Without a click of its own; what it shows is corrected by them.
    clicks, ious
        That were needed to come here and count: an exemplar's. IoUs are with the whole target.
    click_seconds
        Of these clicks.
    """

    session: Session
    clicks: tuple[Click, ...] = ()
    ious: tuple[float, ...] = ()
    click_seconds: float = 0.0


def _begin_plainly(opening: Opening) -> Beginning:
    return Beginning(session=opening.session())


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """One thing to segment.

    Parameters
    ----------
    sample
        Its picture and mask; names it.
    begin
        Brings in what is known before the first click.
    combination
        Of parts; None where the data set's own objects are asked for.
    part_of
        The target that it belongs to, and is no result without: an object of a kind.
    objects
        How many objects it unites.
    """

    sample: Sample
    begin: Callable[[Opening], Beginning] = _begin_plainly
    combination: Combination | None = None
    part_of: str | None = None
    objects: int = 1


class TargetSource(Protocol):
    """What a protocol makes of a data set."""

    @property
    def pictures(self) -> tuple[str, ...]:
        """Names of the pictures, sorted."""
        ...

    def targets(self, picture: str) -> list[Target]:
        """Targets of one picture, in a fixed order, made anew on each call."""
        ...

    def skipped(self, picture: str) -> list[Combination]:
        """Give what cannot be asked for on one picture, for want of a reference."""
        ...

    def files(self, picture: str) -> list[Path]:
        """Files that the picture's targets are read from."""
        ...
