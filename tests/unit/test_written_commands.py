"""Every command on a page or in a config's header is one that the program understands.

Nothing is carried out here; see ``tests/e2e/test_written_commands.py``.
"""

from __future__ import annotations

import importlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import typer.main

from fewclicks.backbones.registry import BACKBONES, DEPTHS, create_depth, find_backbone
from fewclicks.backbones.weights import weights_table
from fewclicks.cli.app import app
from fewclicks.cli.options import read_pairs
from fewclicks.datasets.registry import find_dataset
from fewclicks.errors import UnknownEntryError
from fewclicks.evaluation.experiments.experiment import read_experiment
from fewclicks.evaluation.plan import Plan
from fewclicks.formats.registry import FORMATS
from fewclicks.methods.registry import METHODS, find_method
from fewclicks.proposals.generators import GENERATORS
from fewclicks.settings import read_settings
from written import PAGES, ROOT, SHELLS, Command, blocks, commands

ALL = commands()
OURS = [command for command in ALL if "fewclicks" in command.words[:1]]
OURS += [command for command in ALL if command.words[0] == "torchrun"]
OTHERS = [command for command in ALL if command not in OURS]
FOREIGN = frozenset(
    {"curl", "docker", "jupyter", "ln", "ls", "mkdir", "nuctl", "ray", "tensorboard"}
)
VARIABLES = ("FEWCLICKS_STORES", "FEWCLICKS_PHOTOS", "FEWCLICKS_VIT")
HELP = {"-h", "--help"}
NO_SHELL = ("json", "python", "text", "toml", "xml")
VERBS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def is_placeholder(text: str) -> bool:
    """Whether it is something of the reader's own: VIT, OUT/x, ./my-vit, $name, owner/name."""
    return bool(re.search(r"[/$~…]", text)) or text == text.upper()


def understood(command: Command) -> tuple[str, dict[str, Any]]:
    """Let the real command line read the words; give the verb and what each option came to."""
    words = list(command.words)
    words = words[words.index("fewclicks") + 1 :]
    here = typer.main.get_command(app)
    name = "fewclicks"
    while hasattr(here, "commands") and words and not words[0].startswith("-"):
        assert words[0] in here.commands, f"fewclicks has no verb {words[0]}"
        name, here = words[0], here.commands[words.pop(0)]
    if hasattr(here, "commands"):
        assert set(words) <= {option for known in here.params for option in known.opts} | HELP
        return name, {}
    if not command.is_whole:
        for option in here.params:
            option.required = False
    return name, dict(here.make_context(name, words).params)


def check_settings(target: str, typed: Mapping[str, str], below: Mapping[str, Any]) -> None:
    """Each key is a field of the configuration, and each value one that it takes."""
    module, _, class_name = target.partition(":")
    config_type = getattr(importlib.import_module(module), class_name).config_type
    known = {field.name for field in fields(config_type)}
    assert set(typed) <= known, f"{set(typed) - known} are no settings of {target}"
    values = {key: value for key, value in typed.items() if "…" not in value}
    config_type(**read_settings(config_type, {**below, **values}, owner=f"'{target}'"))


def check_parts(names: Mapping[str, str | None], pairs: Mapping[str, str]) -> None:
    """Method, backbone and source of depth exist, take each other, and have the settings."""
    of: dict[str, dict[str, str]] = {"method": {}, "backbone": {}, "depth": {}}
    for key, value in pairs.items():
        part, dot, rest = key.partition(".")
        of[part if dot else "method"][rest if dot else key] = value
    if names["method"] not in (None, "NAME"):
        entry = find_method(names["method"])
        check_settings(entry.target, of["method"], {})
        assert names["backbone"] is None or "backbone" in entry.needs
        assert names["depth"] is None or "depth" in entry.takes
    backbone = names["backbone"] or "builtin"
    if any(backbone == known.name for known in BACKBONES):
        found = find_backbone(backbone)
        check_settings(found.target, of["backbone"], found.settings)
    else:
        assert is_placeholder(backbone), f"no backbone {backbone}"
        check_settings("fewclicks.backbones.vit:VitBackbone", of["backbone"], {"weights": "x"})
    depth = names["depth"]
    if depth is None:
        assert not of["depth"]
        return
    named = [known for known in DEPTHS if known.name == depth]
    if named:
        check_settings(named[0].target, of["depth"], named[0].settings)
    else:
        assert is_placeholder(depth) or Path(depth).suffix, f"no depth {depth}"


def check_evaluation(given: dict[str, Any]) -> None:
    """Names of a run exist and go together; those of an experiment are read from its file."""
    settings = read_pairs("--set", given["settings"])
    if given["experiment"] is not None:
        path = ROOT / given["experiment"]
        if path.is_relative_to(ROOT / "configs"):
            overrides = {"settings": settings}
            read_experiment(path, overrides={key: each for key, each in overrides.items() if each})
        return
    check_parts(given, settings)
    dataset = given["dataset"]
    if dataset is None:
        return
    entry = find_dataset(dataset)
    check_settings(
        entry.target, read_pairs("--dataset-set", given["dataset_settings"]), entry.settings
    )
    names = ("rule", "jitter", "protocol", "exemplar", "max_clicks", "initial_masks")
    plan = {name: given[name] for name in names}
    if not given["reference"].startswith("$"):
        plan["reference"] = given["reference"]
    if given["method"] != "NAME":
        plan["method"] = given["method"]
    Plan(dataset=dataset, guidance=read_pairs("--guidance-set", given["guidance"]), **plan)


def check_training(given: dict[str, Any]) -> None:
    """Read the file, with what is typed over it."""
    from fewclicks.training.distillation_file import is_distillation, read_distillation
    from fewclicks.training.plan_file import read_plans

    if given["plan"] is None or not (ROOT / given["plan"]).is_relative_to(ROOT / "configs"):
        return
    path, typed = ROOT / given["plan"], read_pairs("--set", given["settings"])
    typed = {key: "0" if value.startswith("$") else value for key, value in typed.items()}
    if is_distillation(path):
        read_distillation(path, settings=typed)
    else:
        assert read_plans(path, settings=typed, row=given["row"])


def check_proposing(given: dict[str, Any]) -> None:
    """Backbone, kind and settings exist."""
    assert given["kind"] in GENERATORS
    pairs = read_pairs("--set", given["settings"])
    of_backbone = {key: value for key, value in pairs.items() if key.startswith("backbone.")}
    check_parts({"method": None, "backbone": given["backbone"], "depth": None}, of_backbone)
    own = {key: value for key, value in pairs.items() if key not in of_backbone}
    check_settings(GENERATORS[given["kind"]], own, {})


def check_weights(names: Sequence[str] | None) -> None:
    """A name of the list, or a hub id."""
    for name in names or ():
        assert name in weights_table() or is_placeholder(name), f"no weights {name}"


def check_names(verb: str, given: dict[str, Any]) -> None:
    """Whatever is named by a command exists."""
    if verb == "evaluate":
        check_evaluation(given)
    elif verb == "segment":
        check_parts(given, read_pairs("--set", given["settings"]))
    elif verb == "train":
        check_training(given)
    elif verb == "propose":
        check_proposing(given)
    elif verb == "export" and given.get("project") is not None:
        written = {entry.name for entry in FORMATS if entry.writer} | {"record"}
        assert given["format_name"] is None or given["format_name"] in written
    elif verb == "annotate" and given["start"] is not None:
        assert given["start"].partition("=")[0] in {each.name for each in FORMATS if each.reader}
    elif verb == "check" and given["dataset"] is not None:
        find_dataset(given["dataset"])
    elif verb in ("fetch", "verify", "clean"):
        check_weights(given["names"])


@pytest.mark.parametrize("command", OURS, ids=str)
def test_the_program_understands_each_command(command: Command, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT)
    in_a_sentence = () if command.is_whole else ((name, "X") for name in VARIABLES)
    for name, value in (*in_a_sentence, *command.variables):
        monkeypatch.setenv(name, value)
    check_names(*understood(command))


@pytest.mark.parametrize("command", OTHERS, ids=str)
def test_each_other_command_names_what_is_there(command: Command):
    program, *words = command.words
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    if program == "pip":
        for extra in re.findall(r"fewclicks\[([\w,]+)\]", " ".join(words)):
            assert set(extra.split(",")) <= set(project["optional-dependencies"])
        assert words[0] == "install"
    elif program == "make":
        recipes = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), flags=re.M)
        assert words[0] in recipes
    elif program in ("python", ".venv/bin/python"):
        assert (ROOT / words[0]).is_file()
    elif program == "uvicorn":
        module, _, factory = words[words.index("--factory") + 1].partition(":")
        assert callable(getattr(importlib.import_module(module), factory))
    else:
        assert program in FOREIGN, f"no test knows what {program} is"


def test_every_block_says_its_language():
    bare = [
        f"{page.relative_to(ROOT)}: {block.text.splitlines()[0]}"
        for page in PAGES
        for block in blocks(page)
        if block.language not in (*SHELLS, *NO_SHELL)
    ]
    assert not bare


def test_every_verb_is_shown_somewhere():
    shown = {command.words[1] for command in OURS if len(command.words) > 1}
    assert set(VERBS) <= shown


def test_a_command_that_nobody_could_run_is_found():
    wrong = {
        "fewclicks segmnt dog.jpg --out x.png": AssertionError,
        "fewclicks segment dog.jpg --click 1,1 --method graphcutt --out x.png": UnknownEntryError,
        "fewclicks segment dog.jpg --click 1,1 --set radis=3 --out x.png": AssertionError,
        "fewclicks segment dog.jpg --click 1,1 --deph x.png --out x.png": typer.TyperException,
        "fewclicks segment dog.jpg --click 1,1": typer.TyperException,
        "fewclicks evaluate --dataset grabcutt --out x": UnknownEntryError,
    }
    for text, error in wrong.items():
        with pytest.raises(error):
            check_names(*understood(Command("here", tuple(text.split()), is_whole=True)))
    assert len(METHODS) > 10
    assert create_depth("constant") is not None
