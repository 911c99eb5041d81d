"""Where a study keeps everything."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reid_search.records.asked import AskedLog
from reid_search.records.folder import TrialFolder, trial_folder_name


@dataclass(frozen=True)
class StudyStore:
    """The folders and files of one study.

    Attributes:
        storage: The store that several studies share.
        name: The study.
    """

    storage: Path
    name: str

    @property
    def path(self) -> Path:
        """`<storage>/<study>`."""
        return self.storage / self.name

    @property
    def study_file(self) -> Path:
        """The study as it was resolved."""
        return self.path / "study.yaml"

    @property
    def asked(self) -> AskedLog:
        """The log of what was asked for."""
        return AskedLog(self.path / "asked.jsonl")

    @property
    def report(self) -> Path:
        """Folder of the report."""
        return self.path / "report"

    def trial(self, key: str, seed: int) -> TrialFolder:
        """Return a trial's folder."""
        return TrialFolder(self.path / "trials" / trial_folder_name(key, seed))

    def trials(self) -> Iterator[TrialFolder]:
        """Yield the folders of all trials, sorted by name."""
        folder = self.path / "trials"
        if folder.exists():
            yield from (TrialFolder(path) for path in sorted(folder.iterdir()) if path.is_dir())

    @classmethod
    def at(cls, path: Path) -> "StudyStore":
        """Return the store whose study folder is `path`."""
        return cls(storage=path.parent, name=path.name)
