"""Runs a study to its end: what is missing in the store, and nothing else."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from reid_search.data import open_trial_data
from reid_search.records import Status, StudyStore
from reid_search.records.files import write_atomically
from reid_search.scheduling import cluster
from reid_search.scheduling.jobs import Job, folder_of
from reid_search.scheduling.phase_run import PhaseRun, TrialSink
from reid_search.scheduling.progress import Observer, RunSummary
from reid_search.study import AblatePhase, Fingerprints, Study, TrialConfig


@dataclass(frozen=True)
class RunOptions:
    """How a study is run, as opposed to what it asks.

    Attributes:
        address: `local`, `auto` or `HOST:PORT` of a Ray cluster.
        cache: Folder of data sets and image caches on each node; the default one where omitted.
        command: The command line, for the store.
        versions: Releases of the packages, for the store.
        git_commit: Commit of the code, where it runs from a checkout.
        fresh: Where given, what the study measured before is set aside first, and this is told where to.
    """

    address: str = "local"
    cache: Path | None = None
    command: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    git_commit: str | None = None
    fresh: Callable[[Path], None] | None = None


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
    """
    fingerprints = Fingerprints()
    _open_data(study, options.cache)
    with cluster.connected(options.address):
        most = cluster.trials_at_once(study.config.resources)
        with store.running():
            if options.fresh is not None and (aside := store.set_aside()) is not None:
                options.fresh(aside)
            return _run(study, store, options, observer, sink, fingerprints, most)


def _run(
    study: Study,
    store: StudyStore,
    options: RunOptions,
    observer: Observer,
    sink: TrialSink | None,
    fingerprints: Fingerprints,
    most: int,
) -> RunSummary:
    from reid_search.scheduling.runner import run_phases

    _write_study(study, store, options)
    planned = [
        {"phase": phase.name, "trials": phase.count, "images": phase.images}
        for phase in study.plan(fingerprints=fingerprints).phases
    ]
    store.asked.append(
        "run", command=options.command, versions=options.versions, git_commit=options.git_commit, planned=planned
    )
    phases = PhaseRun(study, store, fingerprints, observer, sink)
    if not phases.done:
        run_phases(
            phases,
            lambda job: _job_config(job, study, store, options),
            study.config.resources,
            most,
            (store.path / ".ray").resolve(),
        )
    summary = phases.summary()
    if not summary.interrupted:
        store.asked.append("done")
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


def _job_config(job: Job, study: Study, store: StudyStore, options: RunOptions) -> dict[str, Any]:
    return {
        "config": job.config.model_dump(mode="json"),
        "key": job.label.key,
        "seed": job.label.seed,
        "evaluate": list(job.evaluate),
        "keep": job.keep,
        "folder": str(folder_of(store, job).path.resolve()),
        "cache": str(options.cache.resolve()) if options.cache else None,
        "device": "cuda" if study.config.resources.gpu else "cpu",
    }


def _write_study(study: Study, store: StudyStore, options: RunOptions) -> None:
    content = study.resolved() | {
        "versions": options.versions,
        "git_commit": options.git_commit,
        "command": options.command,
    }
    text = StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = None
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.dump(content, text)
    write_atomically(store.study_file, text.getvalue())


def _remove_unkept(study: Study, store: StudyStore) -> None:
    """Drop what a stopped trial could have gone on from, now that the study is over."""
    if study.config.keep == "all":
        return
    for folder in store.trials():
        record = folder.record()
        if record is not None and record.status == Status.STOPPED:
            shutil.rmtree(folder.checkpoints, ignore_errors=True)
