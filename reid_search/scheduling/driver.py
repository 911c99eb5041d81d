"""Runs what is missing in a study's store, and nothing else."""

from dataclasses import dataclass, field
from pathlib import Path

from reid_search.backbones.weights import examine_weights
from reid_search.data import open_trial_data
from reid_search.errors import EnvironmentFailure, RequestError
from reid_search.records import RunDone, RunStarted, Status, StudyStore, other_code, read_state, read_trial
from reid_search.scheduling import backends
from reid_search.scheduling.observer import Observer, RunSummary, TrialSink
from reid_search.scheduling.phase_context import PhaseContext
from reid_search.scheduling.sequential_work import Judge
from reid_search.scheduling.study_run import StudyRun
from reid_search.study import AblatePhase, Plan, Study, TrialConfig
from reid_search.training.patterns import check_patterns
from reid_search.words import several


@dataclass(frozen=True)
class RunOptions:
    """How a study is run, as opposed to what it asks.

    Attributes:
        cache: Folder of data sets and image caches on each node; by default the user's cache folder.
        fresh: Whether to set aside first what was measured before.
        remeasure: Whether to set aside first what was measured under other code.
        command: The command line, for the store, as `versions` and `git_commit` (of a checkout) are.
    """

    address: str = "local"
    cache: Path | None = None
    fresh: bool = False
    remeasure: bool = False
    command: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    git_commit: str | None = None


def run_study(
    study: Study,
    planned: Plan,
    store: StudyStore,
    options: RunOptions,
    observer: Observer,
    sink: TrialSink | None = None,
    judge: Judge | None = None,
) -> RunSummary:
    """Run what a study asks for and its store does not hold yet.

    Args:
        study: The study.
        planned: Its plan, whose weights are fetched if they are not on this machine.
        store: Its store.
        options: How it is run.
        observer: Watches the run.
        sink: Is told of trials that changed on disk.
        judge: Looks at the claims of ablations that add seeds until these are decided.

    Returns:
        How it ended; `interrupted` after Ctrl-C.

    Raises:
        RequestError: The study cannot be run here, another run of it is at work, or the options exclude each other;
            nothing was written.
        EnvironmentFailure: The study cannot go on for now; everything measured so far is kept.
    """
    if options.fresh and options.remeasure:
        raise RequestError("--fresh measures everything again, and --remeasure a part; give one of them")
    check_patterns(study, planned)
    for loaded in examine_weights((config.model for config in planned.configs), fetch=True):
        for line in loaded.lines():
            observer.note(f"weights: {line}")
    _open_data(study, options.cache)
    how = {"command": options.command, "versions": options.versions, "git_commit": options.git_commit}
    with backends.opened(options.address, study.config.resources, options.cache) as backend, store.running():
        try:
            if aside := store.set_aside() if options.fresh else None:
                observer.note(f"Earlier measurements are set aside in {aside}")
            elif store.exists():
                _look_at_other_code(planned, store, observer, remeasure=options.remeasure)
            store.write_study(study.resolved() | how)
            started = RunStarted.model_validate(how | {"set_aside": aside.name if aside else ""})
            context = PhaseContext.begin(study, store, started)
            run = StudyRun(context, observer, sink, judge=judge)
            if not run.done:
                backend.run(run)
            summary = run.summary()
            if not summary.interrupted:
                context.log.append(RunDone())
                _remove_unkept(study, store)
        except OSError as error:
            raise EnvironmentFailure(
                f"{store.path}: {error}; everything measured so far is kept; run the study again to resume"
            ) from error
    return summary


def _look_at_other_code(planned: Plan, store: StudyStore, observer: Observer, *, remeasure: bool) -> None:
    """Say what was measured under other code, or set it aside, so that it is measured again."""
    found = other_code(planned, read_state(store, tolerant=True))
    if remeasure and found.trials:
        aside = store.set_trials_aside(found.trials)
        count = several(len(found.trials), "training")
        observer.note(f"{count} of other code: set aside in {aside} and measured again ({found.price})")
        return
    for line in found.lines():
        observer.note(line)
    if remeasure:
        observer.note("No training was measured under other code, so none is measured again")


def _open_data(study: Study, cache: Path | None) -> None:
    """Open the data of every phase, which builds the caches here and finds mistakes before anything starts."""
    for phase in study.config.phases:
        configs = [arm.config for arm in study.arms(phase)] if isinstance(phase, AblatePhase) else []
        configs.append(study.space(phase).config({}))
        for config in {_what_is_opened(config): config for config in configs}.values():
            open_trial_data(config, seed=0, cache=cache)


def _what_is_opened(config: TrialConfig) -> tuple[object, ...]:
    others = (config.stage_data(stage) for stage in config.training.stages if stage.data)
    data = tuple(item.model_dump_json() for item in (config.data, *others))
    return data, config.training.batch, config.model.needs, config.training_needs


def _remove_unkept(study: Study, store: StudyStore) -> None:
    """Remove the checkpoints of stopped trials, which nothing resumes once the study is over."""
    if study.config.keep == "all":
        return
    for folder in store.trials():
        if read_trial(folder, tolerant=True).status == Status.STOPPED:
            folder.remove_weights()
