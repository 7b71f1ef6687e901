"""`fewclicks segment`: masks of one picture, or of a folder of them, from clicks."""

from __future__ import annotations

import re
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fewclicks.cli.errands import Errand, WantedLevel, carry_out, carry_out_all, errands_of, say
from fewclicks.cli.guidance import (
    ExemplarMask,
    GuidanceFiles,
    ReferenceMasks,
    ReferenceNegatives,
    ReferencePictures,
)
from fewclicks.cli.options import (
    BackboneName,
    DepthChoice,
    DepthKindChoice,
    DeviceName,
    MethodName,
    Settings,
    read_pairs,
)
from fewclicks.clicks import Click
from fewclicks.errors import StorageError

if TYPE_CHECKING:
    from fewclicks.images.boxes import Box
    from fewclicks.methods.base import AnyMethod


def segment(
    picture: Annotated[
        Path, typer.Argument(metavar="IMAGE|FOLDER", help="A picture, or a folder of pictures.")
    ],
    out: Annotated[
        Path, typer.Option(help="The mask, a .png; of a folder: the folder for NAME.png.")
    ],
    click: Annotated[
        list[str] | None,
        typer.Option(
            metavar="X,Y",
            help="A pixel of the object; with a leading minus (--click=-X,Y) one off it. "
            "Repeatable.",
        ),
    ] = None,
    clicks: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.json",
            help="JSON: a list of clicks, each a list of x, y and true (on the object) or false; "
            "for a folder, an object with such a list for each picture's name.",
        ),
    ] = None,
    box: Annotated[
        str | None,
        typer.Option(metavar="X0,Y0,X1,Y1", help="The object lies inside; x1, y1 are outside."),
    ] = None,
    method: MethodName = "default",
    backbone: BackboneName = None,
    depth: DepthChoice = None,
    depth_kind: DepthKindChoice = "inverse",
    reference: ReferencePictures = None,
    reference_mask: ReferenceMasks = None,
    reference_negative: ReferenceNegatives = None,
    exemplar: ExemplarMask = None,
    device: DeviceName = None,
    settings: Settings = None,
    overlay: Annotated[
        Path | None,
        typer.Option(help="The mask and the clicks over the picture; a folder, of a folder."),
    ] = None,
    cutout: Annotated[
        Path | None,
        typer.Option(help="The object on a transparent ground, a .png; a folder, of a folder."),
    ] = None,
    maps: Annotated[
        Path | None,
        typer.Option(help="A folder for what the method saw from each click, stage by stage."),
    ] = None,
    level: Annotated[
        str | None,
        typer.Option(
            metavar="part|object|group|N",
            help="Another segment of the newest click's map: one smaller or one larger than what "
            "the method would choose, or number N from 0; --level=-2 and +2 go further.",
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Of a folder: leave out pictures that have a mask.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
    threads: Annotated[int | None, typer.Option(min=1, help="At most, for arithmetic.")] = None,
) -> None:
    """Segment what is clicked in a picture, or in each picture of a folder."""
    given = [_read_click(text) for text in click or []]
    limits = None if box is None else _read_box(box)
    wanted = None if level is None else _read_level(level)
    guidance = GuidanceFiles(
        references=tuple(reference or ()),
        masks=tuple(reference_mask or ()),
        negatives=tuple(reference_negative or ()),
        exemplar=exemplar,
    )
    guidance.check(method, of_folder=picture.is_dir())
    if picture.is_dir():
        if given or limits is not None or (clicks is None and exemplar is None):
            raise typer.TyperException(
                f"{picture} is a folder; needs --clicks FILE.json with the clicks of each picture "
                "or --exemplar FOLDER, and neither --click nor --box."
            )
        errands = errands_of(picture, clicks, out, overlay, cutout, maps, wanted, guidance)
    else:
        if not picture.exists():
            raise StorageError(f"There is no file {picture}.")
        if clicks is not None:
            from fewclicks.session.clicks_file import read_clicks

            given = [*read_clicks(clicks, picture=picture.name), *given]
        if not given and limits is None and exemplar is None:
            raise typer.TyperException(
                "Nothing is pointed at; needs --click X,Y, --clicks FILE.json, "
                "--box X0,Y0,X1,Y1 or --exemplar MASK."
            )
        errands = [
            Errand(
                picture,
                tuple(given),
                limits,
                mask=out,
                overlay=overlay,
                cutout=cutout,
                maps=maps,
                level=wanted,
                exemplar=exemplar,
            )
        ]
    read = [picture, *guidance.files, *(Path(one) for one in (clicks, depth) if one is not None)]
    for errand in errands:
        if not (resume and errand.mask.exists()):
            errand.check(read)

    from fewclicks.backbones.registry import choose_depth, device_settings
    from fewclicks.evaluation.threads import limited_threads
    from fewclicks.methods.registry import create_method, find_method

    source, depths = choose_depth(depth, depth_kind)
    if picture.is_dir() and depths is not None and not depths.place.is_dir():
        raise typer.TyperException(
            f"{picture} is a folder and {depth} is one file; needs a folder with the depth of "
            "each picture."
        )
    typed = read_pairs("--set", settings)
    of_device = device_settings(
        device,
        backbone=backbone,
        depth=source,
        method_is_network="torch" in find_method(method).needs,
    )
    chosen = create_method(method, backbone=backbone, depth=source, **{**of_device, **typed})
    _check_abilities(chosen, maps=maps, level=wanted)
    references = guidance.read_references()
    with nullcontext() if threads is None else limited_threads(threads):
        if picture.is_dir():
            carry_out_all(chosen, errands, depths, references, resume=resume, as_json=as_json)
        else:
            say(carry_out(chosen, errands[0], depths, references), as_json=as_json)


def _read_click(text: str) -> Click:
    found = re.fullmatch(r"(-?)(\d+),(\d+)", text.replace(" ", ""), flags=re.ASCII)
    if found is None:
        raise typer.BadParameter(
            f"'{text}' is no click; needs X,Y in whole pixels, as 210,140, or -210,140 for a pixel "
            "off the object.",
            param_hint="--click",
        )
    minus, x, y = found.groups()
    return Click(x=int(x), y=int(y), is_positive=not minus)


def _read_box(text: str) -> Box:
    from fewclicks.images.boxes import Box

    found = re.fullmatch(r"(-?\d+),(-?\d+),(-?\d+),(-?\d+)", text.replace(" ", ""), flags=re.ASCII)
    if found is None:
        raise typer.BadParameter(
            f"'{text}' is no box; needs X0,Y0,X1,Y1 in whole pixels, as 20,10,200,180.",
            param_hint="--box",
        )
    return Box(*(int(side) for side in found.groups()))


def _read_level(text: str) -> WantedLevel:
    named = {"part": -1, "object": 0, "group": 1}
    if text in named:
        return WantedLevel(named[text], is_relative=True)
    if re.fullmatch(r"[+-]?\d+", text, flags=re.ASCII) is None:
        raise typer.BadParameter(
            f"'{text}' is no level; needs part, object, group, a number from 0, or -N or +N.",
            param_hint="--level",
        )
    return WantedLevel(int(text), is_relative=text[0] in "+-")


def _check_abilities(method: AnyMethod, *, maps: Path | None, level: WantedLevel | None) -> None:
    """Refuse what the method cannot show, before it looks at any picture."""
    from fewclicks.methods.maps import with_levels, with_maps

    if maps is not None:
        with_maps(method)
    if level is not None:
        with_levels(method)
