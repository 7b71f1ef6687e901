"""Segment a photograph in an environment that has the core install only.

Run by a Python that has the package but not its extras, from any folder.
"""

from __future__ import annotations

import importlib.util
import sys

NETWORK_PACKAGES = ("torch", "transformers", "diffusers", "lightning")
ENOUGH = 0.9  # IoU on an easy flower; a broken install is far below


def main() -> None:
    present = [name for name in NETWORK_PACKAGES if importlib.util.find_spec(name)]
    if present:
        sys.exit(f"This environment has {', '.join(present)}; needs the core install only.")

    import fewclicks as fc
    from fewclicks.datasets.demonstration import DemonstrationDataset
    from fewclicks.images.masks import iou

    flower = DemonstrationDataset().samples("flower")[0]
    session = fc.Session(fc.create_method(), flower.image)
    session.click(x=306, y=222)
    session.click(x=60, y=60, is_positive=False)
    session.click(x=330, y=410, is_positive=False)
    found = iou(session.mask, flower.object_mask)
    if found < ENOUGH:
        sys.exit(f"IoU on {flower.id} is {found:.3f}; needs {ENOUGH}.")

    loaded = [name for name in NETWORK_PACKAGES if name in sys.modules]
    if loaded:
        sys.exit(f"{', '.join(loaded)} was imported on the way.")
    print(f"fewclicks {fc.__version__}: IoU {found:.3f} on {flower.id}, no torch.")


if __name__ == "__main__":
    main()
