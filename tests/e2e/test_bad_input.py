"""Whatever is typed wrong: one clear line, exit code 1 or 2, no traceback, nothing half-written."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

from drawing import enlarge, mask, paint
from fewclicks.cli.app import main
from fewclicks.images.writing import write_image, write_mask

FAILED, WRONG_USE = 1, 2

BLOB = enlarge(mask("......", "..##..", "..##..", "......"), 8)
CLICK = ("--click=20,15",)
TO_MASK = ("--out", "new/mask.png")


def _png_header(width: int, height: int) -> bytes:
    """A PNG that says how large it is, and then ends."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    whole = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + whole + struct.pack(">I", 64) + b"IDAT"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one good picture, one good data set and everything that is wrong."""
    write_image(tmp_path / "dog.png", paint(BLOB))
    write_image(tmp_path / "dog.jpg", np.random.default_rng(0).integers(0, 256, (64, 64, 3), "u1"))
    whole = (tmp_path / "dog.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.jpg").write_text("I am a dog.")
    (tmp_path / "bomb.png").write_bytes(_png_header(100_000, 100_000) + b"\0" * 64)
    for name in ("no pictures", "a folder.png"):
        (tmp_path / name).mkdir()
    (tmp_path / "file").touch()
    for name, content in {
        "garbage": "{",
        "number": "7",
        "bytes": "\udcff",
        "pairs": [[1, 2, True, 4]],
        "far": [[500, 500]],
        "fraction": [[1.5, 2]],
        "other": {"cat.png": [[1, 1]]},
        "escape": {"../dog.png": [[1, 1]]},
        "twins": {"dog.png": [[1, 1]], "dog.jpg": [[1, 1]]},
        "nothing": {},
        "all far": {"dog.png": [[500, 500]]},
    }.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (tmp_path / f"{name}.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    write_image(tmp_path / "data" / "images" / "dog.png", paint(BLOB))
    write_mask(tmp_path / "data" / "masks" / "dog.png", BLOB)
    write_image(tmp_path / "unpaired" / "images" / "dog.png", paint(BLOB))
    (tmp_path / "unpaired" / "masks").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FEWCLICKS_DATA", raising=False)
    return tmp_path


def _segment(*arguments: str) -> tuple[str, ...]:
    return ("segment", *arguments, "--method", "graphcut")


def _evaluate(*arguments: str) -> tuple[str, ...]:
    given = " ".join(arguments)
    usual = {"--dataset": "folder", "--data": "data", "--out": "new/run", "--method": "graphcut"}
    missing = [part for key in usual if f"{key} " not in f"{given} " for part in (key, usual[key])]
    return ("evaluate", *arguments, *missing)


BAD = {
    # the use of the command line
    "no verb": ((), WRONG_USE, "No verb"),
    "unknown verb": (("segmnt",), WRONG_USE, "Did you mean 'segment'"),
    "unknown option": (("methods", "--jsn"), WRONG_USE, "--jsn"),
    "one argument too many": (("methods", "all"), WRONG_USE, "all"),
    "segment nothing": (("segment",), WRONG_USE, "IMAGE|FOLDER"),
    "segment to nowhere": (("segment", "dog.png", *CLICK), WRONG_USE, "--out"),
    "an option without its value": (("segment", "dog.png", "--click"), WRONG_USE, "--click"),
    # pictures
    "missing picture": (_segment("cow.png", *CLICK, *TO_MASK), FAILED, "no file cow.png"),
    "picture of no bytes": (_segment("empty.png", *CLICK, *TO_MASK), FAILED, "is empty"),
    "truncated JPEG": (_segment("cut.jpg", *CLICK, *TO_MASK), FAILED, "cut short"),
    "text called JPEG": (_segment("text.jpg", *CLICK, *TO_MASK), FAILED, "no picture"),
    "bomb": (_segment("bomb.png", *CLICK, *TO_MASK), FAILED, "megapixels"),
    "a picture below a file": (_segment("file/dog.png", *CLICK, *TO_MASK), FAILED, "no file"),
    # clicks
    "no click": (_segment("dog.png", *TO_MASK), WRONG_USE, "Nothing is pointed at"),
    "click outside": (_segment("dog.png", "--click=48,3", *TO_MASK), FAILED, "width 48"),
    "negative click outside": (_segment("dog.png", "--click=-3,32", *TO_MASK), FAILED, "height 32"),
    "click of huge numbers": (
        _segment("dog.png", "--click=99999999999999999999,1", *TO_MASK),
        FAILED,
        "outside",
    ),
    "click in words": (_segment("dog.png", "--click=left,top", *TO_MASK), WRONG_USE, "X,Y"),
    "click of one number": (_segment("dog.png", "--click=20", *TO_MASK), WRONG_USE, "X,Y"),
    "click of three numbers": (_segment("dog.png", "--click=1,2,3", *TO_MASK), WRONG_USE, "X,Y"),
    "fractional click": (_segment("dog.png", "--click=1.5,2", *TO_MASK), WRONG_USE, "whole"),
    "click that is not a number": (
        _segment("dog.png", "--click=nan,2", *TO_MASK),
        WRONG_USE,
        "X,Y",
    ),
    "negative row": (_segment("dog.png", "--click=2,-5", *TO_MASK), WRONG_USE, "X,Y"),
    "empty click": (_segment("dog.png", "--click=", *TO_MASK), WRONG_USE, "X,Y"),
    "digits of another script": (_segment("dog.png", "--click=२,३", *TO_MASK), WRONG_USE, "X,Y"),
    # boxes
    "inverted box": (_segment("dog.png", "--box=20,20,4,4", *TO_MASK), FAILED, "empty"),
    "box of no width": (_segment("dog.png", "--box=4,4,4,20", *TO_MASK), FAILED, "empty"),
    "box outside": (_segment("dog.png", "--box=4,4,49,20", *TO_MASK), FAILED, "leaves the image"),
    "box from before the corner": (
        _segment("dog.png", "--box=-1,0,9,9", *TO_MASK),
        FAILED,
        "leaves",
    ),
    "box of three numbers": (_segment("dog.png", "--box=1,2,3", *TO_MASK), WRONG_USE, "X0,Y0"),
    "click outside the box": (
        _segment("dog.png", "--box=0,0,9,9", *CLICK, *TO_MASK),
        FAILED,
        "outside the Box",
    ),
    # files of clicks
    "missing file of clicks": (
        _segment("dog.png", "--clicks", "none.json", *TO_MASK),
        FAILED,
        "none.json",
    ),
    "a folder of clicks": (
        _segment("dog.png", "--clicks", "no pictures", *TO_MASK),
        FAILED,
        "no pictures",
    ),
    "garbage for clicks": (
        _segment("dog.png", "--clicks", "garbage.json", *TO_MASK),
        FAILED,
        "no JSON",
    ),
    "bytes for clicks": (_segment("dog.png", "--clicks", "bytes.json", *TO_MASK), FAILED, "UTF-8"),
    "a number for clicks": (
        _segment("dog.png", "--clicks", "number.json", *TO_MASK),
        FAILED,
        "neither",
    ),
    "clicks of four": (_segment("dog.png", "--clicks", "pairs.json", *TO_MASK), FAILED, "number 1"),
    "fraction in a file": (
        _segment("dog.png", "--clicks", "fraction.json", *TO_MASK),
        FAILED,
        "number 1, x",
    ),
    "click of a file outside": (
        _segment("dog.png", "--clicks", "far.json", *TO_MASK),
        FAILED,
        "outside",
    ),
    "clicks of another picture": (
        _segment("dog.png", "--clicks", "other.json", *TO_MASK),
        FAILED,
        "no clicks for dog.png",
    ),
    # folders
    "folder without clicks": (_segment(".", *TO_MASK), WRONG_USE, "needs --clicks"),
    "folder with a click": (_segment(".", *CLICK, *TO_MASK), WRONG_USE, "neither --click"),
    "empty folder": (
        _segment("no pictures", "--clicks", "other.json", "--out", "new"),
        FAILED,
        "has none",
    ),
    "one list for a folder": (
        _segment(".", "--clicks", "far.json", "--out", "new"),
        FAILED,
        "one for each picture",
    ),
    "a folder's pictures are none": (
        _segment(".", "--clicks", "nothing.json", "--out", "new"),
        FAILED,
        "names no picture",
    ),
    "a name that leaves the folder": (
        _segment("no pictures", "--clicks", "escape.json", "--out", "new"),
        FAILED,
        "without a folder",
    ),
    "two pictures, one mask": (
        _segment(".", "--clicks", "twins.json", "--out", "new"),
        FAILED,
        "both be dog.png",
    ),
    "masks over their pictures": (
        _segment(".", "--clicks", "all far.json", "--out", "."),
        FAILED,
        "over the picture itself",
    ),
    # results
    "out below a file": (_segment("dog.png", *CLICK, "--out", "file/m.png"), FAILED, "is a file"),
    "out is a folder": (
        _segment("dog.png", *CLICK, "--out", "a folder.png"),
        FAILED,
        "is a folder",
    ),
    "out of unknown kind": (
        _segment("dog.png", *CLICK, "--out", "new/m.xyz"),
        FAILED,
        "ends in .png",
    ),
    "mask as JPEG": (_segment("dog.png", *CLICK, "--out", "new/m.jpg"), FAILED, "ends in .png"),
    "out with no name": (_segment("dog.png", *CLICK, "--out", ""), FAILED, "Cannot write"),
    "overlay of unknown kind": (
        _segment("dog.png", *CLICK, *TO_MASK, "--overlay", "o.svg"),
        FAILED,
        "ends in .png, .jpg",
    ),
    "cutout as JPEG": (
        _segment("dog.png", *CLICK, *TO_MASK, "--cutout", "c.jpg"),
        FAILED,
        "ends in .png",
    ),
    "overlay below a file": (
        _segment("dog.png", *CLICK, *TO_MASK, "--overlay", "file/o.png"),
        FAILED,
        "is a file",
    ),
    "out over the picture": (_segment("dog.png", *CLICK, "--out", "dog.png"), FAILED, "itself"),
    # methods and their settings
    "unknown method": (
        ("segment", "dog.png", *CLICK, *TO_MASK, "--method", "graph_cut"),
        WRONG_USE,
        "Did you mean 'graphcut'",
    ),
    "unknown backbone": (
        ("segment", "dog.png", *CLICK, *TO_MASK, "--backbone", "color"),
        WRONG_USE,
        "Did you mean 'colour'",
    ),
    "backbone for a method without one": (
        _segment("dog.png", *CLICK, *TO_MASK, "--backbone", "colour"),
        FAILED,
        "takes no backbone",
    ),
    "unknown setting": (
        _segment("dog.png", *CLICK, *TO_MASK, "--set", "radus=3"),
        WRONG_USE,
        "Did you mean 'radius'",
    ),
    "setting out of range": (
        _segment("dog.png", *CLICK, *TO_MASK, "--set", "bins=0"),
        FAILED,
        "bins",
    ),
    "setting not a number": (
        _segment("dog.png", *CLICK, *TO_MASK, "--set", "strength=very"),
        FAILED,
        "a number",
    ),
    "setting that is no number": (
        _segment("dog.png", *CLICK, *TO_MASK, "--set", "strength=nan"),
        FAILED,
        "strength",
    ),
    "setting without a value": (
        _segment("dog.png", *CLICK, *TO_MASK, "--set", "radius"),
        WRONG_USE,
        "KEY=VALUE",
    ),
    "no threads": (_segment("dog.png", *CLICK, *TO_MASK, "--threads", "0"), WRONG_USE, "--threads"),
    "threads in words": (
        _segment("dog.png", *CLICK, *TO_MASK, "--threads", "many"),
        WRONG_USE,
        "--threads",
    ),
    # evaluate
    "evaluate nothing": (("evaluate",), WRONG_USE, "--out"),
    "evaluate on nothing": (("evaluate", "--out", "new/run"), WRONG_USE, "--dataset"),
    "missing data": (_evaluate("--data", "none"), FAILED, "none"),
    "no data said": (
        ("evaluate", "--dataset", "grabcut", "--out", "new/run"),
        FAILED,
        "FEWCLICKS_DATA",
    ),
    "data without masks": (_evaluate("--data", "unpaired"), FAILED, "mask"),
    "unknown data set": (_evaluate("--dataset", "grabcutt"), WRONG_USE, "Did you mean 'grabcut'"),
    "unknown rule": (_evaluate("--rule", "ritmm"), WRONG_USE, "ritm"),
    "unknown method to evaluate": (
        _evaluate("--method", "graph_cut"),
        WRONG_USE,
        "Did you mean 'graphcut'",
    ),
    "unknown setting to evaluate": (_evaluate("--set", "radus=3"), WRONG_USE, "radius"),
    "negative limit": (_evaluate("--limit", "-1"), FAILED, "limit"),
    "no clicks at all": (_evaluate("--max-clicks", "0"), FAILED, "max_clicks"),
    "no workers": (_evaluate("--workers", "0"), FAILED, "workers"),
    "negative jitter": (_evaluate("--jitter", "-2"), FAILED, "jitter"),
    "unknown subset": (_evaluate("--subset", "third"), FAILED, "third"),
    "result below a file": (_evaluate("--out", "file/run"), FAILED, "file"),
    # report, datasets, demo
    "report of nothing": (("report", "--out", "new"), WRONG_USE, "RESULT"),
    "missing result": (("report", "none.json", "--out", "new"), FAILED, "none.json"),
    "garbage for a result": (("report", "garbage.json", "--out", "new"), FAILED, "garbage.json"),
    "a result of another kind": (("report", "other.json", "--out", "new"), FAILED, "other.json"),
    "data sets of what": (("datasets",), WRONG_USE, "command"),
    "check of a missing folder": (("datasets", "check", "none"), FAILED, "none"),
    "demo below a file": (("demo", "--out", "file/demo"), FAILED, "file"),
    "demo of an unknown method": (("demo", "--method", "fewclick"), WRONG_USE, "Did you mean"),
}


def _contents(folder: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


@pytest.mark.parametrize(("arguments", "code", "hint"), BAD.values(), ids=BAD)
def test_bad_input_is_answered_in_one_line_and_leaves_nothing(
    place: Path,
    arguments: tuple[str, ...],
    code: int,
    hint: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    before = _contents(place)
    monkeypatch.setattr(sys, "argv", ["fewclicks", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    out, err = capsys.readouterr()

    assert end.value.code == code, err
    assert len([line for line in err.splitlines() if line.strip()]) == 1
    assert err.startswith("Error: ")
    assert hint in err
    assert "--debug" not in err  # that is what we say of an error that we did not foresee
    assert "Traceback" not in out + err
    assert _contents(place) == before


@pytest.mark.parametrize("name", ["missing picture", "unknown method", "no click", "bomb"])
def test_a_shell_sees_the_same(place: Path, name: str):
    arguments, code, hint = BAD[name]
    run = subprocess.run(
        [sys.executable, "-m", "fewclicks", *arguments],
        capture_output=True, text=True, check=False, cwd=place,
    )  # fmt: skip

    assert run.returncode == code
    assert run.stdout == ""
    assert len(run.stderr.splitlines()) == 1
    assert run.stderr.startswith("Error: ")
    assert hint in run.stderr


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="nothing is read-only to root"
)
@pytest.mark.parametrize("option", ["--out", "--overlay", "--cutout"])
def test_a_read_only_folder_is_said_before_the_work(
    place: Path, option: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    (place / "locked").mkdir(mode=0o555)
    results = {"--out": "mask.png", option: "locked/result.png"}
    arguments = [part for pair in results.items() for part in pair]
    monkeypatch.setattr(sys, "argv", ["fewclicks", *_segment("dog.png", *CLICK, *arguments)])
    with pytest.raises(SystemExit) as end:
        main()

    assert end.value.code == FAILED
    assert "permission denied" in capsys.readouterr().err
    assert not (place / "mask.png").exists()
