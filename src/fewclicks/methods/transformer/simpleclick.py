"""SimpleClick: a plain vision transformer that sees clicks, as published.

The clicks are drawn as disks, embedded in patches, and added to those of the picture; the previous
answer goes in with them. MIS trains the same network without labels.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from fewclicks.arrays import FloatMap, RgbImage
from fewclicks.backbones.device import check_device, check_installed
from fewclicks.clicks import Click, check_clicks, positives
from fewclicks.errors import InputError, WeightsError
from fewclicks.images.boxes import Box
from fewclicks.methods.base import Prediction, Prepared, check_image, exclude
from fewclicks.methods.guidance import Guidance
from fewclicks.methods.memo import Memo
from fewclicks.methods.transformer.exported import ExportedNetwork, find_exported
from fewclicks.methods.transformer.weights_file import find_file
from fewclicks.methods.transformer.zoom_in import ZoomIn, overlap

if TYPE_CHECKING:
    from fewclicks.methods.transformer.click_network import ClickNetwork
    from fewclicks.methods.transformer.inference import NetworkInference
    from fewclicks.methods.transformer.onnx_inference import OnnxInference

_PARTS_KEPT: Final = 4  # a part of the base network takes 2.4 MB, twice that with its mirror


@dataclass(frozen=True, kw_only=True, slots=True)
class SimpleClickConfig:
    """Which network, and how it looks at a picture.

    Parameters
    ----------
    weights
        Trained ones: a ``.safetensors`` file, a folder, a hub id, or the folder of an exported
        network, which onnxruntime runs. There are none to begin with; the file says how large
        its network is.
    side
        Of the square that the network sees, in pixels; its own, 448 as published, if 0. The
        paper measures DAVIS at 672.
    zoom
        Whether to look closer at the object, see `ZoomIn`; else at the whole picture always.
    expansion, least_side, keep
        Of `ZoomIn`.
    second_look
        Whether the first answer, found in the whole picture, is sought again closer up if its
        part is less than half of the picture.
    flip
        Whether to average with the mirrored picture; twice the time.
    threshold
        In [0, 1), of the probability; MIS takes 0.5.
    device, precision
        ``"auto"``, or ``"cpu"``, ``"cuda"``, ``"mps"``; ``"fp32"``, ``"fp16"``, ``"bf16"``.
    threads
        Of an exported network; those of ``OMP_NUM_THREADS``, else one for each core, if 0.
    """

    weights: str = ""
    side: int = 0
    zoom: bool = True
    expansion: float = 1.4
    least_side: int = 200
    keep: float = 0.5
    second_look: bool = True
    flip: bool = True
    threshold: float = 0.49
    device: str = "auto"
    precision: str = "auto"
    threads: int = 0

    def __post_init__(self) -> None:
        if self.side < 0:
            raise InputError(f"side is {self.side}; needs a number of pixels, or 0.")
        if self.threads < 0:
            raise InputError(f"threads is {self.threads}; needs a number of threads, or 0.")
        if not 0 <= self.threshold < 1:
            raise InputError(f"threshold is {self.threshold}; needs a number in [0, 1).")
        check_device(self.device, self.precision)
        self.closer()

    def closer(self) -> ZoomIn:
        """Give the rule of looking closer."""
        return ZoomIn(expansion=self.expansion, least_side=self.least_side, keep=self.keep)


@dataclass(frozen=True, kw_only=True)
class EmbeddedPicture(Prepared):
    """A picture, and the parts of it that have been embedded.

    Parameters
    ----------
    embedded
        Tokens of parts, kept from click to click.
    """

    embedded: Memo[Box, Any] = field(default_factory=lambda: Memo(_PARTS_KEPT), compare=False)


@dataclass(frozen=True, slots=True)
class _Looked:
    """What travels with an answer: where it was looked for."""

    part: Box


class SimpleClick:
    """A trained click network.

    Parameters
    ----------
    config
        Must name the weights.

    Raises
    ------
    WeightsError
        If no weights are named, or they are not on this machine; nothing heavy has been imported
        by then.
    MissingExtraError
        If torch or transformers is not installed.

    Notes
    -----
    The first picture loads the network; several threads may then share it. Guidance enters before
    the first block, so that all blocks, windows too, mix it with the picture: of the network, only
    the patches' embedding is kept from click to click. Clicked pixels always have their click's
    class; the network itself may differ there.

    References
    ----------
    .. [1] Liu et al., "SimpleClick: Interactive Image Segmentation with Simple Vision
       Transformers", ICCV 2023 (arXiv:2210.11006).
    """

    config_type: ClassVar = SimpleClickConfig
    name: ClassVar[str] = "simpleclick"
    picture_type: ClassVar[type[EmbeddedPicture]] = EmbeddedPicture
    runs_exported: ClassVar[bool] = True

    def __init__(self, config: SimpleClickConfig | None = None) -> None:
        self.config: SimpleClickConfig = config or self.config_type()
        if not self.config.weights:
            raise WeightsError(
                f"Method '{self.name}' comes without weights; name trained ones with --set "
                "weights=FILE.safetensors, a folder or owner/name (in Python: weights=...)."
            )
        self._exported = self._find_exported()
        if self._exported is None:
            check_installed(f"Method '{self.name}'")
            self._file = find_file(self.config.weights)
        self._closer = self.config.closer()
        self._inference: NetworkInference | OnnxInference | None = None
        self._loading = threading.Lock()

    @property
    def weight_files(self) -> tuple[Path, ...]:
        """What the network is read from."""
        return (self._file,) if self._exported is None else self._exported.files

    def prepare(self, image: RgbImage) -> EmbeddedPicture:
        """Embed the whole picture.

        Raises
        ------
        InputError
            If the image is none, or the device is not there.
        WeightsError
            If the file holds no such network.
        """
        check_image(image)
        prepared = self.picture_type(image=image)
        self._embed(prepared, _whole(image))
        return prepared

    def condition(self, prepared: EmbeddedPicture, guidance: Guidance) -> EmbeddedPicture:
        """Keep excluded pixels off the object."""
        return exclude(prepared, guidance)

    def predict(
        self, prepared: EmbeddedPicture, clicks: Sequence[Click], previous: Prediction | None = None
    ) -> Prediction:
        """Run the network on the part around the previous answer.

        Without a positive click or a previous answer, nothing is on the object.

        Raises
        ------
        InputError
            For a click outside the picture.
        """
        check_clicks(clicks, height=prepared.height, width=prepared.width)
        if previous is None:
            previous = Prediction(
                probability=np.zeros(prepared.image.shape[:2], dtype=np.float32),
                threshold=self.config.threshold,
            )
        if not self._is_asked(prepared, clicks, previous):
            return self._answered(prepared, clicks, np.zeros_like(previous.probability), None)
        kept = previous.state.part if isinstance(previous.state, _Looked) else None
        part = self._choose(prepared, previous, clicks, kept)
        probability = self._look(prepared, part, clicks, previous.probability)
        if self.config.second_look and kept is None and not previous.mask.any():
            first = Prediction(probability=probability, threshold=self.config.threshold)
            closer = self._choose(prepared, first, clicks, kept=None)
            if overlap(closer, part) < self.config.keep:
                part = closer
                probability = self._look(prepared, part, clicks, previous.probability)
        return self._answered(prepared, clicks, probability, part)

    def _is_asked(
        self, _prepared: EmbeddedPicture, clicks: Sequence[Click], previous: Prediction
    ) -> bool:
        """Whether anything says what the object is; else nothing is on it."""
        return bool(positives(clicks)) or bool(previous.mask.any())

    def _choose(
        self,
        prepared: EmbeddedPicture,
        answer: Prediction,
        clicks: Sequence[Click],
        kept: Box | None,
    ) -> Box:
        if not self.config.zoom:
            return _whole(prepared.image)
        return self._closer.choose(answer.mask, clicks, kept=kept)

    def _look(
        self, prepared: EmbeddedPicture, part: Box, clicks: Sequence[Click], before: FloatMap
    ) -> FloatMap:
        return self._loaded().answer(self._embed(prepared, part), part, clicks, before)

    def _embed(self, prepared: EmbeddedPicture, part: Box) -> Any:
        network = self._loaded()
        return prepared.embedded.get(part, lambda box: network.embed(prepared.image, box))

    def _answered(
        self,
        prepared: EmbeddedPicture,
        clicks: Sequence[Click],
        probability: FloatMap,
        part: Box | None,
    ) -> Prediction:
        for click in clicks:
            probability[click.y, click.x] = click.is_positive
        if prepared.excluded is not None:
            probability[prepared.excluded] = 0
        return Prediction(
            probability=probability,
            threshold=self.config.threshold,
            state=None if part is None else _Looked(part),
        )

    def export_onnx(self, folder: Path) -> ExportedNetwork:
        """Write the network as ONNX, for the side that is set; see `exported`.

        Raises
        ------
        InputError
            If the network cannot be exported, or is exported already.
        MissingExtraError
            If onnx is not installed.
        StorageError
            If the folder cannot be written.
        """
        if self._exported is not None:
            raise InputError(
                f"{self.config.weights} is exported already; name the .safetensors file."
            )
        from fewclicks.methods.transformer.onnx_export import export_network

        return export_network(self._read(), folder, side=self.config.side)

    def _loaded(self) -> NetworkInference | OnnxInference:
        with self._loading:
            if self._inference is None:
                self._inference = self._load()
            return self._inference

    def _load(self) -> NetworkInference | OnnxInference:
        if self._exported is not None:
            from fewclicks.methods.transformer.onnx_inference import OnnxInference

            return OnnxInference(self._exported, **self._looks(), threads=self.config.threads)
        from fewclicks.methods.transformer.inference import NetworkInference

        return NetworkInference(self._read(), **self._looks())

    def _read(self) -> ClickNetwork:
        """Read the network, which has the method's name."""
        from fewclicks.methods.transformer.click_network import find_network
        from fewclicks.methods.transformer.network_files import load_network

        return load_network(self._file, find_network(self.name))

    def _find_exported(self) -> ExportedNetwork | None:
        exported = find_exported(self.config.weights)
        if exported is not None and not (self.runs_exported and exported.family == self.name):
            needed = "its own exported" if self.runs_exported else "a .safetensors file of its"
            raise WeightsError(
                f"{exported.folder} holds an exported network of {exported.family}; "
                f"'{self.name}' needs {needed} network."
            )
        return exported

    def _looks(self) -> dict[str, Any]:
        """Say how the network is run."""
        config = self.config
        return {key: getattr(config, key) for key in ("side", "flip", "device", "precision")}


def _whole(image: RgbImage) -> Box:
    height, width = image.shape[:2]
    return Box(0, 0, width, height)
