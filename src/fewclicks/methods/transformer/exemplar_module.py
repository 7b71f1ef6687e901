"""Exemplar-informed module: where the picture looks as the exemplar does, and at which size."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from fewclicks.images.boxes import Box
from fewclicks.methods.transformer.crop_features import CropFeatures


class ExemplarInformedModule(nn.Module):
    """Compares crops of the exemplar with all places of its picture.

    Parameters
    ----------
    features
        Looks at the picture and at the crops.
    dim
        Channels of the comparison, and of the guide.
    scales
        How many times as long as the exemplar's box a side of each crop is.
    side
        Of the square that a crop is stretched to, in pixels.

    Notes
    -----
    Picture and crops are projected into one space. What a crop looks like, averaged over as many
    cells as it covers in the picture (an odd number, so that it has a middle), slides over the
    picture as a kernel. A response is divided by the root of the kernel's size, then normed over
    the picture for each scale; the paper has the root in the softmax, where it would leave all
    scales nearly alike behind a norm. The text of the paper leaves the arrangement open.

    References
    ----------
    .. [1] iCMFormer++, section 3.3, Eqs. 4 and 5.
    """

    def __init__(
        self, features: CropFeatures, dim: int, *, scales: Sequence[float], side: int
    ) -> None:
        super().__init__()
        self.scales, self.side = tuple(scales), side
        self.features = features
        self.project = nn.Conv2d(features.width, dim, kernel_size=3, padding=1)
        self.norm = nn.GroupNorm(len(self.scales), len(self.scales))
        self.guide = nn.Sequential(nn.Linear(len(self.scales), dim), nn.GELU(), nn.Linear(dim, dim))

    def see(self, image: Tensor) -> Tensor:
        """Work out what the picture alone gives, (b, dim, h / stride, w / stride).

        Parameters
        ----------
        image : (b, 3, h, w)
            Normalised colours; crops likewise.
        """
        projected: Tensor = self.project(self.features(image))
        return projected

    def forward(self, image: Tensor, seen: Tensor, mask: Tensor, grid: tuple[int, int]) -> Tensor:
        """Say how to look for more of the exemplar.

        Parameters
        ----------
        image : (b, 3, h, w)
        seen : (b, dim, ...)
            From `see`.
        mask : (b, 1, h, w)
            Above 0.5 on the exemplar.
        grid
            Rows and columns of the guide.

        Returns
        -------
        (b, rows, columns, dim)
            To be added to queries; 0 for an empty mask.
        """
        boxes = [exemplar_boxes(each[0], self.scales) for each in mask]
        crops = torch.cat(
            [
                self._stretched(picture, box)
                for picture, of_one in zip(image, boxes, strict=True)
                for box in of_one
            ]
        )
        looks = self.see(crops)
        kernels = looks.view(len(boxes), len(self.scales), *looks.shape[1:])
        each = zip(seen, kernels, boxes, strict=True)
        responses = torch.stack([self._slide(*of_one) for of_one in each])
        alike = functional.softmax(self.norm(responses), dim=1)
        alike = functional.interpolate(alike, grid, mode="bilinear", align_corners=False)
        guide: Tensor = self.guide(alike.permute(0, 2, 3, 1))
        is_there = (mask > 0.5).flatten(1).any(dim=1).view(-1, 1, 1, 1)
        return torch.where(is_there, guide, torch.zeros_like(guide))

    def _stretched(self, picture: Tensor, box: Box) -> Tensor:
        part = picture[None, :, box.y0 : box.y1, box.x0 : box.x1]
        return functional.interpolate(
            part, (self.side, self.side), mode="bilinear", align_corners=False
        )

    def _slide(self, picture: Tensor, kernels: Tensor, boxes: Sequence[Box]) -> Tensor:
        """Compare crops with all places of (dim, rows, columns); (scales, rows, columns)."""
        responses = []
        for kernel, box in zip(kernels, boxes, strict=True):
            down, across = (side // (2 * self.features.stride) for side in (box.height, box.width))
            shown = functional.adaptive_avg_pool2d(kernel, (2 * down + 1, 2 * across + 1))
            response = functional.conv2d(picture[None], shown[None], padding=(down, across))[0]
            responses.append(response / float(shown.numel() ** 0.5))
        return torch.cat(responses)


def exemplar_boxes(mask: Tensor, scales: Sequence[float]) -> list[Box]:
    """Give the boxes around an exemplar, one for each scale.

    Parameters
    ----------
    mask : (h, w)
        Above 0.5 on the exemplar; the whole picture stands for it where there is none.
    scales
        How many times as long as the tight box a side is; cut at the picture's border.
    """
    height, width = mask.shape
    on = mask > 0.5
    rows, columns = (on.any(dim=axis).nonzero().flatten().tolist() for axis in (1, 0))
    if not rows:
        return [Box(0, 0, width, height)] * len(scales)
    x0, x1, y0, y1 = columns[0], columns[-1] + 1, rows[0], rows[-1] + 1
    boxes = []
    for scale in scales:
        more_x, more_y = ((scale - 1) * length / 2 for length in (x1 - x0, y1 - y0))
        left, top = round(x0 - more_x), round(y0 - more_y)
        right, bottom = max(left + 1, round(x1 + more_x)), max(top + 1, round(y1 + more_y))
        boxes.append(Box(left, top, right, bottom).clamped(height=height, width=width))
    return boxes
