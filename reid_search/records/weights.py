"""What a model took from a file of weights, by name."""

from collections import Counter
from collections.abc import Iterator, Sequence

from pydantic import BaseModel, ConfigDict

from reid_search.study.trial.normalization import Normalization
from reid_search.words import several

_MOST_NAMED = 5


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ResizedTable(_Part):
    """A table of positions that was interpolated to another grid.

    Attributes:
        name: Its name in the file.
        source: Rows and columns in the file.
        target: Rows and columns in the network; None where it is interpolated to the patches of each image.
        interpolation: How.
    """

    name: str
    source: tuple[int, int]
    target: tuple[int, int] | None
    interpolation: str


class LoadedWeights(_Part):
    """What a backbone took from a file of weights.

    Attributes:
        backbone: The backbone.
        file: The file as the config names it.
        path: Where it was found.
        sha256: SHA-256 of its bytes.
        wrapper: Entries of the file that were opened one inside the other to reach the tensors, such as `state_dict`.
        alternatives: What could have been taken instead: `student` beside `teacher`.
        prefixes: What was taken off the names of the tensors, in this order.
        named_as: The published code whose names the tensors have; empty where they are the network's own.
        tensors: Names in the file of the tensors that were taken.
        parameters: Values in the parameters that were taken.
        all_parameters: Values in all parameters of the backbone.
        resized: Tables of positions that were interpolated.
        dropped: Names in the file of the tensors that were left out.
        random: Names in the network of the tensors that the file lacks, which stay as they were drawn.
        normalization: With which images are normalised.
        usual_normalization: With which such weights are published, where it is known and another one.
    """

    backbone: str
    file: str
    path: str
    sha256: str
    wrapper: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    named_as: str = ""
    tensors: tuple[str, ...]
    parameters: int
    all_parameters: int
    resized: tuple[ResizedTable, ...] = ()
    dropped: tuple[str, ...] = ()
    random: tuple[str, ...] = ()
    normalization: Normalization
    usual_normalization: Normalization | None = None

    def lines(self) -> Iterator[str]:
        """Yield what happened, in sentences; what a person should look at begins with a word in capitals."""
        share = 100 * self.parameters / self.all_parameters
        yield (
            f"{self.backbone} from {self.file} (sha256 {self.sha256[:12]}): {several(len(self.tensors), 'tensor')}, "
            f"{share:.4g} % of the backbone's parameters; images with {self.normalization}"
        )
        if self.wrapper or self.prefixes or self.named_as:
            where, names = _path(self.wrapper) or "the file itself", _path(self.prefixes)
            without = f", without the prefix {names}" if names else ""
            yield f"taken from {where}{without}" + (f", by the names of {self.named_as}" if self.named_as else "")
        for table in self.resized:
            target = "the patches of the images" if table.target is None else _grid(table.target)
            yield f"{table.name}: interpolated from {_grid(table.source)} to {target} ({table.interpolation})"
        if self.usual_normalization is not None:
            whose = f"published weights of {self.named_as or self.backbone} have {self.usual_normalization}"
            yield f"NOTE: {whose}; if these do, give it as `mean` and `std`"
        if self.dropped:
            prefix = "".join(self.prefixes)
            yield f"left out: {_in_short([name.removeprefix(prefix) for name in self.dropped])}"
        if self.alternatives:
            yield f"NOTE: it also holds {_some(self.alternatives)}; `take` chooses another"
        if self.random:
            yield f"RANDOM: the file lacks {_some(self.random, len(self.random))}, drawn at random"


def _grid(grid: tuple[int, int]) -> str:
    return f"{grid[0]}×{grid[1]}"


def _path(steps: Sequence[str]) -> str:
    return " → ".join(f"'{step}'" for step in steps)


def _some(names: Sequence[str], most: int = _MOST_NAMED) -> str:
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def _in_short(names: Sequence[str]) -> str:
    """Name tensors by the module that they begin with, and how many each has."""
    counts = Counter(name.partition(".")[0] for name in names)
    return _some([f"{name} ({count})" if count > 1 else name for name, count in counts.items()], 12)
