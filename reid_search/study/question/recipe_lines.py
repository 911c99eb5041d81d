"""Which recipe each arm is of and what it changes of it, in words: for plans and for reports."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from reid_search.study.component import label_of
from reid_search.study.trial.recipe_overrides import Override, overlay_of, overrides_of
from reid_search.study.trial.trial import TrialConfig


class Made(NamedTuple):
    """What an arm was made from: the recipe, the arm's config as plain data, and where the two differ."""

    recipe: str
    content: Mapping[str, object]
    changes: Sequence[Override]

    @classmethod
    def of(cls, config: TrialConfig) -> "Made | None":
        """Return what a trial was made from; None if that is no recipe."""
        if config.from_recipe is None:
            return None
        return cls(config.from_recipe, config.model_dump(mode="json"), overrides_of(config))


def recipe_lines(arms: Mapping[str, Made | None]) -> Iterator[str]:
    """Say of each arm that was made from a recipe what it changes of it; what all of them have alike comes first."""
    made = {name: item for name, item in arms.items() if item is not None}
    overlay = overlay_of([(item.content, item.changes) for item in made.values()])
    if overlay:
        yield f"over every recipe: {', '.join(f'{path} {label_of(value)}' for path, value in overlay.items())}"
    for name, (recipe, _, changes) in made.items():
        own = [item for item in changes if item.path not in overlay]
        told = [f"{item.path} {label_of(item.here)} (published: {label_of(item.published)})" for item in own]
        also = " else" if overlay else ""
        rest = f"changes {', '.join(told)}" if told else f"nothing{also} is changed"
        yield f"{name}: recipe {recipe}; {rest}"
