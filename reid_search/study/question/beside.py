"""What an arm has beside what its name says: entries left behind, and defaults of a component that came."""

from collections.abc import Iterator, Mapping

from reid_search.study.question.axes import Axis, label_of
from reid_search.study.question.designs import Arm


def beside_name(arm: Arm, centre: Arm, axes: Mapping[str, Axis]) -> tuple[str, ...]:
    """Return the entries in which an arm differs from the centre and which its name does not say.

    Args:
        arm: An arm.
        centre: The arm whose name is `baseline`.
        axes: The axes that vary.

    Returns:
        `readouts.default.scorer.top=100` for an entry with another value, `without model.parts` for one that is gone.
    """
    own, other = (dict(_leaves(item.config.model_dump(mode="json"))) for item in (arm, centre))
    said, undone = _said(arm, centre, axes), _said(centre, arm, axes)
    new = [
        f"{path}={label_of(value)}"
        for path, value in own.items()
        if other.get(path) != value and not _under(path, said) and not (path in other and _under(path, undone))
    ]
    gone = [f"without {path}" for path in other if path not in own and not _under(path, {*said, *undone})]
    return (*new, *(text for text in gone if not _under(text.removeprefix("without "), set(own))))


def _said(arm: Arm, other: Arm, axes: Mapping[str, Axis]) -> set[str]:
    """Return the entries that an arm's levels set where another has other levels, and those that a search found."""
    said = set(arm.tuned)
    for path, level in arm.settings.items():
        if other.settings.get(path) != level:
            is_variant = path in axes and axes[path].variants is not None
            content = level.value if is_variant else {path: level.value}
            said |= {entry for entry, _ in _leaves(content)}
    return said


def _under(path: str, entries: set[str]) -> bool:
    return any(path == entry or path.startswith(f"{entry}.") for entry in entries)


def _leaves(content: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in content.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
