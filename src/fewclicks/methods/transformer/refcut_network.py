"""RefCut's network: SimpleClick's, whose tokens are told by another picture what is meant."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from fewclicks.errors import ShapeError
from fewclicks.methods.guidance import GuidanceKind
from fewclicks.methods.transformer.simpleclick_network import (
    SimpleClickNetwork,
    SimpleClickNetworkConfig,
)


class References(NamedTuple):
    """Reference pictures of a batch, as many as there are.

    Parameters
    ----------
    image : (r, 3, h, w)
        Red, green, blue in [0, 1]; of sides that the network can see.
    masks : (r, 2, n, m)
        1 on the parts that are meant, and on those that are not; of any size, spread over the
        picture. An empty mask says nothing.
    of : (r,) int64
        To which lesson of the batch each belongs, from 0; several of one lesson are averaged.
    """

    image: Tensor
    masks: Tensor
    of: Tensor


class RefCutNetwork(SimpleClickNetwork):
    """A click network that can be shown the same parts on other pictures.

    Parameters
    ----------
    config
        Of the SimpleClick network within; its files are read too.

    Notes
    -----
    The last layers of the prompts begin at zero, so that a network that begins as a SimpleClick
    answers as it did. What no reference says adds exactly nothing, before and after training.

    References
    ----------
    .. [1] RefCut, section 3.2, Eqs. 5 to 7 (arXiv:2503.17820).
    """

    family: ClassVar[str] = "refcut"
    begins_as: ClassVar[frozenset[str]] = frozenset({"simpleclick"})
    takes: ClassVar[GuidanceKind | None] = "references"

    def __init__(self, config: SimpleClickNetworkConfig) -> None:
        super().__init__(config)
        self.prompts = nn.ModuleDict(
            {kind: _prompt_layers(config.dim) for kind in ("positive", "negative")}
        )

    def forward(
        self, image: Tensor, guidance: Tensor, references: References | None = None
    ) -> Tensor:
        """Answer clicks.

        Parameters
        ----------
        image, guidance : (b, 3, H, W)
            As `SimpleClickNetwork.forward` has them.
        references
            Of those lessons that have some; None for none at all.

        Returns
        -------
        (b, 1, H, W)
            Logits.

        Raises
        ------
        ShapeError
            If the shapes do not fit each other or the network.
        """
        self.check_size(image, guidance)
        lessons = image.shape[0]
        said = image.new_zeros(lessons, 2, self.config.dim)
        known = torch.zeros(lessons, 2, dtype=torch.bool, device=image.device)
        if references is not None and references.of.numel():
            each = self.represent(references.image, references.masks)
            said, known = average(*each, references.of, lessons)
        # Without references too, so that every weight has a gradient in every process.
        return self.answer(self.see(image) + self.prompt(said, known), guidance)

    def represent(self, image: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
        """Average the features of what is marked on pictures.

        Parameters
        ----------
        image : (r, 3, h, w)
            Red, green, blue in [0, 1].
        masks : (r, 2, n, m)
            1 on the parts that are meant, and on those that are not; of any size.

        Returns
        -------
        representations : (r, 2, dim) float32
            0 for an empty mask.
        known : (r, 2) bool
            Where a mask is not empty.

        Raises
        ------
        ShapeError
            If there are not two masks for each picture, or the network cannot see its size.
        """
        self.check_size(image, image)
        if masks.ndim != 4 or masks.shape[:2] != (image.shape[0], 2):
            raise ShapeError(
                f"masks has shape {tuple(masks.shape)}; needs ({image.shape[0]}, 2, height, width)."
            )
        features = self.encode(self.embed_image(image))
        with torch.autocast(image.device.type, enabled=False):  # sums want all their digits
            shares = area_averages(masks.float(), features.shape[2], features.shape[3])
            areas = shares.sum(dim=(2, 3))
            known = areas > 0
            sums = torch.einsum("rkyx,rdyx->rkd", shares, features.float())
            return sums / torch.where(known, areas, 1.0)[..., None], known

    def prompt(self, representations: Tensor, known: Tensor) -> Tensor:
        """Say in the tokens' language what is meant, and what is not.

        Parameters
        ----------
        representations : (b, 2, dim)
        known : (b, 2) bool

        Returns
        -------
        (b, 1, 1, dim)
            To be added to every token; 0 where nothing is known.
        """
        said = representations.to(self.guidance.weight.dtype)
        both = [layers(said[:, k]) for k, layers in enumerate(self.prompts.values())]
        # Chosen, not multiplied: what is unknown adds 0 whatever the layers say.
        prompts = torch.where(known[..., None], torch.stack(both, dim=1), 0.0)
        return prompts.sum(dim=1)[:, None, None]


def average(
    representations: Tensor, known: Tensor, of: Tensor, count: int
) -> tuple[Tensor, Tensor]:
    """Average the references of each lesson, (r, 2, dim) and (r, 2) to (count, 2, dim), (count, 2).

    A reference counts for a mask only if it has one.
    """
    weights = known.to(representations.dtype)
    sums = representations.new_zeros(count, *representations.shape[1:])
    sums = sums.index_add(0, of, representations * weights[..., None])
    counts = weights.new_zeros(count, weights.shape[1]).index_add(0, of, weights)
    return sums / counts.clamp(min=1.0)[..., None], counts > 0


def area_averages(masks: Tensor, rows: int, columns: int) -> Tensor:
    """Average masks over the cells of a grid, (..., n, m) to (..., rows, columns).

    A pixel that lies in several cells counts for each with its share.
    """
    height, width = masks.shape[-2:]
    down, across = (_overlaps(*each).to(masks) for each in ((height, rows), (width, columns)))
    return down @ masks @ across.T


def _overlaps(pixels: int, cells: int) -> Tensor:
    """Give each pixel's share of each cell, (cells, pixels); a cell's shares sum to 1."""
    edges = torch.arange(cells + 1, dtype=torch.float64) * (pixels / cells)
    first = torch.arange(pixels, dtype=torch.float64)
    ends = torch.minimum(edges[1:, None], first + 1) - torch.maximum(edges[:-1, None], first)
    return ends.clamp(min=0) * (cells / pixels)


def _prompt_layers(dim: int) -> nn.Sequential:
    last = nn.Linear(dim, dim)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(nn.Linear(dim, dim), nn.GELU(), last)
