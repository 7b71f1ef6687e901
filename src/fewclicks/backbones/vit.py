"""ViT: any vision transformer in a Hugging Face folder as a backbone.

Where its tokens look is either the attention of one of its layers, as published, or how alike the
keys of one of its layers are, which is sharper, or its outputs. Patches may overlap, for a finer
grid.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

import cv2
import numpy as np

from fewclicks.arrays import FloatMatrix, RgbImage
from fewclicks.backbones.base import Attention, Features, Grid
from fewclicks.backbones.device import check_device, check_installed
from fewclicks.backbones.vit_folder import VitFolder, read_vit_folder
from fewclicks.backbones.weights import locate
from fewclicks.errors import InputError
from fewclicks.images.resizing import resize_image

if TYPE_CHECKING:
    from torch import Tensor

    from fewclicks.backbones.vit_network import VitNetwork

_KINDS: Final = ("keys", "attention", "outputs")
_BLOCK_OF_KIND: Final = {"keys": -2, "attention": -1, "outputs": -1}


@dataclass(frozen=True, kw_only=True, slots=True)
class VitConfig:
    """Which network, what of it, and how the picture is shown to it.

    Parameters
    ----------
    weights
        A folder, a hub id, or a name that ``fewclicks weights list`` shows.
    kind
        Of attention: ``"keys"`` is how alike the keys of a layer are, ``"attention"`` the softmax
        of its queries and keys, averaged over heads, ``"outputs"`` how alike its outputs are.
    block
        The layer, from 0 on or from -1 backwards; None takes the last but one for keys, else the
        last.
    centred
        Whether keys are taken without their mean over the picture.
    temperature
        Of the keys' affinity ``softmax(cos / temperature)``; lower is sharper.
    locality
        In tokens: subtracts ``distance^2 / (2 locality^2)`` from the affinity's logarithm; 0 lets
        tokens look everywhere alike.
    stride
        Of the patches, in pixels; None takes half a patch.
    longest_side
        Of the picture as the network sees it, in pixels; the aspect is kept. None shows it at its
        own size, rounded up to whole strides.
    side
        If given, the picture is stretched to a square of this side instead, in pixels.
    flip
        Whether to average with the mirrored picture; twice the time.
    device
        ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.
    precision
        ``"fp32"``, ``"fp16"``, ``"bf16"``, or ``"auto"``: fp16 on CUDA, else fp32.
    """

    weights: str = ""
    kind: str = "keys"
    block: int | None = None
    centred: bool = True
    temperature: float = 0.07
    locality: float = 0.0
    stride: int | None = None
    longest_side: int | None = 480
    side: int | None = None
    flip: bool = False
    device: str = "auto"
    precision: str = "auto"

    def __post_init__(self) -> None:
        if not self.weights:
            raise InputError("weights is empty; needs a folder or hub id of a vision transformer.")
        if self.kind not in _KINDS:
            raise InputError(f"kind is '{self.kind}'; needs one of {', '.join(_KINDS)}.")
        for name in ("stride", "longest_side", "side"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"{name} is {value}; needs at least 1 pixel.")
        if not self.temperature > 0:
            raise InputError(f"temperature is {self.temperature}; needs a number above 0.")
        if not self.locality >= 0:
            raise InputError(f"locality is {self.locality}; needs a number from 0 on.")
        check_device(self.device, self.precision)


class VitBackbone:
    """Tokens of a vision transformer, and where they look.

    Parameters
    ----------
    config
        Must name the weights.

    Raises
    ------
    InputError
        For a layer or stride that the network has not.
    WeightsError
        If the weights are not on this machine; nothing heavy has been imported by then.
    MissingExtraError
        If torch or transformers is not installed.

    Notes
    -----
    The first picture loads the network; several threads may then share it.
    """

    config_type: ClassVar = VitConfig

    def __init__(self, config: VitConfig) -> None:
        check_installed("A ViT backbone")
        self.name = config.weights
        self.config = config
        self._folder = read_vit_folder(locate(config.weights))
        self._stride = _choose_stride(config.stride, self._folder)
        self._block = _choose_block(config, self._folder)
        self._network: VitNetwork | None = None
        self._loading = threading.Lock()

    def features(self, image: RgbImage) -> Features:
        """Describe each token by its keys, or by its outputs.

        Parameters
        ----------
        image : (H, W, 3)

        Returns
        -------
        Features
            Keys of length 1. So ``|a - b|^2 = 2 - 2 cos(a, b)``, and the affinity at twice the
            temperature is that of `attention` by keys. Outputs are as the network gives them, and
            their mean square length makes up for it. With a locality, two more channels hold the
            place; with flip, each half of the channels is one look.
        """
        tokens, grid, temperature = self._tokens(image)
        return Features(tokens=tokens.cpu().numpy(), grid=grid, temperature=temperature)

    def attention(self, image: RgbImage) -> Attention:
        """Say where each token looks, by the configuration's kind.

        Parameters
        ----------
        image : (H, W, 3)

        References
        ----------
        .. [1] M2N2, section 3.1 (arXiv:2411.10411), for the last layer's attention.
        """
        from fewclicks.backbones.attention_capture import gaussian_attention

        if self.config.kind == "attention":
            matrix, grid = self._looked(image)
        else:
            tokens, grid, temperature = self._tokens(image)
            matrix = gaussian_attention(tokens, temperature=temperature)
        return Attention(matrix=matrix.cpu().numpy(), grid=grid)

    def _tokens(self, image: RgbImage) -> tuple[Tensor, Grid, float]:
        """Tokens and their affinity's temperature; both looks side by side average the cosines."""
        import torch

        shown, grid = self._show(image)
        looks = [self._describe(shown, grid)]
        if self.config.flip:
            looks.append(self._describe(shown[:, ::-1], grid)[_mirror(grid)])
        tokens = torch.cat(looks, dim=1) / len(looks) ** 0.5
        temperature = 2.0 * self.config.temperature
        if self.config.kind == "outputs":
            temperature *= float(tokens.square().sum(dim=1).mean())
        if self.config.locality:
            # Places in units in which the affinity takes exp(-distance^2 / (2 locality^2)).
            unit = (temperature / 2.0) ** 0.5 / self.config.locality
            places = torch.from_numpy(_places(grid) * np.float32(unit)).to(tokens.device)
            tokens = torch.cat([tokens, places], dim=1)
        return tokens, grid, temperature

    def _describe(self, shown: RgbImage, grid: Grid) -> Tensor:
        if self.config.kind == "outputs":
            return self._loaded().outputs(shown, grid).float()
        return _unit_keys(self._loaded().look(shown, grid).keys, grid, self.config.centred)

    def _looked(self, image: RgbImage) -> tuple[Tensor, Grid]:
        """Attend as the network itself does, (n, n)."""
        shown, grid = self._show(image)
        matrix = _own_attention(self._loaded(), shown, grid)
        if self.config.flip:
            mirror = _mirror(grid)
            mirrored = _own_attention(self._loaded(), shown[:, ::-1], grid)
            matrix = (matrix + mirrored[mirror][:, mirror]) / 2.0
        return matrix, grid

    def _show(self, image: RgbImage) -> tuple[RgbImage, Grid]:
        """Resize until cells of a stride tile the picture; pad until patches centre on cells."""
        height, width = image.shape[:2]
        seen: tuple[float, float]
        if self.config.side is not None:
            seen = (self.config.side, self.config.side)
        elif self.config.longest_side is not None:
            scale = self.config.longest_side / max(height, width)
            seen = (height * scale, width * scale)
        else:
            seen = (height + -height % self._stride, width + -width % self._stride)
        grid = Grid(*(max(1, round(side / self._stride)) for side in seen))
        fitted = resize_image(
            image, height=grid.height * self._stride, width=grid.width * self._stride
        )
        margin = self._folder.patch - self._stride
        before, after = margin // 2, margin - margin // 2
        padded = cv2.copyMakeBorder(fitted, before, after, before, after, cv2.BORDER_REFLECT_101)
        return padded.astype(np.uint8, copy=False), grid

    def _loaded(self) -> VitNetwork:
        with self._loading:
            if self._network is None:
                from fewclicks.backbones.vit_network import VitNetwork

                self._network = VitNetwork(
                    self._folder,
                    block=self._block,
                    stride=self._stride,
                    device=self.config.device,
                    precision=self.config.precision,
                )
            return self._network


def _choose_stride(stride: int | None, folder: VitFolder) -> int:
    if stride is None:
        return max(1, folder.patch // 2)
    if stride > folder.patch:
        raise InputError(
            f"stride is {stride}; needs at most the patch's side, {folder.patch} pixels."
        )
    return stride


def _choose_block(config: VitConfig, folder: VitFolder) -> int:
    """From 0; a network of one layer has no last but one."""
    if config.block is None:
        return max(0, folder.blocks + _BLOCK_OF_KIND[config.kind])
    if not -folder.blocks <= config.block < folder.blocks:
        raise InputError(
            f"block is {config.block}; needs a number from {-folder.blocks} to "
            f"{folder.blocks - 1}, since the network has {folder.blocks} layers."
        )
    return config.block % folder.blocks


def _unit_keys(keys: Tensor, grid: Grid, centred: bool) -> Tensor:
    """Keys of the tokens that have a place, heads side by side, of length 1, (n, c)."""
    from torch.nn.functional import normalize

    flat = keys[:, -grid.count :].float().transpose(0, 1).flatten(1)
    return normalize(flat - flat.mean(dim=0) if centred else flat, dim=1)


def _own_attention(network: VitNetwork, shown: RgbImage, grid: Grid) -> Tensor:
    from fewclicks.backbones.attention_capture import mean_attention

    taken = network.look(shown, grid)
    return mean_attention(taken, leading=taken.keys.shape[1] - grid.count)


def _mirror(grid: Grid) -> Tensor:
    """For each token, which one stands in its place in the mirrored picture."""
    import torch

    numbers = np.arange(grid.count).reshape(grid.height, grid.width)
    return torch.from_numpy(numbers[:, ::-1].ravel())


def _places(grid: Grid) -> FloatMatrix:
    """Row and column of each token, from the middle of the grid, (n, 2)."""
    rows, columns = np.indices((grid.height, grid.width), dtype=np.float32)
    places: FloatMatrix = np.stack([rows.ravel(), columns.ravel()], axis=1)
    places -= places.mean(axis=0)
    return places
