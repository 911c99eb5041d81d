"""What a person sees of a run: a live table in a terminal, plain lines elsewhere."""

import contextlib
import time
from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from reid_search.cli.console import message_console, percent
from reid_search.cli.progress import RunProgress, duration
from reid_search.records import Status
from reid_search.scheduling.observer import Observer, Row, TrialLabel
from reid_search.study import Plan
from reid_search.study.metrics import MAIN, METRICS


@contextlib.contextmanager
def watching(plan: Plan) -> Iterator[Observer]:
    """Show a run while the block lasts."""
    console = message_console()
    progress = RunProgress(plan, time.monotonic)
    if not console.is_terminal:
        yield PlainLines(console, progress)
        return
    view = _View(progress)
    with Live(view, console=console, refresh_per_second=2, redirect_stdout=False, redirect_stderr=False):
        yield LiveTable(console, progress)


class LiveTable:
    """Keeps the state that the live table shows, and prints notes above it."""

    def __init__(self, console: Console, progress: RunProgress) -> None:
        self._console = console
        self._progress = progress

    def phase_started(self, name: str, kind: str, total: int, done: int) -> None:
        """Begin a phase."""
        del kind
        self._progress.phase_started(name, total, done)

    def trial_started(self, trial: TrialLabel) -> None:
        """Begin a trial."""
        self._progress.trial_started(trial)

    def trial_progress(self, trial: TrialLabel, row: Row) -> None:
        """Take an epoch."""
        self._progress.trial_progress(trial, row)

    def trial_ended(self, trial: TrialLabel, status: Status, value: float | None, reason: str | None) -> None:
        """Close a trial."""
        del reason
        self._progress.trial_ended(trial, status, value)

    def phase_ended(self, name: str) -> None:
        """Close a phase."""
        self._progress.phase_ended(name)

    def note(self, message: str) -> None:
        """Print what did not go as planned."""
        self._console.print(Text(message), soft_wrap=True)


class PlainLines(LiveTable):
    """Prints a line when a phase begins and when a trial ends, for logs and pipes."""

    def phase_started(self, name: str, kind: str, total: int, done: int) -> None:
        """Say what begins."""
        super().phase_started(name, kind, total, done)
        before = f", {done} measured before" if done else ""
        self.note(f"{name}: {total} trials{before}")

    def trial_ended(self, trial: TrialLabel, status: Status, value: float | None, reason: str | None) -> None:
        """Say how a trial ended, and how far the run is."""
        super().trial_ended(trial, status, value, reason)
        phase = self._progress.phases[trial.phase]
        over = phase.finished + phase.stopped + phase.failed
        shown = f"{trial.metric} {percent(value)}" if value is not None else (reason or "")
        left = duration(self._progress.seconds_left())
        self.note(f"{trial.phase} {over}/{phase.total}  {_name(trial)}  {status}  {shown}  (left {left})")


class _View:
    """Draws the state anew at every refresh, so that times go on while nothing is reported."""

    def __init__(self, progress: RunProgress) -> None:
        self._progress = progress

    def __rich__(self) -> RenderableType:
        return Group(_phases(self._progress), _running(self._progress), _footer(self._progress))


def _phases(progress: RunProgress) -> Table:
    table = Table("phase", "done", "running", "stopped early", "failed", box=None, header_style="bold", pad_edge=False)
    for phase in progress.phases.values():
        running = sum(trial.label.phase == phase.name for trial in progress.running.values())
        failed = Text(str(phase.failed), style="red" if phase.failed else "")
        over = phase.finished + phase.stopped + phase.failed
        table.add_row(phase.name, f"{over}/{phase.total}", str(running), str(phase.stopped), failed)
    return table


def _running(progress: RunProgress) -> Table:
    running = list(progress.running.values())
    measured = " or ".join(sorted({METRICS[trial.label.metric.rpartition("/")[2]].title for trial in running}))
    heading = f"\nval {measured or METRICS[MAIN].title}"
    table = Table("\nrunning", "\nepoch", "\nloss", heading, box=None, header_style="bold", pad_edge=False)
    for trial in running:
        loss = trial.row.get("loss")
        table.add_row(
            Text(_name(trial.label), overflow="ellipsis", no_wrap=True),
            f"{trial.row.get('epoch', 0)}/{trial.label.epochs}",
            "–" if loss is None else f"{loss:.3f}",
            percent(trial.row.get(trial.label.column)),
        )
    return table


def _footer(progress: RunProgress) -> Text:
    best = ""
    if progress.best is not None:
        value, trial = progress.best
        best = f"best of the search so far {percent(value)} {trial.metric} ({_name(trial)})   "
    return Text(f"\n{best}elapsed {duration(progress.elapsed)}   left {duration(progress.seconds_left())}")


def _name(trial: TrialLabel) -> str:
    if not trial.name.startswith("#"):
        return f"{trial.name} s{trial.seed}"
    return f"{trial.name} " + ", ".join(
        f"{path.removeprefix('losses.')}={label}" for path, label in trial.settings.items()
    )
