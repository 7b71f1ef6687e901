from __future__ import annotations

import os
import subprocess
import sys

import pytest

import fewclicks
from fewclicks.cli import app as application
from fewclicks.cli.app import app, main
from fewclicks.errors import InputError, UnknownEntryError


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run the command line here; give exit code, stdout, stderr."""

    def ran(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["fewclicks", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        return int(end.value.code or 0), out, err

    return ran


@pytest.fixture
def fail_with(monkeypatch: pytest.MonkeyPatch):
    def prepared(error: BaseException) -> None:
        def broken(*_: object, **__: object) -> None:
            raise error

        monkeypatch.setattr(application, "app", broken)

    return prepared


def test_the_version_is_said(run):
    assert run("--version") == (0, f"{fewclicks.__version__}\n", "")


def test_short_and_long_help_are_the_same(run):
    code, out, err = run("-h")

    assert (code, err) == (0, "")
    assert run("--help")[1] == out
    for verb in ("demo", "segment", "methods", "backbones", "evaluate", "report", "datasets"):
        assert verb in out


def test_every_verb_explains_itself_and_its_options(run):
    for command in app.registered_commands:
        assert command.callback is not None
        code, out, err = run(command.callback.__name__.rstrip("_"), "-h")
        assert (code, err) == (0, "")
        assert "Usage" in out


def test_without_a_verb_the_help_is_shown_and_the_use_is_wrong(run):
    code, out, err = run()

    assert code == 2
    assert "segment" in out
    assert err == "Error: No verb is given; needs one of those above.\n"


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (InputError("Click at x=9."), 1, "Error: Click at x=9.\n"),
        (UnknownEntryError("method", "a", ["b"]), 2, "Error: No method is called 'a'. Known: b.\n"),
        (InputError("two\n  lines"), 1, "Error: two lines\n"),
        (KeyError("x"), 1, "Error: KeyError: 'x' (--debug shows where)\n"),
        (MemoryError(), 1, "Error: MemoryError: (--debug shows where)\n"),
        (KeyboardInterrupt(), 1, "Stopped.\n"),
    ],
)
def test_a_failure_is_one_line_and_an_exit_code(run, fail_with, error, code, line):
    fail_with(error)

    assert run("methods") == (code, "", line)


@pytest.mark.parametrize("by", ["option", "environment"])
def test_debug_shows_where_a_failure_comes_from(
    fail_with, monkeypatch: pytest.MonkeyPatch, by: str
):
    fail_with(InputError("Click at x=9."))
    monkeypatch.setattr(sys, "argv", ["fewclicks", "methods", *["--debug"] * (by == "option")])
    if by == "environment":
        monkeypatch.setenv("FEWCLICKS_DEBUG", "1")

    with pytest.raises(InputError, match="Click at x=9"):
        main()


def test_debug_may_stand_anywhere(run):
    assert run("--debug", "methods", "--json")[0] == 0
    assert run("methods", "--json", "--debug")[0] == 0


def test_a_reader_who_leaves_early_is_no_failure_worth_words():
    reader, writer = os.pipe()
    os.close(reader)
    run = subprocess.run(
        [sys.executable, "-m", "fewclicks", "methods", "--json"],
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)

    assert run.stderr == b""


def test_the_package_runs_as_a_module():
    run = subprocess.run(
        [sys.executable, "-m", "fewclicks", "--version"], capture_output=True, check=True
    )

    assert run.stdout.decode().strip() == fewclicks.__version__
