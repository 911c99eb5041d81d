"""Telling which data set a folder is."""

from pathlib import Path

from reid_search.data.folder import FolderConfig
from reid_search.errors import DataError
from reid_search.study import DATASETS


def names_of_folders() -> list[str]:
    """Return the data sets that are read from a folder."""
    return [name for name in DATASETS.names() if issubclass(DATASETS.config_class(name), FolderConfig)]


def sniffed(root: Path) -> list[str]:
    """Return the names of all data sets that a folder can be read as, the likeliest first.

    The likeliest is the one from whose published counts it deviates least.
    """
    found = []
    for name in names_of_folders():
        config = DATASETS.validate({"name": name, "root": str(root)})
        try:
            assert isinstance(config, FolderConfig)
            deviations = config.read(root).deviations()
        except DataError:
            continue
        found.append((len(deviations), name))
    return [name for _, name in sorted(found)]
