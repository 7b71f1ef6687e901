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
    from fewclicks.evaluation.clicker import SimulatedUser
    from fewclicks.evaluation.demonstration import click_in_one_session

    flower = DemonstrationDataset().samples("flower")[:1]
    picture = click_in_one_session(fc.create_method(), flower, SimulatedUser(), max_clicks=5)
    found = picture.objects[0]
    if found.iou < ENOUGH:
        sys.exit(f"IoU on the {found.name} is {found.iou:.3f}; needs {ENOUGH}.")

    loaded = [name for name in NETWORK_PACKAGES if name in sys.modules]
    if loaded:
        sys.exit(f"{', '.join(loaded)} was imported on the way.")
    print(f"fewclicks {fc.__version__}: IoU {found.iou:.3f} on the {found.name}, no torch.")


if __name__ == "__main__":
    main()
