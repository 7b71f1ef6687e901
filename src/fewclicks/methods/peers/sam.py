"""SAM, SAM 2 and SAM-HQ: Segment Anything's networks as methods, clicked as their authors do.

The picture goes through the network once; a click is the prompt encoder and the mask decoder.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fewclicks.arrays import BoolMask, RgbImage
from fewclicks.backbones.device import check_device, check_installed
from fewclicks.backbones.weights import locate
from fewclicks.clicks import Click, check_clicks, positives
from fewclicks.errors import WeightsError
from fewclicks.images.boxes import Box
from fewclicks.methods.base import Prediction, Prepared, check_image
from fewclicks.methods.guidance import Guidance

if TYPE_CHECKING:
    from fewclicks.methods.peers.sam_network import SamNetwork

_THRESHOLD = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class SAMConfig:
    """Which network, and how it is asked.

    Parameters
    ----------
    weights
        A name of ``fewclicks weights list``, a hub id, or a folder as ``save_pretrained`` writes
        it.
    several
        Whether a lone first click, which may mean a part or a whole, is answered with three masks,
        of which the one is taken that the network rates highest.
    carry
        Whether the logits of the previous answer go in with the next click.
    device, precision
        ``"auto"``, or ``"cpu"``, ``"cuda"``, ``"mps"``; ``"fp32"``, ``"fp16"``, ``"bf16"``.
    """

    weights: str = "sam-vit-base"
    several: bool = True
    carry: bool = True
    device: str = "auto"
    precision: str = "auto"

    def __post_init__(self) -> None:
        check_device(self.device, self.precision)


@dataclass(frozen=True, kw_only=True, slots=True)
class SAM2Config(SAMConfig):
    """As `SAMConfig`, with weights of SAM 2."""

    weights: str = "sam2.1-hiera-tiny"


@dataclass(frozen=True, kw_only=True, slots=True)
class SAMHQConfig(SAMConfig):
    """As `SAMConfig`, with weights of SAM-HQ."""

    weights: str = "sam-hq-vit-base"


@dataclass(frozen=True, kw_only=True, eq=False)
class EncodedPicture(Prepared):
    """A picture and what the network sees in it.

    Parameters
    ----------
    seen
        The image encoder's answer.
    box
        Where the object lies, if everything outside one rectangle is excluded.
    """

    seen: Any
    box: Box | None = None


@dataclass(frozen=True, slots=True, eq=False)
class LowResolution:
    """What travels with an answer: the decoder's own logits, which it wants back.

    Parameters
    ----------
    logits : (side / 4, side / 4) float32
    """

    logits: NDArray[np.float32]


class SAM:
    """Segment Anything.

    Parameters
    ----------
    config
        Names the weights; SAM's smallest if left out.

    Raises
    ------
    WeightsError
        If the weights are not on this machine; nothing heavy has been imported by then.
    MissingExtraError
        If torch or transformers is not installed.

    Notes
    -----
    The first picture loads the network; several threads may then share it. All clicks go in each
    time, in the order they were made. A person's own mask enters as logits of 10 on it and -10 off
    it. Clicked pixels always have their click's class; the network itself may differ there.

    References
    ----------
    .. [1] Kirillov et al., "Segment Anything", ICCV 2023 (arXiv:2304.02643).
    """

    config_type: ClassVar[type[SAMConfig]] = SAMConfig
    name: ClassVar[str] = "sam"

    def __init__(self, config: SAMConfig | None = None) -> None:
        self.config = config or self.config_type()
        if not self.config.weights:
            raise WeightsError(
                f"Method '{self.name}' got no weights; name some with --set weights="
                f"{self.config_type().weights}, a folder or owner/name."
            )
        check_installed(f"Method '{self.name}'")
        self._folder = locate(self.config.weights)
        self._network: SamNetwork | None = None
        self._loading = threading.Lock()

    def prepare(self, image: RgbImage) -> EncodedPicture:
        """Run the image encoder.

        Raises
        ------
        InputError
            If the image is none, or the device is not there.
        WeightsError
            If the folder holds another network.
        """
        check_image(image)
        return EncodedPicture(image=image, seen=self._loaded().see(image))

    def condition(self, prepared: EncodedPicture, guidance: Guidance) -> EncodedPicture:
        """Keep excluded pixels off the object; what they leave is the box, if it is one."""
        guidance.check(prepared.shape)
        return replace(prepared, excluded=guidance.excluded, box=_left_box(guidance.excluded))

    def predict(
        self, prepared: EncodedPicture, clicks: Sequence[Click], previous: Prediction | None = None
    ) -> Prediction:
        """Run prompt encoder and mask decoder.

        Without a positive click or a previous answer, nothing is on the object.

        Raises
        ------
        InputError
            For a click outside the picture.
        """
        check_clicks(clicks, height=prepared.height, width=prepared.width)
        if not positives(clicks) and (previous is None or not previous.mask.any()):
            nothing = np.zeros(prepared.shape, dtype=np.float32)
            return Prediction(probability=nothing, threshold=_THRESHOLD)
        network = self._loaded()
        before = None if previous is None else self._before(network, previous)
        is_first = len(clicks) == 1 and before is None and prepared.box is None
        answer, low = network.answer(
            prepared.seen,
            prepared.shape,
            clicks,
            box=prepared.box,
            before=before,
            several=self.config.several and is_first,
        )
        for click in clicks:
            answer[click.y, click.x] = click.is_positive
        if prepared.excluded is not None:
            answer[prepared.excluded] = 0
        low.flags.writeable = False
        return Prediction(probability=answer, threshold=_THRESHOLD, state=LowResolution(low))

    def _before(self, network: SamNetwork, previous: Prediction) -> NDArray[np.float32] | None:
        """Give the previous answer as the decoder wants it, if it wants it."""
        if isinstance(previous.state, LowResolution):
            fits = previous.state.logits.shape == network.low_shape
            return previous.state.logits if fits and self.config.carry else None
        return network.low_logits(previous.mask) if previous.mask.any() else None

    def _loaded(self) -> SamNetwork:
        with self._loading:
            if self._network is None:
                from fewclicks.methods.peers.sam_network import load

                self._network = load(
                    self.name,
                    self._folder,
                    device=self.config.device,
                    precision=self.config.precision,
                )
            return self._network


class SAM2(SAM):
    """Segment Anything 2, on single pictures.

    Parameters
    ----------
    config
        Names the weights; SAM 2.1's smallest if left out.

    References
    ----------
    .. [1] Ravi et al., "SAM 2: Segment Anything in Images and Videos", 2024 (arXiv:2408.00714).
    """

    config_type: ClassVar = SAM2Config
    name: ClassVar[str] = "sam2"


class SAMHQ(SAM):
    """Segment Anything in High Quality: SAM, frozen, with one more output token.

    Parameters
    ----------
    config
        Names the weights; the smallest if left out.

    Notes
    -----
    As its authors run it: the mask is the sum of SAM's logits and of those of the new token.

    References
    ----------
    .. [1] Ke et al., "Segment Anything in High Quality", NeurIPS 2023 (arXiv:2306.01567).
    """

    config_type: ClassVar = SAMHQConfig
    name: ClassVar[str] = "sam_hq"


def _left_box(excluded: BoolMask | None) -> Box | None:
    """Give the rectangle that excluded pixels leave, if they leave one and not all."""
    if excluded is None or not excluded.any() or excluded.all():
        return None
    box = Box.around(~excluded)
    return None if box.crop(excluded).any() else box
