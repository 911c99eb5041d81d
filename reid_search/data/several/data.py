"""Loading several data sets as one: all people to train on, and the queries and gallery of the first test."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from reid_search.data.several.config import SeveralConfig

if TYPE_CHECKING:
    from reid_search.data.dataset import ReidDataset


def load(config: SeveralConfig, cache: Path) -> "ReidDataset":
    """Return the tables of all sets; those of further tests and all side-cars are in the data sets themselves."""
    from reid_search.data.dataset import load_dataset
    from reid_search.data.several.joining import joined_tables

    found = [(use, load_dataset(use.data, cache)) for use in config.sets]
    first = next(dataset for use, dataset in found if use.data == config.tested["test"])
    facts = config.joined([dataset.facts for _, dataset in found])
    train = joined_tables([dataset.train for use, dataset in found if use.train])
    return replace(
        first,
        name=config.name,
        train=train,
        fingerprint=facts.fingerprint,
        side_cars={},
        one_numbering=False,
        unused=facts.unused,
        notes=facts.notes,
    )
