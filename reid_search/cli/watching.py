"""What a person sees of a run: a live table in a terminal, plain lines elsewhere."""

import contextlib
import time
from collections.abc import Callable, Iterator

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from reid_search.cli.console import message_console, percent
from reid_search.cli.progress import RunProgress, duration
from reid_search.records import Status
from reid_search.scheduling.observer import Observer, TrialLabel
from reid_search.study import Plan
from reid_search.study.metrics import MAIN, METRICS
from reid_search.words import several


@contextlib.contextmanager
def watching(plan: Plan) -> Iterator[Observer]:
    """Show a run while the block lasts."""
    console = message_console()
    if not console.is_terminal:
        yield PlainLines(console, plan)
        return
    table = LiveTable(console, plan)
    with Live(table, console=console, refresh_per_second=2, redirect_stdout=False, redirect_stderr=False):
        yield table


class LiveTable(RunProgress):
    """A table drawn anew at every refresh, so that its times go on while nothing is reported; notes go above it."""

    def __init__(self, console: Console, plan: Plan, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(plan, clock)
        self._console = console

    def note(self, message: str) -> None:
        """Print a message."""
        self._console.print(Text(message), soft_wrap=True)

    def __rich__(self) -> RenderableType:
        return Group(_phases(self), _running(self), _footer(self))


class PlainLines(LiveTable):
    """Prints a line when a phase begins and when a trial ends, for logs and pipes."""

    def phase_started(self, name: str, kind: str, total: int, done: int) -> None:
        """Print the phase and its number of trials."""
        super().phase_started(name, kind, total, done)
        self.note(f"{name}: {several(total, 'trial')}" + (f", {done} measured before" if done else ""))

    def trial_ended(self, trial: TrialLabel, status: Status, value: float | None, reason: str | None) -> None:
        """Print how a trial ended, and how far the run is."""
        super().trial_ended(trial, status, value, reason)
        phase = self.phases[trial.phase]
        shown = f"{trial.metric} {percent(value)}" if value is not None else (reason or "")
        left = duration(self.seconds_left())
        self.note(
            f"{trial.phase} {phase.counts.total()}/{phase.total}  {_name(trial)}  {status}  {shown}  (left {left})"
        )


def _phases(progress: RunProgress) -> Table:
    table = Table("phase", "done", "running", "stopped early", "failed", box=None, header_style="bold", pad_edge=False)
    for phase in progress.phases.values():
        running = sum(trial.label.phase == phase.name for trial in progress.running.values())
        done = f"{phase.counts.total()}/{phase.total}"
        stopped, failed = phase.counts[Status.STOPPED], phase.counts[Status.FAILED]
        table.add_row(phase.name, done, str(running), str(stopped), Text(str(failed), style="red" if failed else ""))
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
