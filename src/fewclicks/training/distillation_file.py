"""What the TOML file of a distillation says: teacher, photographs, student, how it learns."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from fewclicks.errors import InputError, UnknownEntryError
from fewclicks.files import read_toml
from fewclicks.training.distillation import Learning, Progress, ask_teacher, teach
from fewclicks.training.plan_file import build
from fewclicks.training.student import StudentConfig
from fewclicks.training.teacher import TeacherConfig

_TABLES: Final = {"targets": TeacherConfig, "student": StudentConfig, "learning": Learning}
_TEXTS: Final = ("title", "teacher", "data")


@dataclass(frozen=True, kw_only=True, slots=True)
class DistillationPlan:
    """All that a run is told.

    Parameters
    ----------
    title
        Of the file.
    data
        A folder of photographs, or a text file that names one a line.
    teacher
        Whose features, and which of them.
    student
        Of what size.
    learning
        How long and how fast.
    """

    title: str
    data: str
    teacher: TeacherConfig
    student: StudentConfig
    learning: Learning

    def carry_out(
        self,
        out: Path,
        *,
        resume: bool = False,
        watch: Callable[[str, int, int], None] = lambda _what, _done, _total: None,
    ) -> Progress | None:
        """Ask the teacher, then teach.

        Parameters
        ----------
        out
            Folder for the targets, the checkpoint, ``builtin.onnx`` and ``progress.jsonl``.
        resume
            Go on with the run that `out` holds, if there is one; targets are always kept.
        watch
            Called with what is being done, how much of it is, and of how much.

        Returns
        -------
        Progress, optional
            Of the last checkpoint; None if there was nothing left to learn.

        Raises
        ------
        FewclicksError
            For a teacher or photographs that are not there, or a folder of another run.
        """
        learning = self.learning
        asked = ask_teacher(
            self.teacher, self.data, out, workers=learning.workers, seed=learning.seed
        )
        for done, count in asked:
            watch("asking the teacher", done, count)
        taught = teach(
            self.teacher, self.data, out, shape=self.student, learning=learning, resume=resume
        )
        last = None
        for last in taught:
            watch(last.summary, last.step, learning.steps)
            with (out / "progress.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(last)) + "\n")
        return last


def is_distillation(path: Path) -> bool:
    """Whether a file plans a distillation, and no training of a network of clicks."""
    return "learning" in read_toml(path)


def read_distillation(path: Path, *, settings: Mapping[str, str] | None = None) -> DistillationPlan:
    """Read a file.

    Parameters
    ----------
    settings
        As typed, over what the file says: ``{"teacher": "facebook/dinov2-small",
        "learning.steps": "500"}``.

    Raises
    ------
    StorageError
        If it cannot be read.
    InputError
        If it says what no distillation can mean, or names no teacher or photographs.
    UnknownEntryError
        For a key that nobody knows.
    """
    content = read_toml(path)
    for dotted, text in (settings or {}).items():
        table, point, key = dotted.rpartition(".")
        place = content.setdefault(table, {}) if point else content
        place[key] = text
    known = (*_TEXTS, *_TABLES)
    for key in content:
        if key not in known:
            raise UnknownEntryError(f"key of {path}", key, known)
    for key, what in (("teacher", "a vision transformer"), ("data", "photographs")):
        if not isinstance(content.get(key), str):
            raise InputError(f"{path} names no {key}; give {what} with --set {key}=...")
    for name in _TABLES:
        if not isinstance(content.get(name, {}), dict):
            raise InputError(f"{path}: '{name}' is {content[name]!r}; needs a table, [{name}].")
    tables = {name: dict(content.get(name, {})) for name in _TABLES}
    tables["targets"]["weights"] = content["teacher"]
    try:
        built: dict[str, Any] = {
            name: build(kind, tables[name], owner=f"[{name}]") for name, kind in _TABLES.items()
        }
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    return DistillationPlan(
        title=str(content.get("title", "distillation")),
        data=content["data"],
        teacher=built["targets"],
        student=built["student"],
        learning=built["learning"],
    )
