"""Which recipe each arm is of and what it changes of it, in words: for plans and for reports."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from reid_search.study.component import label_of
from reid_search.study.trial.recipe_overrides import Override, overrides_of, shared_of
from reid_search.study.trial.trial import TrialConfig


class Made(NamedTuple):
    """What an arm was made from: the recipe, and what the arm has in place of its entries."""

    recipe: str
    changes: Sequence[Override]

    @classmethod
    def of(cls, config: TrialConfig) -> "Made | None":
        """Return what a trial was made from; None if that is no recipe."""
        return None if config.from_recipe is None else cls(config.from_recipe, overrides_of(config))


def recipe_lines(arms: Mapping[str, Made | None]) -> Iterator[str]:
    """Say of each arm that was made from a recipe what it changes of it; what all of them change comes first."""
    made = {name: item for name, item in arms.items() if item is not None}
    shared = {item.path: item for item in shared_of(item.changes for item in made.values())} if len(made) > 1 else {}
    if shared:
        yield f"over every recipe: {', '.join(f'{item.path} {label_of(item.here)}' for item in shared.values())}"
    for name, (recipe, changes) in made.items():
        own = [item for item in changes if item.path not in shared]
        told = [f"{item.path} {label_of(item.here)} (published: {label_of(item.published)})" for item in own]
        also = " else" if shared else ""
        rest = f"changes {', '.join(told)}" if told else f"nothing{also} is changed"
        yield f"{name}: recipe {recipe}; {rest}"
