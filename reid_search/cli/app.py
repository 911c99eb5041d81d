"""The commands together, and what happens when one of them cannot do what was asked."""

import sys
from typing import Annotated

import typer

from reid_search import __version__
from reid_search.cli import data, inspect, run, store, trial
from reid_search.cli.console import answer, say
from reid_search.errors import ReidSearchError

INTERRUPTED = 130

_HELP = """Which of my re-identification design choices matter, by how much, and am I sure?

Write the question as a study (one YAML file: a baseline, the axes that vary, the phases), then:

\b
    reid-search plan search_spaces/mgn.yaml      what would run: arms, trials, images
    reid-search run search_spaces/mgn.yaml       run it; run again after any interruption to go on
    reid-search report mgn                       write the report anew from the records
    reid-search compare a b                      studies side by side
    reid-search ui                               browse every trial in MLflow

A study is a question, a trial a measurement, the report an answer. Everything is kept under ./runs (--storage).
"""

app = typer.Typer(
    help=_HELP,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
app.command()(run.run)
app.command()(inspect.plan)
app.command()(store.status)
app.command()(store.report)
app.command()(store.compare)
app.command()(store.sync)
app.command()(store.ui)
app.command()(trial.train)
app.command()(trial.evaluate)
app.command()(trial.export)
app.command()(inspect.schema)
app.command()(inspect.doctor)
app.add_typer(data.app, name="data")


def main() -> None:
    """Run the command line; a mistake ends with one message and exit code 1 or 2, Ctrl-C with 130."""
    try:
        app(standalone_mode=True)
    except ReidSearchError as error:
        say(f"reid-search: {error}")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        say("reid-search: interrupted")
        sys.exit(INTERRUPTED)


def _print_version(wanted: bool) -> None:
    if wanted:
        answer(f"reid-search {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the release and leave.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Take the options that stand before a command."""


__all__ = ["app", "main"]
