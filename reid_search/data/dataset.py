"""A data set as tables of images."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from reid_search.common.labels import DISTRACTOR
from reid_search.common.places import cache_folder
from reid_search.data.boxes import named
from reid_search.data.listing import PARTS, ListedImage, Listing
from reid_search.errors import InputChanged
from reid_search.study import DATASETS, DataConfig, SideCar
from reid_search.study.trial.config import DataFacts
from reid_search.study.trial.side_cars import Forms


@dataclass(frozen=True)
class ReidDataset:
    """Images for training and testing.

    Each table has one row per image with the columns `path`, `name` (the path in the data set), `identity` (1 or more;
    in the gallery also -1, junk, and 0, distractor) and `camera`; a reader may add others. Where the data have no
    cameras, `content` stands for `camera`: a hash of the file, by which a query is known in the gallery even where it
    lies there as a copy. Where images are parts of files, `box` says which; it is in `name` and `content` too. Where a
    list names side-cars, `maps` and `keypoints` are the files of each image, empty for one without.

    Attributes:
        name: The data set.
        train: Training images.
        query: Query images.
        gallery: Gallery images.
        multi_query: Images that describe a query together, where the evaluation rule pools them: those of its identity
            in its camera.
        fingerprint: Identifies images, labels and side-cars.
        side_cars: Paths of the part maps, keypoints and attributes that exist.
        forms: How these are to be understood.
        one_numbering: Whether a number means one person in `train` and in `query`; else these are unrelated.
        unused: How many files were found and are not used, by reason.
        notes: What else is worth knowing: counts other than the published ones, a withdrawn data set.
        root: Its folder.
        labels: What it calls its identities, by number; empty where these are the same.
        cameras: What it calls its cameras, in the same way.
        listing: What its fingerprint was made of; None where another was given.
    """

    name: str
    train: pd.DataFrame
    query: pd.DataFrame
    gallery: pd.DataFrame
    fingerprint: str
    side_cars: Mapping[SideCar, Path] = field(default_factory=dict)
    forms: Forms = field(default_factory=Forms)
    one_numbering: bool = False
    unused: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    multi_query: pd.DataFrame | None = None
    root: Path | None = None
    labels: Mapping[int, str] = field(default_factory=dict)
    cameras: Mapping[int, str] = field(default_factory=dict)
    listing: Listing | None = field(default=None, repr=False)

    def check_unchanged(self) -> None:
        """Refuse files that are no longer those of the fingerprint.

        Raises:
            InputChanged: One was edited, or taken out, since the data set was loaded.
        """
        if self.listing is not None and not self.listing.is_unchanged(self.fingerprint):
            raise InputChanged(f"{self.place}: the data changed while they were read")

    @property
    def place(self) -> str:
        """Its name and folder, for messages."""
        return f"{self.name} in {self.root}" if self.root else self.name

    @property
    def facts(self) -> DataFacts:
        """What a plan and a record say of the data set."""
        return DataFacts(self.fingerprint, self.unused, self.notes)

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables by name."""
        beside = {} if self.multi_query is None else {"multi_query": self.multi_query}
        return {name: getattr(self, name) for name in PARTS} | beside

    def identities(self) -> npt.NDArray[np.int64]:
        """Return every person's identity, ascending."""
        found = np.unique(np.concatenate([table["identity"].to_numpy(np.int64) for table in self.tables.values()]))
        return found[found > DISTRACTOR]


def load_dataset(config: DataConfig, cache: Path | None = None) -> ReidDataset:
    """Load the tables of a data set; a synthetic one is rendered first.

    Args:
        config: The config of any data set.
        cache: Folder of made data sets; the user's cache folder where omitted.

    Raises:
        DataError: The data set is missing or of another layout.
    """
    return cast("ReidDataset", DATASETS.work_module(config).load(config, cache or cache_folder()))


class Listed(Protocol):
    """The config of a data set that can be listed."""

    @property
    def name(self) -> str:
        """The data set."""

    def listing(self) -> Listing:
        """Return what its folder holds."""


def load_folder(config: Listed, cache: Path) -> ReidDataset:
    """Read the tables of a data set in a folder; the images stay where they are."""
    del cache
    return dataset_of(config.name, config.listing())


def dataset_of(name: str, listing: Listing, fingerprint: str | None = None) -> ReidDataset:
    """Return a listing as tables.

    Args:
        name: The data set's name.
        listing: What was found.
        fingerprint: Its fingerprint; that of its files' content where omitted.
    """
    about, facts = listing.about, listing.facts(fingerprint)
    contents = {} if about.cameras else listing.digests()
    return ReidDataset(
        name,
        **{part: _table(listing.of(part), contents) for part in PARTS},
        fingerprint=facts.fingerprint,
        side_cars=listing.side_cars,
        forms=listing.forms,
        one_numbering=about.one_numbering,
        unused=facts.unused,
        notes=facts.notes,
        multi_query=_table(pooled, contents) if (pooled := listing.of("multi_query")) else None,
        root=listing.root,
        labels=listing.labels,
        cameras=listing.cameras,
        listing=listing if fingerprint is None else None,
    )


def _table(images: list[ListedImage], contents: Mapping[str, str]) -> pd.DataFrame:
    columns: dict[str, list[object]] = {
        "path": [image.path for image in images],
        "name": [image.name for image in images],
        "identity": [image.identity for image in images],
    }
    if contents:
        columns["content"] = [named(contents[image.path], image.box) for image in images]
    else:
        columns["camera"] = [image.camera for image in images]
    for index, (name, _) in enumerate(images[0].more if images else ()):
        columns.setdefault(name, [image.more[index][1] for image in images])
    for index, (kind, _) in enumerate(images[0].side_cars if images else ()):
        columns[kind] = [image.side_cars[index][1] for image in images]
    if any(image.box for image in images):
        columns["box"] = [image.box for image in images]
    return pd.DataFrame(columns).astype({"identity": np.int64} | ({} if contents else {"camera": np.int64}))
