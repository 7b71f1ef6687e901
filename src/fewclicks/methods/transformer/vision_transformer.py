"""Vision transformer: a plain one, whose tokens attend within windows in most of its blocks.

Tokens stay on their grid, (b, rows, columns, channels), so that windows are cut and joined by a
change of shape alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from fewclicks.errors import ShapeError

NORM_EPSILON: Final = 1e-6
MLP_RATIO: Final = 4
_POSITION_DEVIATION: Final = 0.02


class PatchEmbedding(nn.Conv2d):
    """One token for each patch of a picture.

    Parameters
    ----------
    channels
        Of the picture.
    dim
        Of a token.
    patch
        Side of a patch, in pixels.
    """

    def __init__(self, channels: int, dim: int, patch: int) -> None:
        super().__init__(channels, dim, kernel_size=patch, stride=patch)

    def forward(self, pictures: Tensor) -> Tensor:
        """Embed (b, channels, H, W) as (b, H / patch, W / patch, dim)."""
        return super().forward(pictures).permute(0, 2, 3, 1)


class Attention(nn.Module):
    """Self-attention of several heads.

    Parameters
    ----------
    dim
        Of a token, a multiple of ``heads``.
    heads
        How many look at once.
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """Let each of (b, n, dim) tokens look at all n."""
        batch, count, dim = tokens.shape
        split = self.qkv(tokens).view(batch, count, 3, self.heads, dim // self.heads)
        queries, keys, values = split.permute(2, 0, 3, 1, 4)
        seen = attend(queries, keys, values)
        mixed: Tensor = self.out(seen.transpose(1, 2).reshape(batch, count, dim))
        return mixed


def attend(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Attend from (b, heads, n, d) queries to (b, heads, m, d) keys and values.

    Notes
    -----
    In fp32 where a CPU is to find gradients, whatever autocast says: in bf16 that takes it thrice
    as long.
    """
    if not queries.requires_grad or queries.device.type != "cpu":
        return functional.scaled_dot_product_attention(queries, keys, values)
    with torch.autocast("cpu", enabled=False):
        return functional.scaled_dot_product_attention(
            queries.float(), keys.float(), values.float()
        )


class Block(nn.Module):
    """Attention, then two layers for each token by itself; both add to what was there."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=NORM_EPSILON)
        self.attention = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, eps=NORM_EPSILON)
        self.mlp = nn.Sequential(
            nn.Linear(dim, MLP_RATIO * dim), nn.GELU(), nn.Linear(MLP_RATIO * dim, dim)
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """Change (b, n, dim) tokens."""
        tokens = tokens + self.attention(self.norm1(tokens))
        changed: Tensor = tokens + self.mlp(self.norm2(tokens))
        return changed


class VisionTransformer(nn.Module):
    """The blocks of a plain vision transformer, without class token and without a last norm.

    Parameters
    ----------
    dim, depth, heads, patch
        Channels of a token, number of blocks, heads of a block, side of a patch in pixels.
    grid
        Tokens along a side of the picture for which places are learnt; they are spread over
        other grids by bicubic interpolation.
    window
        Tokens along a side of a window, at least; a grid is cut into windows of equal size.
    global_every
        Every so manieth block lets all tokens see each other, the others work in windows.

    References
    ----------
    .. [1] Li et al., "Exploring Plain Vision Transformer Backbones for Object Detection", ECCV
       2022 (arXiv:2203.16527), windows and global blocks.
    """

    def __init__(
        self,
        *,
        dim: int,
        depth: int,
        heads: int,
        patch: int,
        grid: int,
        window: int,
        global_every: int,
    ) -> None:
        super().__init__()
        self.window = window
        self.global_every = global_every
        self.embed = PatchEmbedding(3, dim, patch)
        self.position = nn.Parameter(torch.empty(1, dim, grid, grid))
        self.blocks = nn.ModuleList(Block(dim, heads) for _ in range(depth))
        self._start()

    def forward(self, tokens: Tensor, *, start: int = 0, stop: int | None = None) -> Tensor:
        """Run blocks on tokens that know their places.

        Parameters
        ----------
        tokens : (b, rows, columns, dim)
        start, stop
            The first block and the one before which to stop; all if left out.

        Raises
        ------
        ShapeError
            If the grid cannot be cut into equal windows.
        """
        return self.run(self.blocks[start:stop], tokens, before=start)

    def run(self, blocks: Iterable[nn.Module], tokens: Tensor, *, before: int = 0) -> Tensor:
        """Run blocks, also such as are not its own, as if they came after ``before`` others."""
        for number, block in enumerate(blocks, start=before):
            tokens = in_windows(block, tokens, self.windows(number, tokens))
        return tokens

    def windows(self, number: int, tokens: Tensor) -> tuple[int, int]:
        """Say into how many windows, down and across, block ``number`` cuts its tokens."""
        if (number + 1) % self.global_every == 0:
            return 1, 1
        return windows_of(tokens.shape[1], tokens.shape[2], self.window)

    def places(self, rows: int, columns: int) -> Tensor:
        """Give the position embedding of a grid, (1, rows, columns, dim)."""
        learnt: Tensor = self.position
        if learnt.shape[2:] != (rows, columns):
            # Half precision has no bicubic interpolation everywhere.
            spread = functional.interpolate(learnt.float(), size=(rows, columns), mode="bicubic")
            learnt = spread.to(learnt.dtype)
        return learnt.permute(0, 2, 3, 1)

    def _start(self) -> None:
        nn.init.normal_(self.position, std=_POSITION_DEVIATION)
        nn.init.xavier_uniform_(self.embed.weight.view(self.embed.out_channels, -1))
        draw_layers(self.blocks)


def draw_layers(blocks: nn.Module) -> None:
    """Draw the numbers of all linear layers as transformers begin with them."""
    for part in blocks.modules():
        if isinstance(part, nn.Linear):
            nn.init.xavier_uniform_(part.weight)
            nn.init.zeros_(part.bias)


def windows_of(rows: int, columns: int, window: int) -> tuple[int, int]:
    """Count windows down and across a grid: as many as have ``window`` tokens a side or more.

    Raises
    ------
    ShapeError
        If they would differ in size.
    """
    down, across = max(1, rows // window), max(1, columns // window)
    if rows % down or columns % across:
        raise ShapeError(
            f"A grid of {rows} x {columns} tokens has no equal windows of {window} tokens a side; "
            f"needs sides that are multiples of {window}, or shorter than {2 * window}."
        )
    return down, across


def in_windows(block: nn.Module, tokens: Tensor, windows: tuple[int, int]) -> Tensor:
    """Run a block on each window by itself.

    Parameters
    ----------
    block
        Takes and gives (b, n, dim).
    tokens : (b, rows, columns, dim)
    windows
        How many down and across; (1, 1) for all tokens together.
    """
    return join_windows(block(cut_windows(tokens, windows)), tokens, windows)


def cut_windows(tokens: Tensor, windows: tuple[int, int]) -> Tensor:
    """Cut (b, rows, columns, dim) tokens into windows, (b x windows, tokens of one, dim)."""
    batch, rows, columns, dim = tokens.shape
    down, across = windows
    height, width = rows // down, columns // across
    cut = tokens.reshape(batch, down, height, across, width, dim).transpose(2, 3)
    return cut.reshape(-1, height * width, dim)


def join_windows(cut: Tensor, like: Tensor, windows: tuple[int, int]) -> Tensor:
    """Join windows on the grid that they were cut from."""
    batch, rows, columns, dim = like.shape
    down, across = windows
    joined = cut.view(batch, down, across, rows // down, columns // across, dim).transpose(2, 3)
    return joined.reshape(batch, rows, columns, dim)
