"""Make the README's picture from the overlays that `fewclicks demo` drew.

    .venv/bin/python tools/readme_picture.py demo docs/pictures/demo.jpg

Only photographs whose terms let anyone show them are taken.
"""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path

from PIL import Image

PICTURES = ("astronaut", "china", "coins")
HEIGHT, GAP = 400, 8
LIMIT = 300_000  # bytes


def strip(folder: Path) -> Image.Image:
    """Set the overlays side by side, as high as each other."""
    tiles = []
    for name in PICTURES:
        with Image.open(folder / f"{name}.png") as tile:
            width = round(tile.width * HEIGHT / tile.height)
            tiles.append(tile.convert("RGB").resize((width, HEIGHT), Image.Resampling.LANCZOS))
    total = sum(tile.width for tile in tiles) + GAP * (len(tiles) - 1)
    picture = Image.new("RGB", (total, HEIGHT), "white")
    left = 0
    for tile in tiles:
        picture.paste(tile, (left, 0))
        left += tile.width + GAP
    return picture


def main(folder: Path, target: Path) -> None:
    encoded = BytesIO()
    strip(folder).save(encoded, "JPEG", quality=88, optimize=True)
    if encoded.tell() > LIMIT:
        sys.exit(f"The picture has {encoded.tell()} bytes; needs {LIMIT} at most.")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(encoded.getvalue())
    print(f"Wrote {target}, {encoded.tell() // 1000} kB")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("Usage: readme_picture.py FOLDER TARGET.jpg")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
