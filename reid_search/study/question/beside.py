"""What differs in an arm without its name saying so: entries left behind, defaults of a new component."""

from collections.abc import Mapping

from reid_search.study.component import label_of
from reid_search.study.language.merge import leaves
from reid_search.study.question.axes import Axis
from reid_search.study.question.designs.arms import Arm


def beside_name(arm: Arm, centre: Arm, axes: Mapping[str, Axis]) -> tuple[str, ...]:
    """Return the differences between an arm and the centre that its name does not say.

    They read `readouts.default.scorer.top=100` for an entry with another value, `without model.parts` for one that is
    gone.
    """
    own, other = (dict(leaves(item.config.model_dump(mode="json"))) for item in (arm, centre))
    said, undone = _said(arm, centre, axes), _said(centre, arm, axes)
    new = [
        f"{path}={label_of(value)}"
        for path, value in own.items()
        if other.get(path) != value and not _under(path, said) and not (path in other and _under(path, undone))
    ]
    gone = [f"without {path}" for path in other if path not in own and not _under(path, {*said, *undone})]
    return (*new, *(text for text in gone if not _under(text.removeprefix("without "), set(own))))


def _said(arm: Arm, other: Arm, axes: Mapping[str, Axis]) -> set[str]:
    """Return the entries set by levels that another arm does not have, and those that a search found."""
    said = set(arm.tuned)
    for path, level in arm.settings.items():
        if other.settings.get(path) != level:
            variants = axes[path].variants if path in axes else None
            said |= {entry for entry, _ in leaves({path: level.value} if variants is None else variants[level.label])}
    return said


def _under(path: str, entries: set[str]) -> bool:
    return any(path == entry or path.startswith(f"{entry}.") for entry in entries)
