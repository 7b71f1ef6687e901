"""Containers: what their files say fits the command line; they are not built here."""

from __future__ import annotations

import inspect
import json
import re
import tomllib
from pathlib import Path

import yaml

from fewclicks.cli.annotate import annotate

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = {f"--{name.replace('_', '-')}" for name in inspect.signature(annotate).parameters}


def test_the_image_starts_the_server_with_options_it_has():
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    entry = json.loads(re.search(r"^ENTRYPOINT (\[.*\])$", text, flags=re.M)[1])
    assert entry[:2] == ["fewclicks", "annotate"]
    assert {part for part in entry if part.startswith("--")} <= OPTIONS
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (extra,) = re.findall(r"'\.\[(\w+)\]'", text)
    assert extra in project["optional-dependencies"]
    (python,) = re.findall(r"^FROM python:(\S+)-slim$", text, flags=re.M)
    assert f"Programming Language :: Python :: {python}" in project["classifiers"]
    for copied in re.findall(r"^COPY (.+) \S+$", text, flags=re.M):
        assert all((ROOT / name).exists() for name in copied.split())


def test_the_services_ask_for_secrets_and_use_options_that_exist():
    services = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]
    command = services["annotate"]["command"]
    assert {part for part in command if part.startswith("--")} <= OPTIONS
    assert "${FEWCLICKS_TOKEN:?" in command[command.index("--token") + 1]
    assert command[command.index("--db") + 1].startswith("postgresql://")
    assert ":?" in services["database"]["environment"]["POSTGRES_PASSWORD"]
