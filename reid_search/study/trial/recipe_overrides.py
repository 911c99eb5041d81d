"""What a trial changes of the recipe that it was made from."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import NamedTuple

from reid_search.study.language.merge import leaves
from reid_search.study.trial.recipes import KEY
from reid_search.study.trial.trial import TrialConfig

_PUBLISHED_ON = {"name": "market1501"}
_NOT_OF_A_SYSTEM = ("data.holdout", "data.split_seed", "training.report_every", "training.threads", "from_recipe")


class Override(NamedTuple):
    """An entry that differs: its path, its value in the recipe and its value here; None where there is none."""

    path: str
    published: object
    here: object


def overrides_of(config: TrialConfig) -> tuple[Override, ...]:
    """Return the entries of a trial that are not as in its recipe; none if it was made from none.

    Where the data are, the validation split, how often it reports and how many threads it has are no part of a recipe;
    of other data than the recipe's, only the name and the image size are compared.
    """
    if config.from_recipe is None:
        return ()
    published, here = (dict(_leaves(item)) for item in (_published(config.from_recipe), config))
    paths = dict.fromkeys([*published, *here])
    found = (Override(path, published.get(path), here.get(path)) for path in paths)
    return tuple(item for item in found if item.published != item.here)


def shared_overrides(configs: Iterable[TrialConfig]) -> tuple[Override, ...]:
    """Return what all trials that were made from recipes have in place of these: the overlay of a study.

    What the recipes say there may differ, so `published` is None.
    """
    made = [config for config in configs if config.from_recipe is not None]
    each = [{item.path: item.here for item in overrides_of(config)} for config in made]
    common = each[0] if each else {}
    return tuple(
        Override(path, None, value)
        for path, value in common.items()
        if all(path in other and other[path] == value for other in each)
    )


@cache
def _published(name: str) -> TrialConfig:
    return TrialConfig.model_validate({KEY: name, "data": _PUBLISHED_ON})


def _leaves(config: TrialConfig) -> Iterator[tuple[str, object]]:
    content = config.model_dump(mode="json")
    data: Mapping[str, object] = content["data"]
    content["data"] = {name: data[name] for name in ("name", "image_size") if name in data}
    yield from ((path, value) for path, value in leaves(content) if path not in _NOT_OF_A_SYSTEM)
