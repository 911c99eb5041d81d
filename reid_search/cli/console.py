"""Printing: answers go to stdout, messages to stderr."""

import json
import sys

import typer
from rich.console import Console


def say(message: str) -> None:
    """Print a message to stderr."""
    typer.echo(message, err=True)


def answer(text: str) -> None:
    """Print an answer to stdout."""
    typer.echo(text)


def answer_json(content: object) -> None:
    """Print an answer as JSON."""
    typer.echo(json.dumps(content, indent=2, default=str))


def message_console() -> Console:
    """Return a console on stderr."""
    return Console(file=sys.stderr, highlight=False)


def answer_console() -> Console:
    """Return a console on stdout; a piped table is 160 characters wide."""
    return Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=160)


def percent(value: float | None) -> str:
    """Return a value in [0, 1] as a percentage, as tables show it."""
    return "–" if value is None else f"{100 * value:.1f}"
