"""Errands of `fewclicks segment`: what is done to each picture, and what is told about it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from fewclicks.cli.guidance import open_session, read_exemplar
from fewclicks.clicks import Click
from fewclicks.errors import FewclicksError, InputError
from fewclicks.files import check_writable

if TYPE_CHECKING:
    from fewclicks.cli.guidance import GuidanceFiles
    from fewclicks.images.boxes import Box
    from fewclicks.images.depth_files import DepthFiles
    from fewclicks.methods.base import AnyMethod
    from fewclicks.methods.guidance import Reference
    from fewclicks.session.session import Session


@dataclass(frozen=True, slots=True)
class WantedLevel:
    """Which of the newest click's levels: a number, or so many above the method's own."""

    number: int
    is_relative: bool

    def choose(self, session: Session) -> None:
        """Choose it in a session whose newest click it is about."""
        offered = session.levels
        session.choose_level(self.number + (offered.automatic if self.is_relative else 0))


@dataclass(frozen=True, slots=True)
class Errand:
    """One picture: what is pointed at, and where the results go."""

    picture: Path
    clicks: tuple[Click, ...]
    box: Box | None
    mask: Path
    overlay: Path | None
    cutout: Path | None
    maps: Path | None = None
    level: WantedLevel | None = None
    exemplar: Path | None = None

    @property
    def targets(self) -> list[Path]:
        """Files that are written."""
        return [path for path in (self.mask, self.overlay, self.cutout) if path is not None]

    def check(self, given: Iterable[Path]) -> None:
        """Refuse places that cannot be written, before the work and not after it.

        Parameters
        ----------
        given
            Files and folders that were named to be read; nothing in them is written over.
        """
        from fewclicks.images.writing import check_extension

        check_extension(self.mask, only_png=True)
        if self.cutout is not None:
            check_extension(self.cutout, only_png=True)
        if self.overlay is not None:
            check_extension(self.overlay)
        read = {path.resolve(): path for path in given}
        written: set[Path] = set()
        for path in self.targets:
            check_writable(path)
            place = path.resolve()
            if place == self.picture.resolve():
                raise InputError(f"{path} would be written over the picture itself.")
            if place in written:
                raise InputError(f"{path} would be written over another result.")
            if place in read or (place.parent in read and path.exists()):
                source = read.get(place) or read[place.parent]
                raise InputError(
                    f"{path} would be written over what is read from {source}; name another place."
                )
            written.add(place)


def errands_of(
    folder: Path,
    clicks: Path | None,
    out: Path,
    overlay: Path | None,
    cutout: Path | None,
    maps: Path | None,
    level: WantedLevel | None,
    guidance: GuidanceFiles,
) -> list[Errand]:
    """One errand for each picture that the file of clicks names, or without one has an exemplar."""
    from fewclicks.session.clicks_file import read_clicks_of_pictures

    if clicks is None:
        pictures: dict[str, list[Click]] = {name: [] for name in guidance.pictures_shown(folder)}
    else:
        pictures = read_clicks_of_pictures(clicks)
    _check_names(pictures, clicks or folder)
    if clicks is not None and not any((folder / name).exists() for name in pictures):
        raise InputError(f"{folder} has none of the {len(pictures)} pictures that {clicks} names.")
    return [
        Errand(
            picture=folder / name,
            clicks=tuple(places),
            box=None,
            mask=out / f"{Path(name).stem}.png",
            overlay=None if overlay is None else overlay / f"{Path(name).stem}.png",
            cutout=None if cutout is None else cutout / f"{Path(name).stem}.png",
            maps=None if maps is None else maps / Path(name).stem,
            level=level,
            exemplar=guidance.exemplar_of(name),
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


def carry_out(
    method: AnyMethod,
    errand: Errand,
    depths: DepthFiles | None,
    references: tuple[Reference, ...] = (),
) -> dict[str, Any]:
    """Segment one picture, write what is wanted, and say what was done."""
    from fewclicks.cli.maps import write_maps
    from fewclicks.images.overlay import draw_overlay
    from fewclicks.images.reading import read_image
    from fewclicks.images.writing import write_cutout, write_image, write_mask

    image = read_image(errand.picture)
    shape = image.shape[0], image.shape[1]
    depth = None if depths is None else depths.read(errand.picture.stem, shape)
    exemplar = None if errand.exemplar is None else read_exemplar(errand.exemplar, image)
    started = time.perf_counter()
    session = open_session(method, image, references, exemplar)
    if depth is not None:
        session.set_depth(depth.values)
    prepared = time.perf_counter()
    if errand.box is not None:
        session.box(errand.box.x0, errand.box.y0, errand.box.x1, errand.box.y1)
    for click in errand.clicks:
        session.click(click.x, click.y, is_positive=click.is_positive, level=click.level)
    if errand.level is not None:
        errand.level.choose(session)
    clicked = time.perf_counter()
    mask = session.mask
    if exemplar is not None and not mask.any():
        typer.echo(
            f"{errand.picture.name}: nothing else of the exemplar's kind was found; click on one.",
            err=True,
        )
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
        "references": len(references),
        "exemplar": None if errand.exemplar is None else str(errand.exemplar),
        "proposals": len(session.others.proposals),
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


def carry_out_all(
    method: AnyMethod,
    errands: Sequence[Errand],
    depths: DepthFiles | None,
    references: tuple[Reference, ...],
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
                done.append(carry_out(method, errand, depths, references))
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


def say(report: Mapping[str, Any], *, as_json: bool) -> None:
    """Tell what was done to one picture."""
    if as_json:
        typer.echo(json.dumps(report))
        return
    if report["unknown_depth"]:
        share = f"{report['unknown_depth']:.1%}"
        typer.echo(f"Depth is unknown in {share} of its pixels, and taken from beside.", err=True)
    seconds = sum(report["seconds"].values())
    typer.echo(f"Wrote {report['mask']}: {report['area']} pixels in {seconds:.2f} s")
