"""Runs a study to its end: what is missing in the store, and nothing else."""

from dataclasses import dataclass, field
from pathlib import Path

from reid_search.data import open_trial_data
from reid_search.errors import EnvironmentFailure
from reid_search.records import RunDone, RunStarted, Status, StudyStore, read_trial
from reid_search.scheduling import backends
from reid_search.scheduling.backends import Backend
from reid_search.scheduling.observer import Observer, RunSummary, TrialSink
from reid_search.scheduling.run_log import begin_log
from reid_search.scheduling.study_run import StudyRun
from reid_search.study import AblatePhase, Fingerprints, Study, TrialConfig


@dataclass(frozen=True)
class RunOptions:
    """How a study is run, as opposed to what it asks.

    Attributes:
        cache: Folder of data sets and image caches on each node; the default one where omitted.
        fresh: Whether what was measured before is set aside first.
        command: The command line, for the store.
        versions: Releases of the packages, for the store.
        git_commit: Commit of the code, where it runs from a checkout.
    """

    address: str = "local"
    cache: Path | None = None
    fresh: bool = False
    command: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    git_commit: str | None = None


def run_study(
    study: Study, store: StudyStore, options: RunOptions, observer: Observer, sink: TrialSink | None = None
) -> RunSummary:
    """Run what a study asks for and its store does not hold yet.

    Args:
        study: The study.
        store: Where it keeps everything.
        options: Where and how it runs.
        observer: Who watches.
        sink: Who takes note of trials as they change on disk.

    Returns:
        How it ended; `interrupted` after Ctrl-C.

    Raises:
        RequestError: What was asked for cannot be run here, or another run of the study is at work; nothing was
            written.
        EnvironmentFailure: The study cannot go on for now; what is measured so far is kept.
    """
    fingerprints = Fingerprints()
    _open_data(study, options.cache)
    with backends.opened(options.address, study.config.resources, options.cache) as backend, store.running():
        try:
            aside = store.set_aside() if options.fresh else None
            if aside is not None:
                observer.note(f"What was measured before is set aside in {aside}")
            return _run(study, store, options, backend, fingerprints, observer, sink)
        except OSError as error:
            raise EnvironmentFailure(
                f"{store.path}: {error}; what is measured so far is kept, and running the study again goes on"
            ) from error


def _run(
    study: Study,
    store: StudyStore,
    options: RunOptions,
    backend: Backend,
    fingerprints: Fingerprints,
    observer: Observer,
    sink: TrialSink | None,
) -> RunSummary:
    how = {"command": options.command, "versions": options.versions, "git_commit": options.git_commit}
    store.write_study(study.resolved() | how)
    log = begin_log(study, store, fingerprints, RunStarted.model_validate(how))
    run = StudyRun(study, store, log, fingerprints, observer, sink)
    if not run.done:
        backend.run(run)
    summary = run.summary()
    if not summary.interrupted:
        log.append(RunDone())
        _remove_unkept(study, store)
    return summary


def _open_data(study: Study, cache: Path | None) -> None:
    """Open what every phase trains on, which builds the caches here and finds what is wrong before anything starts."""
    for phase in study.config.phases:
        configs = [arm.config for arm in study.arms(phase)] if isinstance(phase, AblatePhase) else []
        configs.append(study.space(phase).config({}))
        for config in {_what_is_opened(config): config for config in configs}.values():
            open_trial_data(config, seed=0, cache=cache)


def _what_is_opened(config: TrialConfig) -> tuple[object, ...]:
    others = tuple(config.stage_data(stage) for stage in config.training.stages if stage.data)
    return config.data, others, config.training.batch, config.model.needs, config.training_needs


def _remove_unkept(study: Study, store: StudyStore) -> None:
    """Drop what a stopped trial could have gone on from, now that the study is over."""
    if study.config.keep == "all":
        return
    for folder in store.trials():
        if read_trial(folder, tolerant=True).status == Status.STOPPED:
            folder.remove_weights()
