"""Where in a study file an entry of an arm is written: in its phase, an axis, or the base."""

from collections.abc import Mapping, Sequence

from reid_search.study.language.document import split_path
from reid_search.study.question.phases import AblatePhase, SearchPhase
from reid_search.study.question.question import Question
from reid_search.study.question.space import Settings


def place_of(study: Question, phase: SearchPhase | AblatePhase, settings: Settings, entry: Sequence[str]) -> str:
    """Return `file:line` of what gives an arm the value of an entry: what is laid over everything else comes first.

    Args:
        study: The study.
        phase: The arm's phase.
        settings: The arm's settings.
        entry: The entry's path in the trial.
    """
    axes = {path: study.config.axes[path] for path in settings}
    for path, axis in axes.items():
        if axis.variants is None and _leads_to(path, entry):
            return study.document.place(("axes", path))
    for path, axis in reversed(axes.items()):
        label = settings[path].label
        if axis.variants is not None and _has(axis.variants[label], entry):
            return study.document.place(("axes", path, "variants", label, *entry))
    index = study.config.phases.index(phase)
    for path in phase.set:
        if _leads_to(path, entry):
            return study.document.place(("phases", index, "set", path))
    return study.document.place(("base", *entry))


def _leads_to(path: str, entry: Sequence[str]) -> bool:
    """Say whether a dotted path is an entry, or one around or in it."""
    steps = split_path(path)
    return all(one == other for one, other in zip(steps, entry, strict=False))


def _has(patch: object, entry: Sequence[str]) -> bool:
    for step in entry:
        if not isinstance(patch, Mapping):
            return True  # it replaces what is around the entry
        if step not in patch:
            return False
        patch = patch[step]
    return True
