"""iCMFormer: a vision transformer in which clicks look at the picture, as published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fewclicks.methods.transformer.simpleclick import SimpleClick, SimpleClickConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class ICMFormerConfig(SimpleClickConfig):
    """Which network, and how it looks at a picture.

    Parameters
    ----------
    threshold
        In [0, 1), of the probability.
    **others
        As `SimpleClickConfig` has them.
    """

    threshold: float = 0.5


class ICMFormer(SimpleClick):
    """A trained click network with a stream for the picture and one for clicks.

    Parameters
    ----------
    config
        Must name the weights.

    Raises
    ------
    WeightsError
        If no weights are named, or they are not on this machine.
    MissingExtraError
        If torch or transformers is not installed.

    Notes
    -----
    The picture's stream, and what it answers to the clicks' questions, is worked out once for each
    part of a picture that is looked at.

    References
    ----------
    .. [1] Li et al., "Interactive Image Segmentation with Cross-Modality Vision Transformers",
       ICCV Workshops 2023 (arXiv:2307.02280).
    """

    config_type: ClassVar = ICMFormerConfig
    name: ClassVar[str] = "icmformer"


class ICMFormerSwin(ICMFormer):
    """The same on a hierarchical transformer, Swin-B as published.

    Parameters
    ----------
    config
        Must name the weights.

    References
    ----------
    .. [1] See `ICMFormer`.
    """

    name: ClassVar[str] = "icmformer_swin"
