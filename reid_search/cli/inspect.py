"""Commands that run nothing: `plan`, `schema`, `doctor`."""

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reid_search.cli.console import answer, answer_console, answer_json, say
from reid_search.cli.options import DEFAULT_STORAGE, AsJson, Data, Sets, SkipBroken, Storage, StudyFile, settings
from reid_search.words import several

_MOST_SHOWN = 6

if TYPE_CHECKING:
    from reid_search.records import Progress, StudyState
    from reid_search.study import Config, Plan, Resources, Study, TrialConfig


def plan(
    study_file: StudyFile,
    data: Data = None,
    storage: Storage = DEFAULT_STORAGE,
    sets: Sets = None,
    skip_broken: SkipBroken = False,
    as_json: AsJson = False,
) -> None:
    """Show what a study would run: phases, arms, trials, images, and the time if it can be estimated.

    Nothing runs; the study is checked as `run` checks it.
    """
    from reid_search.analysis import measured_speed, planned_seconds
    from reid_search.backbones.weights import examine_weights
    from reid_search.records import other_code
    from reid_search.study import load_study
    from reid_search.training.patterns import check_patterns

    study = load_study(study_file, settings(sets, skip_broken), data)
    planned, speed = study.plan(), measured_speed(storage)
    check_patterns(study, planned)
    loaded = examine_weights((config.model for config in planned.configs), fetch=False)
    device = "cuda" if study.config.resources.gpu else "cpu"
    hours = [None if time is None else time / 3600 for time in planned_seconds(planned, speed, device)]
    state = _state(study, storage)
    progress = _progress(study, planned, state) if state else None
    other = other_code(planned, state) if state else None
    if as_json:
        further = {
            "progress": asdict(progress) if progress else None,
            "other_code": asdict(other) if other else None,
            "weights": [item.model_dump() for item in loaded],
        }
        answer_json(_as_data(planned, hours) | further)
    else:
        _print(planned, hours)
        for line in (*_progress_lines(progress), *(other.lines() if other else ())):
            answer(line)
    for line in (line for item in loaded for line in item.lines()):
        say(f"weights: {line}")
    say(_about_time(study.config.resources, hours, speed.trials, storage))
    for line in _expected(study, planned, hours):
        say(line)
    for line in _rungs(study, state) if state else ():
        say(f"note: {line}")
    for warning in planned.warnings:
        say(f"note: {warning}")


def _state(study: "Study", storage: Path) -> "StudyState | None":
    """Return what a study has measured so far, and note what of it cannot be read; None if it was never run."""
    from reid_search.errors import NewerVersion, RecordError
    from reid_search.records import Status, StudyStore, read_state

    store = StudyStore(storage, study.name)
    if not store.exists():
        return None
    try:
        state = read_state(store)
    except NewerVersion:
        raise
    except RecordError:
        state = read_state(store, tolerant=True)
    unreadable = (str(trial.reason) for trial in state.trials.values() if trial.status == Status.UNREADABLE)
    for problem in (*state.problems, *unreadable):
        say(f"note: {problem}")
    return state


def _rungs(study: "Study", state: "StudyState") -> "Iterator[str]":
    """Yield for each search whose pruner begins too early, by its trials so far, where it should."""
    from reid_search.analysis import rungs_to_set
    from reid_search.study import SearchPhase

    searches = [phase for phase in study.config.phases if isinstance(phase, SearchPhase)]
    begins = {phase.name: phase.pruner.begins(study.space(phase).config({}).training.epochs) for phase in searches}
    yield from rungs_to_set(state, {phase: first for phase, first in begins.items() if first is not None})


def _progress(study: "Study", planned: "Plan", state: "StudyState") -> "Progress":
    """Return how much of a plan has been measured."""
    from reid_search.records import progress_of
    from reid_search.study import SearchPhase

    searches = [phase for phase in study.config.phases if isinstance(phase, SearchPhase)]
    return progress_of(planned, {phase.name: study.space_hash(phase) for phase in searches}, state)


def _progress_lines(progress: "Progress | None") -> "Iterator[str]":
    if progress is None:
        return
    if progress.planned:
        yield f"measured so far: {progress.measured} of {several(progress.planned, 'training')} known in advance"
    for item in progress.again:
        yield f"{item.phase}: {item.arm} will be measured again: {item.why}"
    for phase in progress.spaces:
        yield f"{phase}: the space has changed, so the search starts over"


def schema(
    component: Annotated[
        str | None,
        typer.Argument(
            help="An architecture, backbone, loss, scorer, data set, sampler or pruner, such as mgn or loss/graph; "
            "the study file if omitted."
        ),
    ] = None,
) -> None:
    """Print the JSON schema of a study file, or of one component's settings."""
    from reid_search.study.editor_schema import component_schema, study_schema

    answer_json(study_schema() if component is None else component_schema(_component(component)))


def doctor(storage: Storage = DEFAULT_STORAGE) -> None:
    """Show this machine's versions, CPU cores, GPUs and folders."""
    from reid_search.data import cache_folder
    from reid_search.records.provenance import git_commit, versions

    for name, release in versions().items():
        answer(f"{name:14} {release}")
    answer(f"{'commit':14} {git_commit() or 'not a checkout'}")
    answer(f"{'CPU cores':14} {os.cpu_count()}")
    answer(f"{'GPUs':14} {', '.join(_gpus()) or 'none'}")
    for name, folder in (("storage", storage), ("cache", cache_folder())):
        answer(f"{name:14} {folder.resolve()} ({_space(folder)})")


def _component(wanted: str) -> "type[Config]":
    """Return the config class of a component, `mgn` or, if several families have the name, `loss/graph`."""
    from reid_search.errors import StudyError, nearest
    from reid_search.study import ARCHITECTURES, BACKBONES, DATASETS, LOSSES, PRUNERS, SAMPLERS, SCORERS

    families = (ARCHITECTURES, BACKBONES, LOSSES, SCORERS, DATASETS, SAMPLERS, PRUNERS)
    known = {f"{family.title}/{name}": family for family in families for name in family.names()}
    found = [full for full in known if wanted in (full, full.partition("/")[2])]
    if len(found) > 1:
        raise StudyError(f"component '{wanted}': {' or '.join(found)}?")
    nouns = sorted({full.partition("/")[0] for full in known})
    if wanted in nouns:
        members = ", ".join(full for full in known if full.startswith(f"{wanted}/"))
        raise StudyError(f"'{wanted}' is a family of components; allowed: {members}")
    if not found:
        names = {full.partition("/")[2] for full in known}
        raise StudyError(f"unknown component '{wanted}'; {nearest(wanted, [*names, *nouns])}")
    return known[found[0]].config_class(found[0].partition("/")[2])


def _expected(study: "Study", planned: "Plan", hours: list[float | None]) -> "Iterator[str]":
    """Yield what each ablation expects to train that adds seeds until its claims are decided."""
    from reid_search.study import AblatePhase

    for phase, plan, time in zip(study.config.phases, planned.phases, hours, strict=True):
        if isinstance(phase, AblatePhase) and phase.seeds.is_open and plan.arms:
            from reid_search.analysis import expected_count

            share = expected_count(study, phase, plan.arms) / max(1, len(plan.trials))
            priced = "" if time is None else f" ({share * time:.2g} of {time:.2g} trial-hours)"
            yield (
                f"expected: {phase.name} trains about {share * plan.count:.0f} of {plan.count}{priced}, if every "
                "second claim is true by two standard deviations and the others are of no effect"
            )


def _about_time(resources: "Resources", hours: list[float | None], measured: int, storage: Path) -> str:
    if None in hours:
        lacking = f"finished trial on a {'GPU' if resources.gpu else 'CPU'} for each model and image size of the study"
        return f"time: unknown, since {storage} has no {lacking}; run it with a few images first"
    total = sum(time for time in hours if time is not None)
    device, share = ("GPU", resources.gpu) if resources.gpu else ("CPU", float(resources.cpu))
    return (
        f"time: {total:.2g} trial-hours, {total * share:.2g} {device}-hours, without early stopping; estimated from "
        f"{several(measured, 'finished trial')} in {storage}"
    )


def _print(planned: "Plan", hours: list[float | None]) -> None:
    from rich.table import Table
    from rich.text import Text

    from reid_search.study import BASELINE
    from reid_search.study.question.recipe_lines import Made, recipe_lines
    from reid_search.study.trial.side_cars import TOLD

    console = answer_console()
    phases = Table(
        "phase", "what it does", "trials", "images", "hours", title=f"{planned.study}: phases", title_justify="left"
    )
    for phase, time in zip(planned.phases, hours, strict=True):
        phases.add_row(Text(phase.name), Text(phase.about), str(phase.count), f"{phase.images:,}", _hours(time))
    total = None if None in hours else sum(time for time in hours if time is not None)
    trials = sum(phase.count for phase in planned.phases)
    phases.add_row("all", "", str(trials), f"{planned.images:,}", _hours(total))
    console.print(phases)
    for phase in planned.phases:
        if not phase.arms:
            continue
        later = ", provisional until the search is over" if phase.provisional else ""
        title = f"{phase.name}: {several(len(phase.arms), 'arm')}{later}"
        arms = Table("arm", title=title, title_justify="left")
        arms.add_column("key", no_wrap=True)
        if phase.beside:
            arms.add_column("also differs in")
        keys = {trial.arm.name: trial.key for trial in phase.trials}
        for arm in phase.arms:
            beside = [_first_few(phase.beside.get(arm.name, ()))] if phase.beside else []
            name = f"{arm.name} {TOLD}" if arm.name in phase.told else arm.name
            arms.add_row(Text(name), keys[arm.name], *map(Text, beside))
        console.print(arms)
        for read in dict.fromkeys(phase.told.values()):
            told = [name for name, other in phase.told.items() if other == read]
            line = f"{TOLD} told the truth in testing ({read}): {', '.join(told)}"
            console.print(line, soft_wrap=True, markup=False)
        for centre in [arm for arm in phase.arms if arm.name == BASELINE]:
            settings = ", ".join(f"{path}={level.label}" for path, level in centre.settings.items())
            console.print(f"baseline: {settings}", soft_wrap=True, markup=False)
        for line in recipe_lines({arm.name: Made.of(arm.config) for arm in phase.arms}):
            console.print(line, soft_wrap=True, markup=False)
        for equation in phase.aliases:
            console.print(f"aliased: {equation}", soft_wrap=True, markup=False)
        console.print()


def _first_few(entries: Sequence[str]) -> str:
    more = len(entries) - _MOST_SHOWN
    return ", ".join(entries[:_MOST_SHOWN]) + (f" and {more} more (see --json)" if more > 0 else "")


def _hours(hours: float | None) -> str:
    return "?" if hours is None else f"{hours:.2g}"


def _as_data(planned: "Plan", hours: list[float | None]) -> dict[str, object]:
    return {
        "study": planned.study,
        "images": planned.images,
        "phases": [
            {
                "name": phase.name,
                "kind": phase.kind,
                "about": phase.about,
                "trials": phase.count,
                "images": phase.images,
                "trial_hours": time,
                "provisional": phase.provisional,
                "arms": [arm.name for arm in phase.arms],
                "aliases": list(phase.aliases),
                "beside": {arm: list(entries) for arm, entries in phase.beside.items()},
                "told_the_truth": dict(phase.told),
                "recipes": {arm.name: _recipe_as_data(arm.config) for arm in phase.arms if arm.config.from_recipe},
                "planned": [{"arm": trial.arm.name, "seed": trial.seed, "key": trial.key} for trial in phase.trials],
            }
            for phase, time in zip(planned.phases, hours, strict=True)
        ],
        "warnings": list(planned.warnings),
    }


def _recipe_as_data(config: "TrialConfig") -> dict[str, object]:
    from reid_search.study.trial.recipe_overrides import overrides_of

    changes = {item.path: {"published": item.published, "here": item.here} for item in overrides_of(config)}
    return {"recipe": config.from_recipe, "changes": changes}


def _gpus() -> list[str]:
    import torch

    return [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]


def _space(folder: Path) -> str:
    existing = next(path for path in (folder.resolve(), *folder.resolve().parents) if path.exists())
    free = shutil.disk_usage(existing).free / 1e9
    return f"{free:.0f} GB free" if os.access(existing, os.W_OK) else "not writable"
