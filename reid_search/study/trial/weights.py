"""Pretrained weights as a config names them: which file, what of it, and its normalisation. No torch."""

import os
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Protocol, Self

from pydantic import (
    Field,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from reid_search.common.contents import hash_file, why_unreadable
from reid_search.errors import StudyError, WeightsAbsent
from reid_search.study.component import BACKBONES, AbsolutePath, Config, EntryError, in_yaml
from reid_search.study.trial.normalization import IMAGENET, Deviations, Means, Normalization

DEFAULT = "default"
ENDINGS = (".pth", ".pt", ".tar", ".safetensors", ".bin", ".ckpt")
"""How the names of weights files end, for suggestions; any name is read."""
KEPT_WEIGHTS = "weights.safetensors"
"""The file of weights that a finished trial keeps, in the folder `checkpoint` of its own."""


@dataclass(frozen=True)
class DefaultWeights:
    """The weights that `weights: default` means for a backbone.

    Attributes:
        source: Address of torchvision's file, or timm's repository on huggingface (`timm/resnet50.a1_in1k`).
        normalization: What they were trained with.
    """

    source: str
    normalization: Normalization = IMAGENET

    @property
    def is_url(self) -> bool:
        """Whether it is a file of torchvision rather than a repository of timm."""
        return "://" in self.source

    @property
    def place(self) -> Path:
        """Where the file lies once it was fetched; of a repository, the folder that holds it."""
        if self.is_url:
            return _torch_cache() / self.source.rpartition("/")[2]
        return _hub_cache() / f"models--{self.source.replace('/', '--')}"

    def cached(self) -> Path | None:
        """Return the file in the local cache; None where it was never fetched."""
        if self.is_url:
            return self.place if self.place.is_file() else None
        from huggingface_hub import try_to_load_from_cache

        found = try_to_load_from_cache(self.source, "model.safetensors", cache_dir=_hub_cache())
        return Path(found) if isinstance(found, str) else None


class WeightsConfig(Config):
    """Pretrained weights of a backbone; a file alone may be written instead (`weights: resnet50.pth`).

    Attributes:
        file: The file, in any form that a framework writes (`.pth`, `.pt`, `.pth.tar`, `.safetensors`), the folder of a
            trial that kept its weights, or `default`: torchvision's or timm's own.
        take: What to take where the file holds several networks, such as `student` or `state_dict`, or a network with
            several branches, such as `b2`, or the same network in several modules, such as `net_b`; if omitted, an
            averaged one rather than the raw, a teacher rather than its student, and the first branch.
        mean: Mean of red, green and blue, each in [0, 1], with which the weights were trained; if omitted, what the
            file or the source says, and ImageNet's where they say nothing.
        std: Standard deviations of these.
        grid: Rows and columns of the file's table of positions; a square if omitted.
        may_leave: Names of tensors, or patterns such as `layer4.*`, that may stay random where the file lacks them.
    """

    written_alone: ClassVar[str] = "file"
    file: Literal["default"] | AbsolutePath
    take: str | None = None
    mean: Means | None = None
    std: Deviations | None = None
    grid: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] | None = None
    may_leave: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _a_file_alone(cls, value: object) -> object:
        if isinstance(value, str | Path):
            return {cls.written_alone: value}
        if not isinstance(value, Mapping | cls):
            raise EntryError(f"{in_yaml(value)}: expected a file, `default`, or a map with `file`")
        return value

    @model_validator(mode="after")
    def _mean_and_deviation_belong_together(self) -> Self:
        if (self.mean is None) != (self.std is None):
            given, other = ("mean", "std") if self.std is None else ("std", "mean")
            raise EntryError(f"given without {other}; allowed: both, or none", given)
        return self

    @model_serializer(mode="wrap")
    def _as_written(self, handler: SerializerFunctionWrapHandler) -> object:
        content: dict[str, Any] = handler(self)
        further = {name: content[name] for name in content if name != "file" and getattr(self, name) not in (None, ())}
        return {"file": content["file"], **further} if further else content["file"]

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Allow a file alone."""
        return {"anyOf": [{"type": "string"}, handler(schema)]}

    @property
    def is_default(self) -> bool:
        """Whether it is for the backbone to say which file is meant."""
        return self.file == DEFAULT

    def path(self, backbone: str) -> Path:
        """Return the file.

        Raises:
            WeightsAbsent: There is none, or none yet.
        """
        if self.is_default:
            return self._default_path(backbone)
        path = Path(self.file)
        kept = path / "checkpoint" / KEPT_WEIGHTS
        if path.is_dir() and kept.is_file():
            return kept
        if path.is_dir():
            raise StudyError(f"{path}: {kept_none(path)}")
        if not path.exists():
            raise WeightsAbsent(f"{path}: {why_absent(path)}")
        return path

    def default(self, backbone: str) -> DefaultWeights:
        """Return the weights that `default` means.

        Raises:
            StudyError: Nobody publishes weights of this backbone.
        """
        config = BACKBONES.validate({"name": backbone})
        default = getattr(config, "default_weights", None)
        if not isinstance(default, DefaultWeights):
            raise StudyError(f"default: nobody publishes weights of {backbone}; allowed: a file, or null")
        return default

    def normalization(self, backbone: str) -> Normalization:
        """Return the normalisation of these weights.

        Raises:
            WeightsAbsent: The file is not there.
        """
        return self.normalization_of(None if self.is_default else self.path(backbone), backbone)

    def normalization_of(self, path: Path | None, backbone: str) -> Normalization:
        """Return the normalisation of these weights, whose file is known (None where `default` has none yet)."""
        if self.mean is not None and self.std is not None:
            return Normalization(mean=self.mean, std=self.std)
        said = Normalization.of_file(path) if path is not None else None
        if said is not None:
            return said
        return self.default(backbone).normalization if self.is_default else IMAGENET

    def content(self, backbone: str) -> dict[str, object]:
        """Return what of these weights decides a training: the bytes of the file, never its place.

        Raises:
            WeightsAbsent: The file is not there, or not yet.
        """
        path = self.path(backbone)
        found: dict[str, object] = {"sha256": hash_of(path)}
        normalization = self.normalization_of(path, backbone)
        if normalization != IMAGENET:
            found |= normalization.model_dump(mode="json")
        found |= {name: value for name in ("take", "grid") if (value := getattr(self, name)) is not None}
        return found

    def _default_path(self, backbone: str) -> Path:
        default = self.default(backbone)
        cached = default.cached()
        if cached is None:
            raise WeightsAbsent(f"default: the weights of {backbone} are not on this machine yet ({default.place})")
        return cached


def why_absent(path: Path) -> str:
    """Say why there is no file at a path: `no such file`, or a link to nothing or to itself."""
    try:
        path.stat()
    except OSError as error:
        return why_unreadable(str(path), error)
    return "no such file"


def kept_none(folder: Path) -> str:
    """Say of a folder without kept weights what it is, and how to go on."""
    if not is_of_trial(folder):
        return "is a folder without kept weights; allowed: a file, or the folder of a trial that kept its weights"
    again = f"`reid-search train {shlex.quote(str(folder / 'config.json'))}` trains it again and keeps them"
    return f"a trial that kept no weights; {again}, as a study with `keep: all` does for all of its trials"


def is_of_trial(folder: Path) -> bool:
    """Say whether a folder is that of a trial that has begun."""
    return (folder / "config.json").is_file()


class Pretrained(Protocol):
    """The config of a model that may have pretrained weights."""

    @property
    def pretrained(self) -> Mapping[str, tuple[str, WeightsConfig]]:
        """The weights in use, by the entry that names them, each with the backbone that it fills."""


def weights_contents(model: Pretrained) -> dict[str, object]:
    """Return what decides a training of the weights of a model, by entry (`weights`, `second_weights`).

    Raises:
        WeightsAbsent: A file is not there, or not yet; the message says which.
    """
    found: dict[str, object] = {}
    for entry, (backbone, weights) in model.pretrained.items():
        with naming(entry):
            found[entry] = weights.content(backbone)
    return found


def weights_by_content(model: Pretrained) -> dict[str, object]:
    """Return what stands for the weights of a model, by entry: the content of a file wherever it lies, or `default`."""
    found = weights_as_named(model)
    for entry, (backbone, weights) in model.pretrained.items():
        with suppress(StudyError):  # which is said where they are read
            found |= {} if weights.is_default else {entry: weights.content(backbone)}
    return found


def weights_as_named(model: Pretrained) -> dict[str, object]:
    """Return what stands for the weights of a model, by entry, where their files cannot be read."""
    return {entry: weights.model_dump(mode="json") for entry, (_, weights) in model.pretrained.items()}


def normalization_of(model: Pretrained) -> Normalization:
    """Return how the images of a model are normalised: as its weights want it, as on ImageNet where it has none.

    Raises:
        StudyError: It has two files of weights that differ in this.
    """
    wanted: dict[Normalization, str] = {}
    for entry, (backbone, weights) in model.pretrained.items():
        with naming(entry):
            wanted.setdefault(weights.normalization(backbone), entry)
    if len(wanted) > 1:
        first, second = list(wanted.items())[:2]
        both = f"{first[1]} wants {first[0]}, and {second[1]} {second[0]}"
        raise StudyError(f"model.{second[1]}: {both}; images are normalised once: give both the same `mean` and `std`")
    return next(iter(wanted), IMAGENET)


@contextmanager
def naming(entry: str) -> Iterator[None]:
    """Begin the message of an error about weights with their entry, `model.weights`."""
    try:
        yield
    except StudyError as error:
        raise type(error)(f"model.{entry}: {error}") from error.__cause__


def hash_of(path: Path) -> str:
    """Return 64 hex digits of the SHA-256 of a file's bytes.

    Raises:
        StudyError: The file cannot be read.
    """
    try:
        return hash_file(path)
    except OSError as error:
        raise StudyError(str(error)) from error


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _torch_cache() -> Path:
    """Return the folder in which torchvision keeps weights (see `torch.hub.get_dir`)."""
    return Path(os.environ.get("TORCH_HOME") or _cache() / "torch") / "hub" / "checkpoints"


def _hub_cache() -> Path:
    """Return the folder in which huggingface's library keeps repositories."""
    home = Path(os.environ.get("HF_HOME") or _cache() / "huggingface")
    return Path(os.environ.get("HF_HUB_CACHE") or home / "hub")
