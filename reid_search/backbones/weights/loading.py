"""Loading the weights of a backbone: a file is opened once, and what was taken from it is remembered."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from reid_search.backbones.config import BackboneConfig, backbone_config
from reid_search.backbones.weights.filling import Filled, fill
from reid_search.backbones.weights.naming import Names, is_our_own, of_blocks, stripped
from reid_search.backbones.weights.reading import read_file
from reid_search.backbones.weights.unwrapping import Unwrapped, unwrapped
from reid_search.errors import StudyError
from reid_search.records import LoadedWeights
from reid_search.study import BACKBONES
from reid_search.study.trial.normalization import IMAGENET, Normalization
from reid_search.study.trial.weights import WeightsConfig, hash_of

_LOG = logging.getLogger("reid_search.weights")


@dataclass(frozen=True)
class Pretrained:
    """What a backbone took from a file.

    Attributes:
        report: What was taken.
        drawn: Names of the backbone's parameters that the file lacks.
    """

    report: LoadedWeights
    drawn: frozenset[str]


class Weights:
    """An opened file of weights, which `build` of a backbone hands to `load_weights`.

    Args:
        config: The backbone's config.
        weights: What the study says of the weights.

    Raises:
        StudyError: The file is not there, or is not a weights file.
    """

    def __init__(self, config: BackboneConfig, weights: WeightsConfig) -> None:
        self._config, self._weights = config, weights
        self._path: Path = weights.path(config.name)
        self._file: Unwrapped = unwrapped(read_file(self._path), weights.take, self._path)
        self._blocks = [block.name for block in config.blocks(1)]
        self._is_own = is_our_own(self._file.state, self._blocks)
        self._names: Names | None = None
        self._filled: Filled | None = None
        self._random: list[nn.Parameter] = []

    def fill(self, network: nn.Module, but: tuple[str, ...]) -> None:
        """Fill a network that has the names of the source; a file of our own waits for the blocks."""
        if self._is_own:
            return
        wanted = [name for name in network.state_dict() if not name.startswith(but)]
        with _placed(self._path):
            names = stripped(self._file.state, wanted, self._weights.take)
        self._fill(network, names, but)

    def finish(self, backbone: nn.Module) -> Pretrained:
        """Fill the blocks where the file is of our own, and return what was taken."""
        if self._is_own:
            self._fill(backbone, of_blocks(self._file.state, self._blocks, self._weights.take), ())
        if self._filled is None or self._names is None:
            raise StudyError(f"backbone '{self._config.name}' takes no weights; its `build` should call `load_weights`")
        random = {id(parameter) for parameter in self._random}
        drawn = frozenset(name for name, parameter in backbone.named_parameters() if id(parameter) in random)
        report = self._report(self._names, self._filled)
        for line in report.lines():
            _LOG.log(logging.WARNING if line[:4].isupper() else logging.INFO, line)
        return Pretrained(report, drawn)

    def _fill(self, network: nn.Module, names: Names, but: tuple[str, ...]) -> None:
        with _placed(self._path):
            filled = fill(network, self._state, names, self._config, self._weights, but)
        parameters = dict(network.named_parameters())
        self._random = [parameters[name] for name in filled.random if name in parameters]
        self._names, self._filled = names, filled

    @property
    def _state(self) -> Mapping[str, Tensor]:
        return self._file.state

    def _report(self, names: Names, filled: Filled) -> LoadedWeights:
        return LoadedWeights(
            backbone=self._config.name,
            file=str(self._weights.file),
            path=str(self._path),
            sha256=hash_of(self._path),
            wrapper=self._file.wrapper,
            alternatives=(*self._file.alternatives, *names.alternatives),
            prefixes=names.prefixes,
            named_as=names.published.source if names.published else "",
            tensors=filled.tensors,
            parameters=filled.parameters,
            all_parameters=filled.all_parameters,
            resized=filled.resized,
            dropped=filled.dropped,
            random=filled.random,
            normalization=self._normalization,
            usual_normalization=self._usual_normalization(names),
        )

    @property
    def _normalization(self) -> Normalization:
        return self._weights.normalization_of(self._path, self._config.name)

    def _usual_normalization(self, names: Names) -> Normalization | None:
        """Return with what such weights are published where images are normalised otherwise, and nobody said how."""
        weights, default = self._weights, self._config.default_weights
        if weights.is_default or weights.mean is not None or Normalization.of_file(self._path) is not None:
            return None
        usual = default.normalization if default is not None else IMAGENET
        if names.published is not None:
            usual = names.published.trained_with(names.prefixes) or IMAGENET
        return None if usual == self._normalization else usual


def load_weights(network: nn.Module, config: BackboneConfig, weights: Weights, *, but: tuple[str, ...] = ()) -> None:
    """Fill a network with the weights of a file, before its modules are put into blocks.

    Args:
        network: The network; its tensors have the names of the file.
        config: Its config.
        weights: The file.
        but: Prefixes of tensors that stay as they are, such as those of a classifier that the backbone omits.

    Raises:
        StudyError: The file does not fit.
    """
    del config
    weights.fill(network, but)


def try_weights(backbone: str, weights: WeightsConfig) -> LoadedWeights:
    """Return what a backbone takes from a file.

    Raises:
        StudyError: The file is not there, is not a weights file, or does not fit.
    """
    config = backbone_config(backbone)
    source = Weights(config, weights)
    return source.finish(BACKBONES.work_module(config).build(config, source)).report


@contextmanager
def _placed(path: Path) -> Iterator[None]:
    """Begin the message of an error with the file."""
    try:
        yield
    except StudyError as error:
        raise StudyError(f"{path}: {error}") from error.__cause__
