"""Plan of a training: network, targets, clicks, losses, steps; checked when it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

from fewclicks.errors import InputError
from fewclicks.training.augmentation import Augmentation
from fewclicks.training.click_sampling import ClickSampling
from fewclicks.training.losses import Neighbourhood
from fewclicks.training.next_clicks import NextClicks
from fewclicks.training.schedules import Schedule
from fewclicks.training.targets import TargetSettings

PLAIN: Final = "simpleclick"
"""The family that needs no name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NetworkChoice:
    """Which network learns, and what it knows before.

    Parameters
    ----------
    family
        ``"simpleclick"``, ``"refcut"``, ``"icmformer"`` or ``"icmformer_pp"``; its file is for the
        method of that name.
    start
        Folder or hub id of a vision transformer (MAE, DINO, any ViT); None begins from nothing.
    crop_start
        Folder or hub id of the residual network that looks at crops of an exemplar; None begins
        it from nothing.
    weights
        A trained network to go on from, whose shape it has, of the family or of one that it can
        begin as; None begins anew.
    shape
        Fields of the family's configuration; with `weights` there are none.
    """

    family: str = PLAIN
    start: str | None = None
    crop_start: str | None = None
    weights: str | None = None
    shape: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.weights is not None and (self.start or self.crop_start or self.shape):
            raise InputError(
                "The network has weights, which bring their shape and their start; leave the "
                "others out, or the weights."
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class LossSettings:
    """What the answer is blamed for.

    Parameters
    ----------
    kind
        ``"cross_entropy"`` (MIS) or ``"focal"`` (normalised; where masks are right).
    focal_alpha, focal_gamma
        Of the focal loss.
    smoothness
        Weight lambda of the smoothness; 0 leaves it out.
    smooth_logits
        Whether logits are smoothed and not probabilities, as the authors' code does.
    window, dilation
        Neighbourhood of the smoothness: 5 and 1 in the paper, 3 and 2 in its code.
    """

    kind: Literal["cross_entropy", "focal"] = "cross_entropy"
    focal_alpha: float = 0.5
    focal_gamma: float = 2.0
    smoothness: float = 10.0
    smooth_logits: bool = False
    window: int = 5
    dilation: int = 1

    def __post_init__(self) -> None:
        if self.kind not in ("cross_entropy", "focal"):
            raise InputError(f"kind is '{self.kind}'; needs cross_entropy or focal.")
        if not self.smoothness >= 0:
            raise InputError(f"smoothness is {self.smoothness}; needs 0 or more.")
        self.neighbourhood()

    def neighbourhood(self) -> Neighbourhood:
        """Which pixels should agree."""
        return Neighbourhood(size=self.window, dilation=self.dilation)


@dataclass(frozen=True, kw_only=True, slots=True)
class Optimiser:
    """How weights follow their gradients.

    Parameters
    ----------
    name
        ``"adam"`` or ``"adamw"``.
    beta1, beta2, weight_decay
        As torch has them.
    clip
        Longest gradient, all weights together; 0 for any.
    average
        Share that stays in the running average of the weights, which is then what is measured and
        kept; 0 for none.
    start_share
        Rate of the weights that have learnt before, as a share of the schedule's, in (0, 1]: of
        the transformer that begins as ``network.start``, of the network for crops that begins as
        ``crop_start``, and of both where ``network.weights`` brings them. 1 as published.
    """

    name: Literal["adam", "adamw"] = "adam"
    beta1: float = 0.9
    beta2: float = 0.999
    weight_decay: float = 0.0
    clip: float = 0.0
    average: float = 0.0
    start_share: float = 1.0

    def __post_init__(self) -> None:
        if self.name not in ("adam", "adamw"):
            raise InputError(f"name is '{self.name}'; needs adam or adamw.")
        for name in ("beta1", "beta2", "average"):
            if not 0 <= getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}; needs 0 up to 1.")
        for name in ("weight_decay", "clip"):
            if not getattr(self, name) >= 0:
                raise InputError(f"{name} is {getattr(self, name)}; needs 0 or more.")
        if not 0 < self.start_share <= 1:
            raise InputError(
                f"start_share is {self.start_share}; needs a number above 0, at most 1."
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Running:
    """How long, in what portions, in which numbers.

    Parameters
    ----------
    epochs
        Rounds through the pictures; 0 where `steps` says how long.
    steps
        Updates of the weights; 0 where `epochs` does.
    batch
        Targets for one update, over all processes.
    portion
        Targets that a process answers at once; it adds up gradients until its share of the batch
        is done. 0 for all at once.
    least_pixels
        Targets with fewer pixels in their crop are drawn again.
    precision
        ``"fp32"``, or ``"bf16"`` where that is exact enough, as torch's autocast has it.
    seed
        Of everything that is drawn.
    workers
        Processes that read pictures, for each process that learns; 0 reads in between.
    checkpoint_every, scalars_every, pictures_every
        In steps; 0 for never, and a checkpoint at the end in any case.
    """

    epochs: int = 0
    steps: int = 0
    batch: int = 32
    portion: int = 0
    least_pixels: int = 80
    precision: Literal["fp32", "bf16"] = "fp32"
    seed: int = 0
    workers: int = 0
    checkpoint_every: int = 500
    scalars_every: int = 20
    pictures_every: int = 500

    def __post_init__(self) -> None:
        if (self.epochs > 0) == (self.steps > 0):
            raise InputError(
                f"run has {self.epochs} epochs and {self.steps} steps; needs one of the two."
            )
        if self.batch < 1 or self.least_pixels < 1:
            raise InputError(
                f"run has batch {self.batch} and least_pixels {self.least_pixels}; both need 1 "
                "or more."
            )
        if self.precision not in PRECISIONS:
            raise InputError(
                f"precision is '{self.precision}'; needs one of {', '.join(PRECISIONS)}."
            )
        for name in ("portion", "seed", "workers", "checkpoint_every", "scalars_every"):
            if getattr(self, name) < 0:
                raise InputError(f"{name} is {getattr(self, name)}; needs 0 or more.")

    def portions(self, processes: int) -> tuple[int, int]:
        """Give how many targets a process answers at once, and how often for one step.

        Raises
        ------
        InputError
            If the batch cannot be shared out evenly.
        """
        mine, rest = divmod(self.batch, processes)
        at_once = self.portion or mine
        if rest or mine % at_once:
            raise InputError(
                f"A batch of {self.batch} in portions of {self.portion or 'all'} does not divide "
                f"evenly over {processes} processes; choose run.batch as a multiple of both."
            )
        return at_once, mine // at_once


@dataclass(frozen=True, kw_only=True, slots=True)
class Measuring:
    """What the network is measured on in between, by NoC; never reporting data.

    Parameters
    ----------
    dataset
        None measures nothing.
    subset, limit, max_clicks
        As for ``fewclicks evaluate``.
    settings
        Of the method that the network is for, but its weights.
    every
        In steps; 0 for the end only.
    """

    dataset: str | None = None
    subset: str | None = None
    limit: int | None = None
    max_clicks: int = 20
    settings: Mapping[str, Any] = field(default_factory=dict)
    every: int = 0


PRECISIONS: Final[Mapping[str, Any]] = {"fp32": "32-true", "bf16": "bf16-mixed"}
"""As Lightning Fabric calls them."""

_CHANGES_NOTHING: Final = frozenset(
    {"portion", "workers", "checkpoint_every", "scalars_every", "pictures_every"}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingPlan:
    """One training.

    Parameters
    ----------
    title
        What is trained.
    targets
        By any name; together they give each target with a chance like its share.
    published
        By data set, what a paper prints for a network trained so: ``noc85`` is NoC@85.
    """

    title: str
    network: NetworkChoice
    targets: Mapping[str, TargetSettings]
    clicks: ClickSampling = field(default_factory=ClickSampling)
    next_clicks: NextClicks = field(default_factory=NextClicks)
    augmentation: Augmentation = field(default_factory=Augmentation)
    loss: LossSettings = field(default_factory=LossSettings)
    optimiser: Optimiser = field(default_factory=Optimiser)
    schedule: Schedule
    run: Running
    evaluation: Measuring = field(default_factory=Measuring)
    published: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.targets:
            raise InputError("There are no targets; needs at least one table [targets.NAME].")
        begun = (self.network.start, self.network.crop_start, self.network.weights)
        if self.optimiser.start_share != 1 and begun == (None, None, None):
            raise InputError(
                f"start_share is {self.optimiser.start_share:g}, but nothing in the network has "
                "learnt before; name network.start, or leave it out."
            )

    def describe(self) -> dict[str, Any]:
        """Say what decides the weights; two plans that agree here train the same network."""
        said = {
            key: asdict(getattr(self, key))
            for key in (
                "network", "clicks", "next_clicks", "augmentation", "loss", "optimiser", "schedule"
            )
        }  # fmt: skip
        for name, plain in (("family", PLAIN), ("crop_start", None)):
            # Trainings that were begun before there was a choice are still the same.
            if said["network"][name] == plain:
                del said["network"][name]
        if self.optimiser.start_share == 1:
            del said["optimiser"]["start_share"]
        said["targets"] = {
            name: {"kind": each.kind, **asdict(each)} for name, each in self.targets.items()
        }
        said["run"] = {
            key: value for key, value in asdict(self.run).items() if key not in _CHANGES_NOTHING
        }
        return said
