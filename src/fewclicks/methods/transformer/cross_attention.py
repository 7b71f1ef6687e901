"""Cross-attention: some tokens ask, others answer; what the others say is worked out once."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from fewclicks.methods.transformer.vision_transformer import (
    MLP_RATIO,
    NORM_EPSILON,
    Attention,
    attend,
    cut_windows,
    draw_layers,
    join_windows,
)


class CrossAttention(nn.Module):
    """Attention of several heads, from some tokens to others.

    Parameters
    ----------
    dim
        Of a token, a multiple of ``heads``.
    heads
        How many look at once.

    Notes
    -----
    Numbers of queries, keys and values stand in one layer, as those of self-attention do.
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.dim, self.heads = dim, heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)

    def keys_and_values(self, tokens: Tensor) -> Tensor:
        """Work out what (b, n, dim) tokens answer, (b, n, 2 dim)."""
        return functional.linear(tokens, self.qkv.weight[self.dim :], self.qkv.bias[self.dim :])

    def forward(self, tokens: Tensor, answers: Tensor, guide: Tensor | None = None) -> Tensor:
        """Let tokens look at others.

        Parameters
        ----------
        tokens : (b, n, dim)
            That ask.
        answers : (b, m, 2 dim)
            As `keys_and_values` gives them.
        guide : (b, n, dim), optional
            Added to the queries.
        """
        queries = functional.linear(tokens, self.qkv.weight[: self.dim], self.qkv.bias[: self.dim])
        if guide is not None:
            queries = queries + guide
        keys, values = answers.chunk(2, dim=-1)
        seen = attend(self._split(queries), self._split(keys), self._split(values))
        mixed: Tensor = self.out(seen.transpose(1, 2).flatten(2))
        return mixed

    def _split(self, tokens: Tensor) -> Tensor:
        """Give each head its channels, (b, heads, n, dim / heads)."""
        batch, count, dim = tokens.shape
        return tokens.view(batch, count, self.heads, dim // self.heads).transpose(1, 2)


class CrossModalityBlock(nn.Module):
    """Clicks look at each other, then at the picture, then each token by itself.

    References
    ----------
    .. [1] Li et al., "Interactive Image Segmentation with Cross-Modality Vision Transformers",
       ICCV Workshops 2023 (arXiv:2307.02280), section 3.
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=NORM_EPSILON)
        self.attention = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, eps=NORM_EPSILON)
        self.cross = CrossAttention(dim, heads)
        self.norm3 = nn.LayerNorm(dim, eps=NORM_EPSILON)
        self.mlp = nn.Sequential(
            nn.Linear(dim, MLP_RATIO * dim), nn.GELU(), nn.Linear(MLP_RATIO * dim, dim)
        )
        draw_layers(self)

    def look(self, image: Tensor) -> Tensor:
        """Work out what (b, n, dim) tokens of the picture answer, (b, n, 2 dim)."""
        return self.cross.keys_and_values(self.norm2(image))

    def forward(self, clicks: Tensor, answers: Tensor) -> Tensor:
        """Change (b, n, dim) tokens of clicks."""
        clicks = clicks + self.attention(self.norm1(clicks))
        clicks = clicks + self.cross(self.norm2(clicks), answers)
        changed: Tensor = clicks + self.mlp(self.norm3(clicks))
        return changed


class ExemplarBlock(nn.Module):
    """Tokens of what is asked for look at those of the exemplar, then each by itself.

    Parameters
    ----------
    dim, heads
        Of a token, and how many look at once.
    dropout
        Probability in [0, 1) that a number between the layers is left out in training.

    References
    ----------
    .. [1] iCMFormer++, Eq. 3: a feed-forward network with ReLU and dropout.
    """

    def __init__(self, dim: int, heads: int, *, dropout: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=NORM_EPSILON)
        self.cross = CrossAttention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, eps=NORM_EPSILON)
        self.mlp = nn.Sequential(
            nn.Linear(dim, MLP_RATIO * dim),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(MLP_RATIO * dim, dim),
        )
        draw_layers(self)

    def look(self, exemplar: Tensor) -> Tensor:
        """Work out what (b, n, dim) tokens of the exemplar answer, (b, n, 2 dim)."""
        return self.cross.keys_and_values(self.norm1(exemplar))

    def forward(
        self, recall: Tensor, answers: Tensor, windows: tuple[int, int], guide: Tensor | None
    ) -> Tensor:
        """Change tokens on their grid.

        Parameters
        ----------
        recall : (b, rows, columns, dim)
        answers : (b x windows, tokens of a window, 2 dim)
            From `look`.
        windows
            How many down and across; see `vision_transformer.in_windows`.
        guide : (b, rows, columns, dim), optional
            Added to the queries.
        """
        asked = cut_windows(self.norm1(recall), windows)
        seen = self.cross(asked, answers, None if guide is None else cut_windows(guide, windows))
        recall = recall + join_windows(seen, recall, windows)
        changed: Tensor = recall + self.mlp(self.norm2(recall))
        return changed
