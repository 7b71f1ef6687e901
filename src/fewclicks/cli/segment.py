"""`fewclicks segment`: masks of one picture, or of a folder of them, from clicks."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

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
from fewclicks.errors import FewclicksError, InputError, StorageError
from fewclicks.files import check_writable

if TYPE_CHECKING:
    from fewclicks.images.boxes import Box
    from fewclicks.images.depth_files import DepthFiles
    from fewclicks.methods.base import AnyMethod
    from fewclicks.session.session import Session


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
    if picture.is_dir():
        if given or limits is not None or clicks is None:
            raise typer.TyperException(
                f"{picture} is a folder; needs --clicks FILE.json with the clicks of each picture, "
                "and neither --click nor --box."
            )
        errands = _errands(picture, clicks, out, overlay, cutout, maps, wanted)
    else:
        if not picture.exists():
            raise StorageError(f"There is no file {picture}.")
        if clicks is not None:
            from fewclicks.session.clicks_file import read_clicks

            given = [*read_clicks(clicks, picture=picture.name), *given]
        if not given and limits is None:
            raise typer.TyperException(
                "Nothing is pointed at; needs --click X,Y, --clicks FILE.json or --box X0,Y0,X1,Y1."
            )
        errands = [
            _Errand(
                picture,
                tuple(given),
                limits,
                mask=out,
                overlay=overlay,
                cutout=cutout,
                maps=maps,
                level=wanted,
            )
        ]
    for errand in errands:
        errand.check()

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
    with nullcontext() if threads is None else limited_threads(threads):
        if picture.is_dir():
            _carry_out_all(chosen, errands, depths, resume=resume, as_json=as_json)
        else:
            _say(_carry_out(chosen, errands[0], depths), as_json=as_json)


@dataclass(frozen=True, slots=True)
class _WantedLevel:
    """Which of the newest click's levels: a number, or so many above the method's own."""

    number: int
    is_relative: bool

    def choose(self, session: Session) -> None:
        offered = session.levels
        session.choose_level(self.number + (offered.automatic if self.is_relative else 0))


@dataclass(frozen=True, slots=True)
class _Errand:
    """One picture: what is pointed at, and where the results go."""

    picture: Path
    clicks: tuple[Click, ...]
    box: Box | None
    mask: Path
    overlay: Path | None
    cutout: Path | None
    maps: Path | None = None
    level: _WantedLevel | None = None

    @property
    def targets(self) -> list[Path]:
        return [path for path in (self.mask, self.overlay, self.cutout) if path is not None]

    def check(self) -> None:
        """Refuse places that cannot be written, before the work and not after it."""
        from fewclicks.images.writing import check_extension

        check_extension(self.mask, only_png=True)
        if self.cutout is not None:
            check_extension(self.cutout, only_png=True)
        if self.overlay is not None:
            check_extension(self.overlay)
        taken = {self.picture.resolve(): "the picture itself"}
        for path in self.targets:
            check_writable(path)
            if path.resolve() in taken:
                raise InputError(f"{path} would be written over {taken[path.resolve()]}.")
            taken[path.resolve()] = "another result"


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


def _read_level(text: str) -> _WantedLevel:
    named = {"part": -1, "object": 0, "group": 1}
    if text in named:
        return _WantedLevel(named[text], is_relative=True)
    if re.fullmatch(r"[+-]?\d+", text, flags=re.ASCII) is None:
        raise typer.BadParameter(
            f"'{text}' is no level; needs part, object, group, a number from 0, or -N or +N.",
            param_hint="--level",
        )
    return _WantedLevel(int(text), is_relative=text[0] in "+-")


def _check_abilities(method: AnyMethod, *, maps: Path | None, level: _WantedLevel | None) -> None:
    """Refuse what the method cannot show, before it looks at any picture."""
    from fewclicks.methods.maps import with_levels, with_maps

    if maps is not None:
        with_maps(method)
    if level is not None:
        with_levels(method)


def _errands(
    folder: Path,
    clicks: Path,
    out: Path,
    overlay: Path | None,
    cutout: Path | None,
    maps: Path | None,
    level: _WantedLevel | None,
) -> list[_Errand]:
    """One errand for each picture that the file of clicks names."""
    from fewclicks.session.clicks_file import read_clicks_of_pictures

    pictures = read_clicks_of_pictures(clicks)
    _check_names(pictures, clicks)
    if not any((folder / name).exists() for name in pictures):
        raise InputError(f"{folder} has none of the {len(pictures)} pictures that {clicks} names.")
    return [
        _Errand(
            picture=folder / name,
            clicks=tuple(places),
            box=None,
            mask=out / f"{Path(name).stem}.png",
            overlay=None if overlay is None else overlay / f"{Path(name).stem}.png",
            cutout=None if cutout is None else cutout / f"{Path(name).stem}.png",
            maps=None if maps is None else maps / Path(name).stem,
            level=level,
        )
        for name, places in pictures.items()
    ]


def _check_names(names: Iterable[str], source: Path) -> None:
    seen: dict[str, str] = {}
    for name in names:
        if not name or Path(name).name != name:
            raise InputError(f"{source} names '{name}'; needs file names without a folder.")
        stem = Path(name).stem
        if stem in seen:
            raise InputError(
                f"{source} names '{seen[stem]}' and '{name}', whose masks would both be {stem}.png;"
                " rename one."
            )
        seen[stem] = name


def _carry_out(method: AnyMethod, errand: _Errand, depths: DepthFiles | None) -> dict[str, Any]:
    """Segment one picture, write what is wanted, and say what was done."""
    from fewclicks.cli.maps import write_maps
    from fewclicks.images.overlay import draw_overlay
    from fewclicks.images.reading import read_image
    from fewclicks.images.writing import write_cutout, write_image, write_mask
    from fewclicks.session.session import Session

    image = read_image(errand.picture)
    shape = image.shape[0], image.shape[1]
    depth = None if depths is None else depths.read(errand.picture.stem, shape)
    started = time.perf_counter()
    session = Session(method, image, depth=None if depth is None else depth.values)
    prepared = time.perf_counter()
    if errand.box is not None:
        session.box(errand.box.x0, errand.box.y0, errand.box.x1, errand.box.y1)
    for click in errand.clicks:
        session.click(click.x, click.y, is_positive=click.is_positive, level=click.level)
    if errand.level is not None:
        errand.level.choose(session)
    clicked = time.perf_counter()
    mask = session.mask
    if errand.overlay is not None:
        write_image(errand.overlay, draw_overlay(image, mask, session.clicks))
    if errand.cutout is not None:
        write_cutout(errand.cutout, image, mask)
    if errand.maps is not None:
        write_maps(errand.maps, image, session.maps)
    write_mask(errand.mask, mask)  # last, since a picture with a mask counts as done
    return {
        "picture": str(errand.picture),
        "width": image.shape[1],
        "height": image.shape[0],
        "clicks": [[click.x, click.y, click.is_positive] for click in errand.clicks],
        "unknown_depth": None if depth is None else round(depth.unknown, 4),
        "area": int(mask.sum()),
        "mask": str(errand.mask),
        "overlay": None if errand.overlay is None else str(errand.overlay),
        "cutout": None if errand.cutout is None else str(errand.cutout),
        "maps": None if errand.maps is None else str(errand.maps),
        "seconds": {
            "prepare": round(prepared - started, 4),
            "clicks": round(clicked - prepared, 4),
        },
    }


def _carry_out_all(
    method: AnyMethod,
    errands: Sequence[_Errand],
    depths: DepthFiles | None,
    *,
    resume: bool,
    as_json: bool,
) -> None:
    """Go through all pictures; one that fails is named, and the others go on."""
    from fewclicks.cli.progress import progress

    done: list[dict[str, Any]] = []
    failed: list[dict[str, str]] = []
    left = [errand for errand in errands if not (resume and errand.mask.exists())]
    with progress("segment") as tell:
        for number, errand in enumerate(left):
            tell(number, len(left))
            try:
                done.append(_carry_out(method, errand, depths))
            except FewclicksError as error:
                failed.append({"picture": str(errand.picture), "error": str(error)})
                typer.echo(f"{errand.picture.name}: {error}", err=True)
        tell(len(left), len(left))
    if as_json:
        skipped = len(errands) - len(left)
        typer.echo(json.dumps({"pictures": done, "skipped": skipped, "failed": failed}))
    else:
        typer.echo(f"Wrote {len(done)} masks to {errands[0].mask.parent}")
    if failed:
        names = ", ".join(Path(one["picture"]).name for one in failed)
        typer.echo(f"Error: {len(failed)} of {len(left)} pictures failed: {names}", err=True)
        raise typer.Exit(1)


def _say(report: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(report))
        return
    if report["unknown_depth"]:
        share = f"{report['unknown_depth']:.1%}"
        typer.echo(f"Depth is unknown in {share} of its pixels, and taken from beside.", err=True)
    seconds = sum(report["seconds"].values())
    typer.echo(f"Wrote {report['mask']}: {report['area']} pixels in {seconds:.2f} s")
