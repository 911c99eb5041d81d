"""Where text goes: answers to stdout, messages to stderr."""

import json
import sys
from collections.abc import Mapping
from typing import Any

import typer
from rich.console import Console


def say(message: str) -> None:
    """Print a message for the person who waits."""
    typer.echo(message, err=True)


def answer(text: str) -> None:
    """Print what was asked for."""
    typer.echo(text)


def answer_json(content: Mapping[str, Any] | list[Any]) -> None:
    """Print what was asked for as JSON."""
    typer.echo(json.dumps(content, indent=2, default=str))


def message_console() -> Console:
    """Return the console of messages, which knows whether it is a terminal."""
    return Console(file=sys.stderr, highlight=False)


def answer_console() -> Console:
    """Return the console of answers; a table that is piped is not cut to the width of a terminal."""
    return Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=160)


def percent(value: float | None) -> str:
    """Return a value in [0, 1] in percent, as tables show it."""
    return "–" if value is None else f"{100 * value:.1f}"
