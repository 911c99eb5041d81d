"""`reid-search run`: run what is missing of a study and write its report."""

import shlex
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from reid_search.cli.console import percent, say
from reid_search.cli.options import DEFAULT_STORAGE, Data, Sets, SkipBroken, Storage, StudyFile, settings
from reid_search.words import several

if TYPE_CHECKING:
    from reid_search.records import StudyStore
    from reid_search.scheduling import RunSummary
    from reid_search.study import Study

_FAILED, _INTERRUPTED = 1, 130


def run(
    study_file: StudyFile,
    data: Data = None,
    storage: Storage = DEFAULT_STORAGE,
    address: Annotated[
        str,
        typer.Option(
            help="none: one trial after another in this process, without Ray; local: Ray on this machine; auto: the "
            "running Ray cluster that this machine belongs to; HOST:PORT: that cluster."
        ),
    ] = "local",
    sets: Sets = None,
    skip_broken: SkipBroken = False,
    fresh: Annotated[
        bool,
        typer.Option("--fresh", help="Set earlier results aside and start over; what was claimed there counts on."),
    ] = False,
    remeasure: Annotated[
        bool,
        typer.Option(
            "--remeasure",
            help="Set aside what was measured under other code, and measure it again.",
        ),
    ] = False,
) -> None:
    """Run a study: search, ablate, report. What has been measured is not measured again.

    Ctrl-C stops cleanly; the same command resumes. To extend a study, raise `trials` or `seeds` and run it again.
    A trial cut short by its machine (full disk, missing share, no memory) does not count as failed; it is tried again.
    Exit codes: 0 done; 1 finished with failed trials, or cannot go on for now; 2 the request is wrong; 130 interrupted.
    """
    from reid_search.records import StudyStore
    from reid_search.scheduling import check_address
    from reid_search.study import load_study

    check_address(address)
    study = load_study(study_file, settings(sets, skip_broken), data)
    store = StudyStore(storage, study.name)
    summary = _run(study, store, address, fresh=fresh, remeasure=remeasure)
    command = _command(sys.argv)
    if summary.interrupted:
        say(f"\nStopped. Everything measured so far is kept; go on with:\n  {command}")
        raise typer.Exit(_INTERRUPTED)
    _conclude(store, summary)
    if summary.failed:
        raise typer.Exit(_FAILED)


def _run(study: "Study", store: "StudyStore", address: str, *, fresh: bool, remeasure: bool) -> "RunSummary":
    from reid_search.analysis import look_at_claims
    from reid_search.cli.watching import watching
    from reid_search.records.provenance import git_commit, versions
    from reid_search.scheduling import RunOptions, run_study
    from reid_search.tracking import BackgroundSink

    say(f"{study.name}: reading data{'' if address == 'none' else ' and starting Ray'} …")
    sink = BackgroundSink(store)
    options = RunOptions(
        address=address,
        fresh=fresh,
        remeasure=remeasure,
        command=_command(sys.argv),
        versions=versions(),
        git_commit=git_commit(),
    )
    try:
        planned = study.plan()
        for remark in (*planned.data, *planned.random):
            say(f"note: {remark}")
        with watching(planned) as observer:
            return run_study(study, planned, store, options, observer, sink, look_at_claims)
    finally:
        for warning in sink.close():
            say(f"MLflow: {warning}")


def _conclude(store: "StudyStore", summary: "RunSummary") -> None:
    from reid_search.analysis import best_values, conclusion, write_report
    from reid_search.records import read_state
    from reid_search.tracking import sync_study

    page = write_report(store.path)
    for warning in sync_study(store).warnings:
        say(f"MLflow: {warning}")
    for warning in summary.warnings:
        say(warning)
    for trial, reason in summary.failed.items():
        say(f"failed: {store.trial(*trial).path}: {reason}")
    counts = f"{several(summary.finished, 'trial')} finished"
    counts += f", {summary.stopped} stopped early" if summary.stopped else ""
    counts += f", {len(summary.failed)} failed" if summary.failed else ""
    say(f"\n{counts}" + (f" ({summary.reused} not measured again)" if summary.reused else ""))
    for line in conclusion(store.path):
        say(line)
    if summary.best is not None:
        best, settings = summary.best, [f"{path}={level.label}" for path, level in summary.best.settings.items()]
        worth = best_values(read_state(store))[best.phase]
        say(f"Best of the search ({worth.how}): {percent(worth.shown)} {best.objective}")
        say(f"  #{best.number}: {', '.join(settings)}")
        state = read_state(store, tolerant=True)
        proposal = state.best(best.phase)
        if proposal is not None:
            say(f"  {store.trial(proposal.key, proposal.seed).path}")
        if proposal is not None and (collapse := state.collapse(proposal)):
            say(f"  It is {collapse.words}: no proposal learnt anything, so the search has found no best.")
    say(f"Report:  {page}")
    say(f"MLflow:  reid-search ui --storage {shlex.quote(str(store.storage))}")


def _command(arguments: list[str]) -> str:
    return shlex.join(["reid-search", *arguments[1:]]).encode(errors="replace").decode()  # names may be any bytes
