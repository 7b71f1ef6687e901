"""The walk on a graphics card: what stands there stays there, only maps over tokens come back.

Reached from `sinkhorn`, `temper` and `markov_map` when they are given a tensor; nothing else
imports this module, so that the core runs without torch. A card reads a matrix so fast that every
step is walked: there is no Krylov space here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from fewclicks.arrays import FloatMatrix

_LEAST = 1e-20  # as on the processor
_SYMMETRIC = 1e-4  # likewise
_ROWS_AT_A_TIME = 512
_STEPS_AT_A_TIME = 16  # between two looks at whether all tokens are saturated: a look makes it wait


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class TensorTransition:
    """A `sinkhorn.Transition` whose kernel and scaling are tensors on one device."""

    kernel: Tensor
    rows: Tensor
    columns: Tensor
    is_symmetric: bool
    error: float
    rounds: int

    @property
    def count(self) -> int:
        """Of tokens."""
        return int(self.kernel.shape[0])

    def step(self, places: Tensor) -> Tensor:
        """Move each distribution, (n,) or (k, n), one step on."""
        return (places * self.rows) @ self.kernel * self.columns

    def matrix(self) -> FloatMatrix:
        """(n, n) Written out, off the device."""
        return _array(self.rows[:, None] * self.kernel * self.columns)


@torch.inference_mode()
def temper(attention: Tensor, temperature: float) -> Tensor:
    """See `sinkhorn.temper`; float32 on the attention's device, whatever its type."""
    kernel = torch.empty(attention.shape, dtype=torch.float32, device=attention.device)
    for start in range(0, len(attention), _ROWS_AT_A_TIME):
        rows = kernel[start : start + _ROWS_AT_A_TIME]
        rows.copy_(attention[start : start + _ROWS_AT_A_TIME])
        rows /= rows.amax(dim=1, keepdim=True).clamp_min(_LEAST)
        if temperature != 1.0:
            rows.pow_(1.0 / temperature)
        rows.clamp_min_(_LEAST)
    return kernel


@torch.inference_mode()
def sinkhorn(kernel: Tensor, *, rounds: int, tolerance: float) -> TensorTransition:
    """See `sinkhorn.sinkhorn`: the same rounds, on the kernel's device."""
    symmetric = is_symmetric(kernel)
    rows = kernel.sum(dim=1).rsqrt()
    columns = rows if symmetric else torch.ones_like(rows)
    for done in range(rounds + 1):
        reached = rows @ kernel
        error = float((columns * reached - 1.0).abs().max())
        if (error <= tolerance and (done or symmetric)) or done == rounds:
            break
        if symmetric:
            rows = columns = (rows / reached).sqrt()
        else:
            columns = reached.reciprocal()
            rows = (kernel @ columns).reciprocal()
    return TensorTransition(
        kernel=kernel,
        rows=rows,
        columns=columns,
        is_symmetric=symmetric,
        error=error,
        rounds=done,
    )


@torch.inference_mode()
def is_symmetric(kernel: Tensor) -> bool:
    """See `sinkhorn.is_symmetric`."""
    for start in range(0, len(kernel), _ROWS_AT_A_TIME):
        block = slice(start, start + _ROWS_AT_A_TIME)
        here, mirrored = kernel[block, start:], kernel[start:, block].T
        if not torch.allclose(here, mirrored, rtol=_SYMMETRIC, atol=1e-12):
            return False
    return True


@torch.inference_mode()
def markov_map(
    transition: TensorTransition, start: FloatMatrix, *, saturation: float, max_steps: int
) -> FloatMatrix:
    """See `markov_map.markov_map`; all clicks walk together."""
    place = torch.as_tensor(start, dtype=torch.float32, device=transition.kernel.device)
    before = place / place.amax(dim=1, keepdim=True)
    times = torch.full_like(before, torch.inf)
    times[before > saturation] = 0.0
    place = before
    for step in range(1, max_steps + 1):
        place = transition.step(place)
        now = place / place.amax(dim=1, keepdim=True)
        crossing = step - (now - saturation) / (now - before)
        is_new = (now > saturation) & times.isinf()
        times = torch.where(is_new, crossing, times)
        before = now
        if step % _STEPS_AT_A_TIME == 0 and not bool(times.isinf().any()):
            break
    return _array(times.clamp_max(float(max_steps)))


def _array(values: Tensor) -> FloatMatrix:
    return np.asarray(values.cpu().numpy(), dtype=np.float32)
