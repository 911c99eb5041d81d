"""Names of data sets for people to read, which differ where the sets do: `market1501 (in mA)`. No torch."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePath

from reid_search.study.component import DATASETS, Config, label_of
from reid_search.study.trial.config import OF_ANY_SET

Entries = Mapping[str, object]


class SetNames:
    """Names for some data sets, each given by the entries of its config as JSON has them.

    A name is that of the reader, with the settings that are not its usual ones. Sets that these do not tell apart are
    told by the ends of their folders, as short as possible.
    """

    def __init__(self, sets: Iterable[Entries]) -> None:
        self._folders: dict[str, set[PurePath]] = {}
        for entries in sets:
            self._folders.setdefault(_text(entries), set()).add(_folder(entries))

    def of(self, entries: Entries) -> str:
        """Return the name of one of the data sets."""
        return _text(entries, self.place_of(entries))

    def place_of(self, entries: Entries) -> str:
        """Return where one of the data sets is, `in mA`; empty where that is not needed to tell it apart."""
        folder = _folder(entries)
        others = self._folders.get(_text(entries), set()) - {folder}
        return f"in {_end(folder, others)}" if others and folder.parts else ""


def names_of(sets: Sequence[Entries]) -> list[str]:
    """Return a name for each of some data sets; equal ones have the same."""
    names = SetNames(sets)
    return [names.of(entries) for entries in sets]


def _text(entries: Entries, place: str = "") -> str:
    details = [f"{entry} {label_of(value)}" for entry, value in _unusual(entries)]
    details += [place] if place else []
    name = str(entries.get("name", ""))
    return f"{name} ({', '.join(details)})" if details else name


def _unusual(entries: Entries) -> Iterator[tuple[str, object]]:
    name = str(entries.get("name", ""))
    if name not in DATASETS.names():
        return
    config = DATASETS.config_class(name)
    usual = {
        entry: _plain(field.get_default(call_default_factory=True)) for entry, field in config.model_fields.items()
    }
    hidden = ("name", *OF_ANY_SET, *getattr(config, "places", ()))
    yield from ((entry, value) for entry, value in entries.items() if entry not in hidden and usual.get(entry) != value)


def _plain(value: object) -> object:
    return value.model_dump(mode="json") if isinstance(value, Config) else value


def _folder(entries: Entries) -> PurePath:
    return PurePath(str(entries.get("root") or ""))


def _end(folder: PurePath, others: Iterable[PurePath]) -> str:
    """Return the last steps of a path, as many as none of the others ends in."""
    for count in range(1, len(folder.parts)):
        end = folder.parts[-count:]
        if all(other.parts[-count:] != end for other in others):
            return "/".join(end)
    return str(folder)
