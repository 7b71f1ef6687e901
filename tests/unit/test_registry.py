from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
import types
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest

from fewclicks.backbones.registry import (
    BACKBONES,
    DEPTHS,
    EMBEDDED_BACKBONE,
    BackboneEntry,
    create_backbone,
    find_backbone,
)
from fewclicks.errors import InputError, UnknownEntryError, WeightsError
from fewclicks.methods import registry
from fewclicks.methods.registry import METHODS, MethodEntry, create_method, find_method


@dataclass(frozen=True, kw_only=True)
class _PlainConfig:
    radius: int = 5
    sharpness: float = 0.5
    smooth: bool = True
    space: str = "lab"
    limit: int | None = None

    def __post_init__(self) -> None:
        if self.radius <= 0:
            raise InputError(f"radius is {self.radius}; needs a number above 0.")


class _Plain:
    config_type: ClassVar[type] = _PlainConfig

    def __init__(self, config: _PlainConfig) -> None:
        self.config = config


class _Seeing(_Plain):
    def __init__(self, backbone: object, config: _PlainConfig, depth: object | None = None) -> None:
        super().__init__(config)
        self.backbone = backbone
        self.depth = depth


@pytest.fixture
def entries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two methods made here, and no others."""
    module = types.ModuleType("made_here")
    vars(module).update(Plain=_Plain, Seeing=_Seeing)
    monkeypatch.setitem(sys.modules, "made_here", module)
    made = {
        name: MethodEntry(
            name=name, family="f", target=f"made_here:{target}", source="", summary="", needs=needs
        )
        for name, target, needs in [
            ("plain", "Plain", frozenset()),
            ("seeing", "Seeing", frozenset({"backbone"})),
        ]
    }
    made["seeing"] = replace(made["seeing"], takes=frozenset({"depth"}))
    monkeypatch.setattr(registry, "_BY_NAME", made)
    monkeypatch.setattr(registry, "create_backbone", lambda name, **settings: (name, settings))
    monkeypatch.setattr(registry, "create_depth", lambda name, **settings: (name, settings))


@pytest.mark.parametrize(
    "table", [METHODS, (*BACKBONES, *DEPTHS)], ids=["methods", "backbones and depth sources"]
)
def test_names_in_a_table_are_distinct(table: tuple[MethodEntry | BackboneEntry, ...]):
    names = [entry.name for entry in table]

    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9]+([-_][a-z0-9]+)*", name) for name in names)


@pytest.mark.parametrize("entry", [*METHODS, *BACKBONES, *DEPTHS], ids=lambda entry: entry.name)
def test_every_entry_names_a_class_that_is_there(entry: MethodEntry | BackboneEntry):
    module, _, name = entry.target.partition(":")

    assert isinstance(getattr(importlib.import_module(module), name), type)


@pytest.mark.parametrize(
    "entry", [each for each in METHODS if "weights" not in each.needs], ids=lambda entry: entry.name
)
def test_every_method_can_be_created_by_its_name(entry: MethodEntry):
    method = create_method(entry.name)

    assert method.config == type(method).config_type()
    assert entry.source
    assert entry.summary


@pytest.mark.parametrize(
    "entry", [each for each in METHODS if "weights" in each.needs], ids=lambda entry: entry.name
)
def test_a_method_without_weights_of_its_own_says_how_to_name_or_fetch_some(
    entry: MethodEntry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("FEWCLICKS_CACHE", str(tmp_path / "ours"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    answer = "fewclicks weights fetch" if entry.family == "peers" else f"'{entry.name}' .* --set w"
    with pytest.raises(WeightsError, match=answer) as caught:
        create_method(entry.name)

    assert "\n" not in str(caught.value)


def test_the_default_is_our_own_method_on_the_embedded_backbone():
    assert find_method("default").target == find_method("fewclicks").target
    assert create_backbone().name == EMBEDDED_BACKBONE == "builtin"
    assert type(create_method()) is type(create_method("fewclicks"))


def test_reading_the_tables_imports_no_method_and_no_backbone():
    program = (
        "import json, sys\n"
        "import fewclicks.methods.registry\n"
        "print(json.dumps([name for name in sys.modules if name.startswith('fewclicks.')]))\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    targets = {entry.target.partition(":")[0] for entry in (*METHODS, *BACKBONES, *DEPTHS)}

    assert not targets & set(json.loads(run.stdout))


def test_a_near_miss_is_offered():
    with pytest.raises(UnknownEntryError, match=r"No method is called 'graph_cut'\. Did you mean"):
        create_method("graph_cut")
    with pytest.raises(UnknownEntryError, match=r"Did you mean 'colour'\?"):
        find_backbone("color")
    with pytest.raises(UnknownEntryError, match="No backbone is called 'nose'"):
        create_backbone("nose")


@pytest.mark.usefixtures("entries")
def test_a_method_gets_the_backbone_it_needs():
    assert create_method("seeing").backbone == (EMBEDDED_BACKBONE, {})  # type: ignore[attr-defined]
    assert create_method("seeing", backbone="big").backbone == ("big", {})  # type: ignore[attr-defined]
    built = object()
    assert create_method("seeing", backbone=built).backbone is built  # type: ignore[attr-defined, arg-type]


@pytest.mark.usefixtures("entries")
def test_settings_of_a_part_go_to_that_part():
    settings = {"backbone.side": "64", "depth.flip": "no", "radius": 7}

    method = create_method("seeing", backbone="big", depth="near", **settings)

    assert method.config == _PlainConfig(radius=7)
    assert method.backbone == ("big", {"side": "64"})  # type: ignore[attr-defined]
    assert method.depth == ("near", {"flip": "no"})  # type: ignore[attr-defined]


@pytest.mark.usefixtures("entries")
@pytest.mark.parametrize(
    ("method", "given", "message"),
    [
        (
            "plain",
            {"backbone.side": 1},
            r"backbone\.side was given, but method 'plain' runs without",
        ),
        (
            "plain",
            {"depth.flip": 1},
            r"depth\.flip was given, but method 'plain' runs without a dep",
        ),
        (
            "seeing",
            {"depth.flip": 1},
            r"depth\.flip was given, but method 'seeing' runs without a de",
        ),
        (
            "seeing",
            {"backbone": object(), "backbone.side": 1},
            r"backbone\.side was given beside a backbone that is built already",
        ),
        (
            "seeing",
            {"depth": object(), "depth.flip": 1},
            r"depth\.flip was given beside a depth that is built already",
        ),
    ],
)
def test_settings_of_a_part_that_cannot_take_them_are_refused(method, given, message):
    with pytest.raises(InputError, match=message):
        create_method(method, **given)


@pytest.mark.usefixtures("entries")
def test_a_backbone_for_a_method_without_one_is_refused():
    with pytest.raises(InputError, match="'plain' takes no backbone, but got 'colour'"):
        create_method("plain", backbone="colour")


@pytest.mark.usefixtures("entries")
def test_settings_are_taken_as_values_and_as_typed():
    as_values = create_method("plain", radius=7, sharpness=0.25, smooth=False, space="rgb")
    as_typed = create_method("plain", radius="7", sharpness="0.25", smooth="no", space="rgb")

    assert as_values.config == as_typed.config
    assert as_typed.config.smooth is False


@pytest.mark.usefixtures("entries")
def test_a_setting_that_may_be_absent_is_a_number_or_none():
    assert create_method("plain", limit="12").config.limit == 12
    assert create_method("plain", limit="none").config.limit is None
    assert create_method("plain", limit=None).config.limit is None


@pytest.mark.usefixtures("entries")
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"radus": "5"}, "No setting of 'plain' is called 'radus'. Did you mean 'radius'"),
        ({"radius": "wide"}, "radius=wide; needs a whole number"),
        ({"radius": "1.5"}, "radius=1.5; needs a whole number"),
        ({"radius": "-1"}, "radius is -1; needs a number above 0"),
        ({"sharpness": "very"}, "sharpness=very; needs a number"),
        ({"limit": "few"}, "limit=few; needs a whole number"),
        ({"smooth": "perhaps"}, "smooth=perhaps; needs true or false"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(settings: dict[str, str], message: str):
    with pytest.raises(InputError, match=message):
        create_method("plain", **settings)
