"""The command line: all commands, and the exit code when one of them fails."""

import os
import sys
from typing import Annotated

import typer

from reid_search import __version__
from reid_search.cli import best, data, inspect, run, starting, status, store, trial, trials
from reid_search.cli.console import answer, say
from reid_search.errors import ReidSearchError

INTERRUPTED = 130

_HELP = """Which of my re-identification design choices matter, by how much, and am I sure?

Write the question as a study (one YAML file: a baseline, the axes that vary, the phases), then:

\b
    reid-search init DATA                        write a first study of a data set
    reid-search plan search_spaces/mgn.yaml      what would run: arms, trials, images
    reid-search run search_spaces/mgn.yaml       run it; run again after any interruption to go on
    reid-search report mgn                       rewrite the report from the records
    reid-search compare a b                      compare studies, arm by arm
    reid-search ui                               browse every trial in MLflow

A study is a question, a trial a measurement, the report an answer. Everything is kept under ./runs (--storage).
"""

app = typer.Typer(
    help=_HELP,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
for command in (
    *(
        starting.init,
        run.run,
        inspect.plan,
        status.status,
        trials.logs,
        trials.stop,
        best.best,
        store.report,
        store.compare,
        store.sync,
        store.ui,
    ),
    *(trial.train, trial.evaluate, trial.export, inspect.schema, inspect.doctor),
):
    app.command()(command)
app.add_typer(data.app, name="data")


def main() -> None:
    """Run the command line; an error gives one message and exit code 1 or 2, Ctrl-C gives 130."""
    try:
        app([_at_home(argument) for argument in sys.argv[1:]], standalone_mode=True)
    except ReidSearchError as error:
        say(f"reid-search: {error}")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        say("reid-search: interrupted")
        sys.exit(INTERRUPTED)


def _at_home(argument: str) -> str:
    """Put the home folder for the `~` that a shell leaves in `--storage=~/runs`."""
    option, separator, value = argument.rpartition("=") if argument.startswith("--") else ("", "", argument)
    return f"{option}{separator}{os.path.expanduser(value)}" if value.startswith("~/") else argument  # noqa: PTH111


def _print_version(wanted: bool) -> None:
    if wanted:
        answer(f"reid-search {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Take the options that come before a command."""


__all__ = ["app", "main"]
