"""Commands on a study that runs and on its trials: `stop`, `logs`."""

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reid_search.cli.console import answer, answer_console, answer_json, say
from reid_search.cli.options import DEFAULT_STORAGE, AsJson, Storage
from reid_search.cli.progress import duration
from reid_search.cli.store import Which, find_store
from reid_search.errors import RequestError, nearest

if TYPE_CHECKING:
    from reid_search.records import StudyState, Trial

_PATIENCE_SECONDS = 120.0


def stop(which: Which = None, storage: Storage = DEFAULT_STORAGE) -> None:
    """Stop the run of a study from another terminal, as Ctrl-C does in its own; everything measured so far is kept."""
    store = find_store(which, storage)
    holder = store.holder
    if holder is None:
        raise RequestError(f"{store.name}: no run of it is at work")
    if not holder.is_here:
        raise RequestError(f"{store.name}: run by {holder}; stop it there")
    os.kill(holder.process, signal.SIGINT)
    begun = time.monotonic()
    while store.holder == holder:
        if time.monotonic() - begun > _PATIENCE_SECONDS:
            raise RequestError(f"{store.name}: {holder} was asked to stop and is still at work; ask again to end it")
        time.sleep(0.1)
    say(f"{store.name}: stopped ({holder}); the same `run` goes on")


def logs(
    trial: Annotated[
        str, typer.Argument(help="Its folder, the beginning of its folder's name (`<key>-s<seed>`), or `ARM s3`.")
    ],
    which: Annotated[str | None, typer.Option("--study", help="The study; not needed if there is only one.")] = None,
    storage: Storage = DEFAULT_STORAGE,
    as_json: AsJson = False,
) -> None:
    """Show what a trial logged: who asked for it, each epoch, how it ended and why."""
    from reid_search.records import StudyStore, read_state

    folder = Path(trial)
    inside = folder.is_dir() and folder.parent.name == "trials"
    store = StudyStore.at(folder.parent.parent) if inside else find_store(which, storage)
    state = read_state(store, tolerant=True)
    found = _found(state, folder.name if inside else trial)
    epochs = store.trial(*found.id).epochs()
    names = [f"{ask.phase}: {ask.label}" for ask in state.askers.get(found.id, ())]
    place = str(store.trial(*found.id).path)
    if as_json:
        told = {"trial": place, "asked_by": names, "status": found.status, "reason": found.reason}
        answer_json({**told, "seconds": found.seconds, "epochs": epochs})
        return
    answer(f"{place}: {found.status} after {duration(found.seconds)}{f': {found.reason}' if found.reason else ''}")
    for name in names:
        answer(f"  {name}")
    _print_epochs(epochs)


def _found(state: "StudyState", wanted: str) -> "Trial":
    """Return the trial of a study that a person means."""
    named = {str(name): trial for name, trial in state.trials.items()}
    asked = {
        f"{ask.label} s{ask.trial.seed}": state.trials[ask.trial]
        for ask in state.history.asks
        if ask.trial in state.trials
    }
    fitting = [trial for name, trial in named.items() if name.startswith(wanted)]
    if wanted in asked:
        return asked[wanted]
    if len(fitting) == 1:
        return fitting[0]
    if len(fitting) > 1:
        shown = ", ".join(str(trial.id) for trial in fitting[:5])
        raise RequestError(f"'{wanted}': {len(fitting)} trials of {state.name} begin so: {shown}")
    raise RequestError(f"'{wanted}': no trial of {state.name}; {nearest(wanted, [*asked, *named])}")


def _print_epochs(epochs: "list[dict[str, object]]") -> None:
    from rich.table import Table

    columns = list(dict.fromkeys(name for row in epochs for name in row))
    table = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in epochs:
        values = (row.get(name) for name in columns)
        table.add_row(*(f"{value:.4g}" if isinstance(value, float) else str(value) for value in values))
    if epochs:
        answer_console().print(table)
