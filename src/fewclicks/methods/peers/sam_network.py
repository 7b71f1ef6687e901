"""Segment Anything's networks, run by transformers on pictures that we resize ourselves.

The processors of SAM 2 cannot be imported without torchvision; what they do is a resize.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional
from transformers import Sam2Model, SamHQModel, SamModel

from fewclicks.arrays import BoolMask, FloatMap, RgbImage
from fewclicks.backbones.device import choose_device, choose_dtype
from fewclicks.backbones.loading import load_config, load_network
from fewclicks.clicks import Click
from fewclicks.errors import WeightsError
from fewclicks.images.boxes import Box
from fewclicks.methods.peers.hq_decoder import decode_hq

IMAGE_MEAN: Final = (0.485, 0.456, 0.406)
IMAGE_DEVIATION: Final = (0.229, 0.224, 0.225)
SURE: Final = 10.0
"""Logit of a pixel of a person's mask."""

_LOW: Final = 4  # pixels of the square to one of the decoder's logits
_FARTHEST: Final = 32.0  # SAM 2's predictor hands on no logits beyond


class SamNetwork:
    """SAM on a device and in a precision.

    Parameters
    ----------
    folder
        As ``save_pretrained`` writes it.
    device, precision
        As a person asks for them.

    Raises
    ------
    InputError
        If the device is not there.
    WeightsError
        If the folder holds another network, or a damaged one.

    Notes
    -----
    The longer side of a picture is resized to the square's by Pillow, bilinear with smoothing, and
    the rest of the square is filled with the mean colour: as the authors do it.
    """

    model_class: ClassVar[Any] = SamModel
    held: ClassVar[tuple[str, ...]] = ("sam",)
    """What ``config.json`` calls networks that the class can run."""

    def __init__(self, folder: Path, *, device: str, precision: str) -> None:
        self._device = choose_device(device)
        self._dtype = choose_dtype(precision, self._device)
        found = str(load_config(folder).model_type)
        if found not in self.held:
            raise WeightsError(
                f"{folder} holds a network of {found}; needs one of {' or '.join(self.held)}."
            )
        network: Any = load_network(
            self.model_class,
            folder,
            dtype=torch.float32,
            # The same numbers as shared_image_embedding's; a file need not have them twice.
            may_lack=("prompt_encoder.shared_embedding.",),
        )
        self._model = network.to(self._device, self._dtype)
        self.side = int(self._model.config.prompt_encoder_config.image_size)

    @property
    def low_shape(self) -> tuple[int, int]:
        """Rows and columns of the decoder's own logits."""
        rows = _LOW * self.side // int(self._model.config.prompt_encoder_config.patch_size)
        return rows, rows

    @torch.inference_mode()
    def see(self, image: RgbImage) -> Any:
        """Run the image encoder; gives what the decoder takes of it, by name."""
        mean, deviation = (
            torch.tensor(values).view(3, 1, 1) for values in (IMAGE_MEAN, IMAGE_DEVIATION)
        )
        colours = (self._resized(image) - mean) / deviation
        return self._encoded(self._filled(colours)[None].to(self._device, self._dtype))

    @torch.inference_mode()
    def answer(
        self,
        seen: Any,
        shape: tuple[int, int],
        clicks: Sequence[Click],
        *,
        box: Box | None,
        before: NDArray[np.float32] | None,
        several: bool,
    ) -> tuple[FloatMap, NDArray[np.float32]]:
        """Answer clicks.

        Parameters
        ----------
        seen
            From `see`.
        shape
            Of the picture.
        clicks
            In pixels of the picture; one at least, if there is no box.
        box
            In which the object lies.
        before
            Logits of the previous answer, of `low_shape`.
        several
            Whether to choose among masks by the network's own guess of their IoU.

        Returns
        -------
        probability : (H, W) float32
        logits
            Of `low_shape`, for the next answer.
        """
        asked: dict[str, Any] = {"multimask_output": several}
        if clicks:
            places = torch.tensor([[click.x, click.y] for click in clicks], dtype=torch.float32)
            kinds = torch.tensor([int(click.is_positive) for click in clicks])
            asked["input_points"] = self._moved(places, shape)[None, None].to(self._device)
            asked["input_labels"] = kinds[None, None].to(self._device)
        if box is not None:
            corners = torch.tensor([[box.x0, box.y0], [box.x1, box.y1]], dtype=torch.float32)
            asked["input_boxes"] = self._moved(corners, shape).reshape(1, 1, 4).to(self._device)
        if before is not None:
            logits = torch.from_numpy(np.array(before))[None, None]
            asked["input_masks"] = logits.to(self._device, self._dtype)
        masks, ratings = self._decoded(seen, asked)
        low = masks[0, 0, int(ratings[0, 0].argmax())].float()[None, None]
        large = self._enlarged(low, shape).sigmoid()
        return large[0, 0].cpu().numpy(), self._handed_on(low)[0, 0].cpu().numpy()

    def low_logits(self, mask: BoolMask) -> NDArray[np.float32]:
        """Say a person's mask as the decoder says its own."""
        height, width = mask.shape
        rows, columns = (
            max(1, round(part * self.low_shape[0] / self.side))
            for part in self._inner((height, width))
        )
        shares = functional.interpolate(
            torch.from_numpy(mask.astype(np.float32))[None, None],
            (rows, columns),
            mode="bilinear",
            antialias=True,
        )
        low = np.full(self.low_shape, -SURE, dtype=np.float32)
        low[:rows, :columns] = 2 * SURE * shares[0, 0].numpy() - SURE
        return low

    def _inner(self, shape: tuple[int, int]) -> tuple[int, int]:
        """Rows and columns of the square that the picture fills."""
        height, width = shape
        scale = self.side / max(height, width)
        return max(1, int(height * scale + 0.5)), max(1, int(width * scale + 0.5))

    def _resized(self, image: RgbImage) -> Tensor:
        """Give (3, rows, columns) in [0, 1]."""
        rows, columns = self._inner((image.shape[0], image.shape[1]))
        shown = Image.fromarray(image).resize((columns, rows), Image.Resampling.BILINEAR)
        return torch.from_numpy(np.array(shown)).permute(2, 0, 1) / 255.0

    def _filled(self, colours: Tensor) -> Tensor:
        missing = (self.side - colours.shape[2], self.side - colours.shape[1])
        return functional.pad(colours, (0, missing[0], 0, missing[1]))

    def _moved(self, places: Tensor, shape: tuple[int, int]) -> Tensor:
        rows, columns = self._inner(shape)
        return places * torch.tensor([columns / shape[1], rows / shape[0]])

    def _encoded(self, pixels: Tensor) -> Mapping[str, Any]:
        return {"image_embeddings": self._model.get_image_embeddings(pixels)}

    def _decoded(self, seen: Mapping[str, Any], asked: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
        """Give logits, (1, 1, masks, rows, columns), and guesses of their IoU, (1, 1, masks)."""
        said = self._model(**seen, **asked)
        return said.pred_masks, said.iou_scores

    def _enlarged(self, low: Tensor, shape: tuple[int, int]) -> Tensor:
        rows, columns = self._inner(shape)
        square = functional.interpolate(low, (self.side, self.side), mode="bilinear")
        return functional.interpolate(square[..., :rows, :columns], shape, mode="bilinear")

    def _handed_on(self, low: Tensor) -> Tensor:
        return low


class Sam2Network(SamNetwork):
    """SAM 2 on single pictures; files of the whole network, with its memory for films, do too.

    Parameters
    ----------
    folder, device, precision
        As for `SamNetwork`.

    Notes
    -----
    The picture is stretched to the whole square, bilinear with smoothing, as the authors do it.
    """

    model_class = Sam2Model
    held = ("sam2", "sam2_video")

    def _inner(self, _shape: tuple[int, int]) -> tuple[int, int]:
        return self.side, self.side

    def _resized(self, image: RgbImage) -> Tensor:
        colours = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None] / 255.0
        size = (self.side, self.side)
        return functional.interpolate(colours, size, mode="bilinear", antialias=True)[0]

    def _enlarged(self, low: Tensor, shape: tuple[int, int]) -> Tensor:
        return functional.interpolate(low, shape, mode="bilinear")

    def _handed_on(self, low: Tensor) -> Tensor:
        return low.clamp(-_FARTHEST, _FARTHEST)


class SamHQNetwork(SamNetwork):
    """SAM-HQ: the picture's early features sharpen SAM's masks.

    Parameters
    ----------
    folder, device, precision
        As for `SamNetwork`.
    """

    model_class = SamHQModel
    held = ("sam_hq",)

    def _encoded(self, pixels: Tensor) -> Mapping[str, Any]:
        embeddings, early = self._model.get_image_embeddings(pixels)
        return {"image_embeddings": embeddings, "early": early[0]}

    def _decoded(self, seen: Mapping[str, Any], asked: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
        prompts = {name: asked.get(name) for name in _PROMPTS}
        sparse, dense = self._model.prompt_encoder(**prompts)
        return decode_hq(
            self._model.mask_decoder,
            seen["image_embeddings"],
            seen["early"],
            places=self._model.get_image_wide_positional_embeddings(),
            sparse=sparse,
            dense=dense,
            several=bool(asked["multimask_output"]),
        )


_PROMPTS: Final = ("input_points", "input_labels", "input_boxes", "input_masks")
_NETWORKS: Final = {"sam": SamNetwork, "sam2": Sam2Network, "sam_hq": SamHQNetwork}


def load(method: str, folder: Path, *, device: str, precision: str) -> SamNetwork:
    """Load the network of a method, ``"sam"``, ``"sam2"`` or ``"sam_hq"``."""
    return _NETWORKS[method](folder, device=device, precision=precision)
