"""Measure the largest memory of each method: a fresh process prepares a picture and answers clicks.

    python benchmarks/memory.py [--out benchmarks/results/memory.json]

On one thread, 854 x 480 for all methods that need no torch and for SimpleClick's base network (its
numbers drawn: memory does not depend on them), 12 megapixels for three.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

SMALL, LARGE = (854, 480), (4000, 3000)
BACKBONES = {"m2n2": "builtin", "m2n2v2": "builtin", "attention_nn": "builtin", "kl_nn": "builtin"}
METHODS = (
    "default", *BACKBONES, "graphcut", "grabcut", "random_walker", "geodesic", "gsc", "esc",
    "simpleclick",
)  # fmt: skip
ROWS = [(name, SMALL) for name in METHODS]
ROWS += [(name, LARGE) for name in ("default", "m2n2", "graphcut")]


def main(out: str | None) -> None:
    from fewclicks.evaluation.machine import describe_machine
    from fewclicks.files import write_text

    rows = []
    for name, (width, height) in ROWS:
        command = [sys.executable, __file__, "--measure", name, str(width), str(height)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        rows.append(json.loads(done.stdout.splitlines()[-1]))
        print(rows[-1], file=sys.stderr)
    content = {"machine": describe_machine(threads=1), "rows": rows}
    text = json.dumps(content, indent=1) + "\n"
    if out:
        write_text(Path(out), text)
    else:
        print(text, end="")


def measure(name: str, width: int, height: int) -> dict[str, Any]:
    """Megabytes before the method is made, and the most there were until the last click."""
    import fewclicks as fc
    from fewclicks.evaluation.speed.whole_clicks import photograph, usual_clicks

    image = photograph(width, height)
    clicks = usual_clicks(image)
    before = megabytes("VmRSS")
    with tempfile.TemporaryDirectory() as folder:
        settings = {"weights": drawn_network(folder)} if name == "simpleclick" else {}
        method = fc.create_method(name, backbone=BACKBONES.get(name), **settings)
        session = fc.Session(method, image)
        for click in clicks:
            session.click(x=click.x, y=click.y, is_positive=click.is_positive)
    return {
        "method": name,
        "width": width,
        "height": height,
        "clicks": len(clicks),
        "megabytes": megabytes("VmHWM"),
        "imported_megabytes": before,
    }


def drawn_network(folder: str) -> str:
    """Save one in a process of its own, whose memory is not counted."""
    code = (
        "import sys; from pathlib import Path\n"
        "from fewclicks.methods.transformer import simpleclick_network as s\n"
        "from fewclicks.methods.transformer.network_files import save_network\n"
        "network = s.SimpleClickNetwork(s.SimpleClickNetworkConfig(size='base'))\n"
        "save_network(network, Path(sys.argv[1]))\n"
    )
    file = str(Path(folder) / "drawn.safetensors")
    subprocess.run([sys.executable, "-c", code, file], check=True)
    return file


def megabytes(key: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return round(int(next(line for line in lines if line.startswith(key)).split()[1]) / 2**10, 1)


if __name__ == "__main__":
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ[f"{library}_NUM_THREADS"] = "1"
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--out")
    asked.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.measure:
        print(json.dumps(measure(given.measure[0], *map(int, given.measure[1:]))))
    else:
        main(given.out)
