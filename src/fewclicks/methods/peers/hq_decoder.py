"""SAM-HQ's mask decoder: SAM's own, and one more token that looks at early features.

transformers has the layers. Its own ``forward`` (5.23) reads the masks off the image embeddings as
they were before the decoder's attention, and transposed; here they are read off those after it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def decode_hq(
    decoder: Any,
    image: Tensor,
    early: Tensor,
    *,
    places: Tensor,
    sparse: Tensor,
    dense: Tensor,
    several: bool,
) -> tuple[Tensor, Tensor]:
    """Answer prompts on one picture.

    Parameters
    ----------
    decoder
        transformers' ``SamHQMaskDecoder``.
    image : (1, dim, rows, columns)
        The image encoder's answer.
    early : (1, rows, columns, channels)
        Tokens of its first block that sees the whole picture.
    places : (1, dim, rows, columns)
        The code for places.
    sparse : (1, 1, prompts, dim)
        Embedded points and corners.
    dense : (1, dim, rows, columns)
        The embedded previous mask.
    several
        Whether to answer with the three masks of an ambiguous prompt, or with one.

    Returns
    -------
    logits : (1, 1, masks, 4 rows, 4 columns)
        Sum of SAM's and of the new token's.
    ratings : (1, 1, masks)
        Guesses of the masks' IoU.

    References
    ----------
    .. [1] Ke et al., "Segment Anything in High Quality", NeurIPS 2023, section 3.2
       (arXiv:2306.01567).
    """
    _, dim, rows, columns = image.shape
    own = torch.cat([decoder.iou_token.weight, decoder.mask_tokens.weight, decoder.hq_token.weight])
    tokens = torch.cat([own[None, None], sparse], dim=2).to(image.dtype)
    tokens, pixels = decoder.transformer(
        point_embeddings=tokens,
        image_embeddings=image + dense,
        image_positional_embeddings=places,
        attention_similarity=None,
    )
    pixels = pixels.transpose(2, 3).reshape(1, dim, rows, columns)
    act = decoder.activation
    plain = act(
        decoder.upscale_conv2(act(decoder.upscale_layer_norm(decoder.upscale_conv1(pixels))))
    )
    fine = decoder.mask_conv2(act(decoder.mask_norm(decoder.mask_conv1(plain))))
    fine = fine + decoder.encoder_conv2(act(decoder.encoder_norm(decoder.encoder_conv1(image))))
    early = decoder.compress_vit_norm(decoder.compress_vit_conv1(early.permute(0, 3, 1, 2)))
    fine = fine + decoder.compress_vit_conv2(act(early))
    masks = slice(1, 1 + decoder.num_mask_tokens)
    *questions, finer = tokens[0, 0, masks]
    kernels = torch.stack(
        [
            layers(question)
            for layers, question in zip(decoder.output_hypernetworks_mlps, questions, strict=True)
        ]
    )
    logits = torch.einsum("kd,dyx->kyx", kernels, plain[0])
    logits = logits + torch.einsum("d,dyx->yx", decoder.hq_mask_mlp(finer), fine[0])
    ratings = decoder.iou_prediction_head(tokens[:, :, 0])
    kept = slice(1, len(questions)) if several else slice(0, 1)
    return logits[None, None, kept], ratings[..., kept]
