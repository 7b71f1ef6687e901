"""Swin: a hierarchical transformer, run stage by stage, so that more can come between stages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModel, SwinConfig, SwinModel

from fewclicks.backbones.loading import load_network as load_frozen
from fewclicks.backbones.weights import locate
from fewclicks.errors import WeightsError


class Swin(nn.Module):
    """A Swin transformer with a norm behind each stage.

    Parameters
    ----------
    dim
        Channels of the first stage; each stage has twice as many as the one before.
    depths, heads
        Blocks of each stage, and heads of its blocks.
    window
        Tokens along a side of a window.
    side
        Of the square picture that it was made for, in pixels.
    drop_path
        Share of branches that the last block leaves out in training; earlier blocks less.

    References
    ----------
    .. [1] Liu et al., "Swin Transformer", ICCV 2021 (arXiv:2103.14030).
    """

    def __init__(
        self,
        *,
        dim: int,
        depths: Sequence[int],
        heads: Sequence[int],
        window: int,
        side: int,
        drop_path: float,
    ) -> None:
        super().__init__()
        config = SwinConfig(
            image_size=side,
            embed_dim=dim,
            depths=list(depths),
            num_heads=list(heads),
            window_size=window,
            drop_path_rate=drop_path,
        )
        with torch.device("cpu"):  # files do not hold its places: without numbers they were lost
            self.model = SwinModel(config, add_pooling_layer=False)
        self.norms = nn.ModuleList(nn.LayerNorm(dim * 2**k) for k in range(len(depths) - 1))

    def embed(self, pictures: Tensor) -> Tensor:
        """Embed patches of (b, 3, H, W); gives (b, H / 4, W / 4, dim)."""
        tokens, (rows, columns) = self.model.embeddings(pictures)
        embedded: Tensor = tokens.view(tokens.shape[0], rows, columns, -1)
        return embedded

    def stage(self, number: int, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Run a stage.

        Parameters
        ----------
        number
            From 0.
        tokens : (b, rows, columns, channels)

        Returns
        -------
        features : (b, channels, rows, columns)
            Of this stage, normed.
        merged : (b, rows / 2, columns / 2, 2 channels)
            What the next stage works on; after the last stage the tokens themselves.
        """
        stages: Any = self.model.encoder.layers
        norm: Any = [*self.norms, self.model.layernorm][number]
        size = (tokens.shape[1], tokens.shape[2])
        merged, features, _ = stages[number](
            tokens.flatten(1, 2), size, output_hidden_states_before_downsampling=True
        )
        normed: Tensor = norm(features.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        rows, columns = size if number == len(stages) - 1 else (size[0] // 2, size[1] // 2)
        return normed, merged.view(tokens.shape[0], rows, columns, -1)

    def initialise_from(self, weights: str) -> None:
        """Begin as a trained transformer.

        Parameters
        ----------
        weights
            A folder as transformers writes it, or a hub id such as
            ``microsoft/swin-base-patch4-window12-384``.

        Raises
        ------
        WeightsError
            If they are not on this machine, or of another shape.
        """
        folder = locate(weights)
        source: Any = load_frozen(AutoModel, folder, dtype=torch.float32, may_lack=("pooler.",))
        taken, needed = source.state_dict(), self.model.state_dict()
        for name, values in needed.items():
            there = tuple(taken[name].shape) if name in taken else None
            if there != tuple(values.shape):
                raise WeightsError(
                    f"{folder} does not fit the network: {name} has {there}, needs "
                    f"{tuple(values.shape)}; build the network for it."
                )
        self.model.load_state_dict({name: taken[name] for name in needed})
