"""Shares of a search: what gets proposals of its own, so that all are tuned alike."""

from dataclasses import dataclass, replace

from reid_search.study.question.space import Settings, Space


@dataclass(frozen=True)
class Share:
    """A part of a search that has `trials` proposals of its own: a level of an axis, an arm of an ablation, or all.

    Attributes:
        name: The level's label, or the arm's name; empty where everything is searched together.
        held: Settings that all its proposals have.
        space: What it searches, the held axes narrowed to one level.
    """

    name: str
    held: Settings
    space: Space


def share(name: str, held: Settings, space: Space) -> Share:
    """Return the share of a search that holds some settings.

    Args:
        name: What it is called.
        held: The settings.
        space: What the whole search searches.
    """
    narrowed = {path: space.axes[path].only(level) for path, level in held.items()}
    return Share(name, held, replace(space, axes={**space.axes, **narrowed}))
