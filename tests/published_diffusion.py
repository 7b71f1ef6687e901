"""Diffusion networks at their published size with random weights: made, and looked through.

Each in a process of its own, so that what making it took does not count in what looking takes:
``python published_diffusion.py make NAME FOLDER DTYPE``, ``... look NAME FOLDER SIDE`` for Stable
Diffusion and ``... draw NAME FOLDER SIDE`` for Marigold. Tests call `apart`.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

PICTURE = np.random.default_rng(0).integers(0, 256, (480, 854, 3), dtype=np.uint8)
PIPELINE = {  # Marigold's, without its weights
    "_class_name": "MarigoldDepthPipeline",
    "default_denoising_steps": 4,
    "default_processing_resolution": 768,
    "prediction_type": "depth",
    "scheduler": ["diffusers", "LCMScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}


def apart(*words: str | Path) -> dict[str, float]:
    """Run this file in a process of its own."""
    command = [sys.executable, __file__, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return answer


def make(name: str, folder: Path, dtype: str) -> dict[str, int]:
    """Save the networks of the published configurations; give their sizes in parameters."""
    import torch
    from diffusers import AutoencoderKL, LCMScheduler, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    from fewclicks.backbones.weights import published_configuration

    published = published_configuration(name)
    torch.manual_seed(0)
    networks = {
        "unet": UNet2DConditionModel.from_config(published["unet"]),
        "vae": AutoencoderKL.from_config(published["vae"]),
        "text_encoder": CLIPTextModel(CLIPTextConfig(**published["text_encoder"])),
    }
    for part, network in networks.items():
        network.to(getattr(torch, dtype)).save_pretrained(folder / part)
    (folder / "tokenizer").mkdir()
    words = {"!": 0, "<|startoftext|>": 49406, "<|endoftext|>": 49407}
    (folder / "tokenizer" / "vocab.json").write_text(json.dumps(words))
    (folder / "tokenizer" / "merges.txt").write_text("#version: 0.2\n")
    if "scheduler" in published:
        LCMScheduler.from_config(published["scheduler"]).save_pretrained(folder / "scheduler")
        (folder / "model_index.json").write_text(json.dumps(PIPELINE))
        (folder / "tokenizer" / "tokenizer_config.json").write_text('{"model_max_length": 77}')
    return {
        part: sum(weight.numel() for weight in network.parameters())
        for part, network in networks.items()
    }


def look(name: str, folder: Path, side: str) -> dict[str, float]:
    """Look at a picture; give seconds of this process, gigabytes at most, and what was seen."""
    from fewclicks.backbones.registry import create_backbone

    settings = {"weights": str(folder), "device": "cpu"}
    small = create_backbone(name, side=64, **settings)
    small.attention(PICTURE)  # weights stay in their file until they are used
    backbone = create_backbone(name, side=int(side), **settings)
    backbone._network = small._network
    begin = time.perf_counter(), time.process_time()
    attention = backbone.attention(PICTURE)
    end = time.perf_counter(), time.process_time()
    sums = attention.matrix.sum(axis=1, dtype=np.float64)
    return {
        "tokens": attention.grid.count,
        "furthest_sum_from_1": float(np.abs(sums - 1.0).max()),
        "seconds": end[0] - begin[0],
        "cpu_seconds": end[1] - begin[1],
        "gigabytes": _gigabytes(),
    }


def draw(name: str, folder: Path, side: str) -> dict[str, float]:
    """Draw a picture's depth once, in one step; give what it took, and what it looks like."""
    from fewclicks.backbones.registry import create_depth

    source = create_depth(
        name, weights=str(folder), device="cpu", steps=1, ensemble=1, longest_side=int(side)
    )
    begin = time.perf_counter(), time.process_time()
    values = source.depth(PICTURE).values
    end = time.perf_counter(), time.process_time()
    assert values.shape == PICTURE.shape[:2]
    return {
        "nearest": float(values.max()),
        "farthest": float(values.min()),
        "spread": float(values.std()),
        "seconds": end[0] - begin[0],
        "cpu_seconds": end[1] - begin[1],
        "gigabytes": _gigabytes(),
    }


def _gigabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


if __name__ == "__main__":
    word, name, folder, last = sys.argv[1:]
    print(json.dumps({"make": make, "look": look, "draw": draw}[word](name, Path(folder), last)))
