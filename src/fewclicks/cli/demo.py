"""`fewclicks demo`: the method on real photographs, clicked by the simulated user."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from fewclicks.cli.options import BackboneName, MethodName

if TYPE_CHECKING:
    from fewclicks.arrays import RgbImage
    from fewclicks.datasets.demonstration import DemonstrationDataset
    from fewclicks.evaluation.demonstration import ClickedPicture
    from fewclicks.methods.base import AnyMethod

SHEET: Final = "contact_sheet.png"
RESULT: Final = "demo.json"


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the overlays and demo.json.")] = Path(
        "fewclicks-demo"
    ),
    method: MethodName = "default",
    backbone: BackboneName = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Segment photographs that need no download: overlays, a contact sheet, IoU per click."""
    import json

    from fewclicks.datasets.demonstration import DemonstrationDataset
    from fewclicks.files import check_writable, write_text
    from fewclicks.images.overlay import contact_sheet
    from fewclicks.images.writing import write_image
    from fewclicks.methods.registry import create_method

    check_writable(out / SHEET)
    chosen = create_method(method, backbone=backbone)
    dataset = DemonstrationDataset()
    pictures, overlays = [], []
    for picture in _click_all(chosen, dataset):
        pictures.append(picture)
        overlays.append(draw_picture(picture))
        write_image(out / f"{picture.name}.png", overlays[-1])
    write_image(out / SHEET, contact_sheet(overlays, [_caption(p) for p in pictures], columns=3))
    result = {"method": method, **_describe(chosen, dataset, pictures, out)}
    write_text(out / RESULT, json.dumps(result, indent=2) + "\n")
    if as_json:
        typer.echo(json.dumps(result))
    else:
        _print_table(result)


def draw_picture(picture: ClickedPicture) -> RgbImage:
    """Draw all objects in their colours, with each one's clicks numbered from 1."""
    from fewclicks.images.overlay import draw_overlay

    canvas = draw_overlay(picture.image, finished=[(found.mask, "") for found in picture.objects])
    for found in picture.objects:
        canvas = draw_overlay(canvas, clicks=found.clicks)
    return canvas


def _click_all(method: AnyMethod, dataset: DemonstrationDataset) -> Iterator[ClickedPicture]:
    """Go through the pictures behind a bar on stderr."""
    from fewclicks.cli.progress import progress
    from fewclicks.evaluation.clicker import SimulatedUser
    from fewclicks.evaluation.demonstration import click_in_one_session
    from fewclicks.methods.warm_up import warm_up

    with progress("Clicking photographs") as watch:
        warm_up(method)
        for done, name in enumerate(dataset.pictures):
            watch(done, len(dataset.pictures))
            yield click_in_one_session(method, dataset.samples(name), SimulatedUser())


def _describe(
    method: AnyMethod,
    dataset: DemonstrationDataset,
    pictures: Sequence[ClickedPicture],
    out: Path,
) -> dict[str, Any]:
    from dataclasses import asdict

    from fewclicks import __version__

    ious = [found.iou for picture in pictures for found in picture.objects]
    return {
        "fewclicks": __version__,
        "config": asdict(method.config),
        "mean_iou": sum(ious) / len(ious),
        "min_iou": min(ious),
        "contact_sheet": str(out / SHEET),
        "pictures": [
            {
                "picture": picture.name,
                "credit": dataset.credit(picture.name),
                "overlay": str(out / f"{picture.name}.png"),
                "prepare_ms": 1000 * picture.prepare_seconds,
            }
            for picture in pictures
        ],
        "objects": [
            {
                "picture": picture.name,
                "object": found.name,
                "clicks": [[c.x, c.y, c.is_positive] for c in found.clicks],
                "ious": list(found.ious),
                "iou": found.iou,
                "ms_per_click": 1000 * found.click_seconds / max(1, len(found.clicks)),
            }
            for picture in pictures
            for found in picture.objects
        ],
    }


def _caption(picture: ClickedPicture) -> str:
    lines = [picture.name]
    for found in picture.objects:
        count = len(found.clicks)
        lines.append(f"{found.name}: IoU {found.iou:.2f} in {count} click{'s' * (count != 1)}")
    return "\n".join(lines)


def _print_table(result: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("picture", "object", "IoU in % after click 1, 2, …")
    for title in ("clicks", "IoU", "ms per click"):
        table.add_column(title, justify="right")
    above = ""
    for found in result["objects"]:
        if above and found["picture"] != above:
            table.add_section()
        table.add_row(
            found["picture"] if found["picture"] != above else "",
            found["object"],
            " ".join(f"{100 * value:.0f}" for value in found["ious"]),
            str(len(found["clicks"])),
            f"{found['iou']:.3f}",
            f"{found['ms_per_click']:.0f}",
        )
        above = found["picture"]
    Console().print(table)
    typer.echo(f"IoU: mean {result['mean_iou']:.3f}, least {result['min_iou']:.3f}")
    typer.echo(f"Overlays: {result['contact_sheet']}")
