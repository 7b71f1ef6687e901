"""The command line: which verbs there are, and how a failure ends.

Each verb is a file whose function imports what it needs when it runs, so that help is instant.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from fewclicks import __version__
from fewclicks.cli import datasets, weights
from fewclicks.cli.annotate import annotate
from fewclicks.cli.bench import bench
from fewclicks.cli.compare import compare
from fewclicks.cli.demo import demo
from fewclicks.cli.evaluate import evaluate
from fewclicks.cli.export import export
from fewclicks.cli.listing import backbones, methods
from fewclicks.cli.propose import propose
from fewclicks.cli.report import report
from fewclicks.cli.segment import segment
from fewclicks.cli.train import train
from fewclicks.errors import FewclicksError, UnknownEntryError

DONE, FAILED, WRONG_USE = 0, 1, 2


app = typer.Typer(
    name="fewclicks",
    help="Segment what a person points at in a picture, in as few clicks as possible.",
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Say the version."),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show where a failure comes from; works everywhere.")
    ] = False,
) -> None:
    """Segment what a person points at in a picture, in as few clicks as possible."""
    del version, debug  # seen to by their callback, and by `main`
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.TyperException("No verb is given; needs one of those above.")


app.command()(demo)
app.command()(segment)
app.command()(methods)
app.command()(backbones)
app.command()(propose)
app.command()(evaluate)
app.command()(report)
app.command()(compare)
app.command()(bench)
app.command()(train)
app.command()(annotate)
app.command()(export)
app.add_typer(datasets.app, name="datasets")
app.add_typer(weights.app, name="weights")


def main() -> None:
    """Run one verb; end with 0 (done), 1 (failed) or 2 (wrong use)."""
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        code = app(arguments, prog_name="fewclicks", standalone_mode=False)
    except BrokenPipeError:
        # Whoever read our output has gone, `head` say; Python must not flush into the void.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)
    except Exception as error:
        if "--debug" in sys.argv[1:] or os.environ.get("FEWCLICKS_DEBUG"):
            raise
        sys.exit(_report(error))
    except KeyboardInterrupt:
        typer.echo("Stopped.", err=True)
        sys.exit(FAILED)
    sys.exit(code or DONE)


def _report(error: Exception) -> int:
    """Say in one line what went wrong, and choose the exit code."""
    if isinstance(error, typer.TyperException):
        message, code = error.format_message(), WRONG_USE
    elif isinstance(error, FewclicksError):
        message, code = str(error), WRONG_USE if isinstance(error, UnknownEntryError) else FAILED
    else:
        message, code = f"{type(error).__name__}: {error} (--debug shows where)", FAILED
    typer.echo(f"Error: {' '.join(message.split())}", err=True)
    return code
