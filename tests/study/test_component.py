"""What every architecture, loss and data set has to offer; new ones are tested by being there."""

import inspect
import json
import subprocess
import sys
from typing import Any, Literal

import pytest
from pydantic import ValidationError

from reid_search.errors import StudyError
from reid_search.study import (
    ARCHITECTURES,
    DATASETS,
    LOSSES,
    PRUNERS,
    SAMPLERS,
    ComponentFamily,
    Config,
    DataConfig,
    LossConfig,
    ModelConfig,
    PrunerConfig,
    SamplerConfig,
    Scope,
    TrialConfig,
    select_taps,
)

BASES = {
    ARCHITECTURES: ModelConfig,
    LOSSES: LossConfig,
    DATASETS: DataConfig,
    SAMPLERS: SamplerConfig,
    PRUNERS: PrunerConfig,
}
COMPONENTS = [
    pytest.param(family, name, id=f"{family.noun} {name}") for family in BASES for name in family.names()
]  # fmt: skip
every_component = pytest.mark.parametrize(("family", "name"), COMPONENTS)


REQUIRED = {"several": {"train": ["synthetic"]}}


def minimal(family: ComponentFamily, name: str) -> Config:
    return family.validate({family.discriminator: name, **REQUIRED.get(name, {})})


@every_component
def test_its_defaults_are_valid_and_survive_json(family: ComponentFamily, name: str) -> None:
    config = minimal(family, name)
    assert isinstance(config, BASES[family])
    assert family.validate(json.loads(config.model_dump_json())) == config
    assert getattr(config, family.discriminator) == name


@every_component
def test_its_config_answers_to_its_folders_name_only(family: ComponentFamily, name: str) -> None:
    cls = family.config_class(name)
    assert cls.model_fields[family.discriminator].annotation == Literal[name]  # type: ignore[valid-type]
    with pytest.raises(ValidationError):
        cls.model_validate({family.discriminator: f"{name}_"})


@every_component
def test_it_knows_its_keys_and_cannot_be_changed(family: ComponentFamily, name: str) -> None:
    with pytest.raises(ValidationError, match="unknown key; did you mean") as caught:
        family.validate({family.discriminator: name, f"{family.discriminator}s": 1})
    assert "allowed: " in str(caught.value)
    with pytest.raises(ValidationError, match="frozen"):
        setattr(minimal(family, name), family.discriminator, "x")


@every_component
def test_every_setting_is_explained(family: ComponentFamily, name: str) -> None:
    cls = family.config_class(name)
    assert cls.__doc__
    explained = "".join(inspect.getdoc(parent) or "" for parent in cls.__mro__ if issubclass(parent, Config))
    missing = [field for field in cls.model_fields if f"\n    {field}: " not in explained]
    assert not missing
    assert sys.modules[f"{cls.__module__.rpartition('.')[0]}"].__doc__


@every_component
def test_it_has_a_schema(family: ComponentFamily, name: str) -> None:
    schema = family.config_class(name).model_json_schema()
    assert set(schema["properties"]) == set(family.config_class(name).model_fields)
    json.dumps(schema)


@pytest.mark.parametrize("name", ARCHITECTURES.names())
def test_an_architecture_offers_taps_for_its_own_losses_and_readout(name: str) -> None:
    config = minimal(ARCHITECTURES, name)
    assert isinstance(config, ModelConfig)
    taps = config.taps((256, 128))
    assert len({tap.key for tap in taps}) == len(taps) > 0
    assert all(tap.dim > 0 for tap in taps)
    assert "identity" in config.default_losses
    trial = TrialConfig.model_validate(
        {"data": {"name": "synthetic", "image_size": [256, 128]}, "model": config.model_dump(mode="json")}
    )
    assert trial.readout_taps("default") == select_taps(config.default_readout, taps) != []


@pytest.mark.parametrize("name", LOSSES.names())
def test_a_loss_can_be_placed_anywhere_it_can_sit_and_switched_off(name: str, base: dict[str, Any]) -> None:
    for on, count in (("coarse", 8), ("global@reduced", 3), ([], 0)):
        content = {**base, "losses": {"extra": {"kind": name, "on": on}}}
        if count and Scope.GLOBAL not in LOSSES.config_class(name).scopes:
            with pytest.raises(ValidationError, match="cannot sit on"):
                TrialConfig.model_validate(content)
        else:
            assert len(TrialConfig.model_validate(content).loss_taps("extra")) == count


def test_no_config_loads_torch() -> None:
    script = """
import sys
from reid_search.study import ARCHITECTURES, BACKBONES, DATASETS, LOSSES, PRUNERS, SAMPLERS
for family in (ARCHITECTURES, BACKBONES, LOSSES, DATASETS, PRUNERS, SAMPLERS):
    for name in family.names():
        family.config_class(name)
print([name for name in ("torch", "torchvision", "ray", "mlflow", "optuna") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DATASETS, "_added", {})


class Elsewhere(DataConfig):
    """Images from elsewhere."""

    name: Literal["elsewhere"]
    year: int = 2015

    def fingerprint(self) -> str:
        return f"{self.year:016}"


@pytest.mark.usefixtures("_clean")
def test_a_component_of_another_package_can_be_added(base: dict[str, Any]) -> None:
    with pytest.raises(StudyError, match="unknown data set 'elsewhere'; "):
        DATASETS.config_class("elsewhere")
    DATASETS.add("elsewhere", Elsewhere)
    assert "elsewhere" in DATASETS.names()
    assert "elsewhere" not in LOSSES.names()
    config = TrialConfig.model_validate({**base, "data": {"name": "elsewhere", "year": 2017}})
    assert config.data == Elsewhere(name="elsewhere", year=2017)
    assert config.model_dump(mode="json")["data"]["year"] == 2017


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("mgn", "expected a map with the key 'architecture', got 'mgn'"),
        ({}, "this key is missing; allowed: "),
        ({"architecture": "mng"}, "unknown architecture 'mng'; did you mean 'mgn'"),
        ({"architecture": ["mgn"]}, "unknown architecture "),
    ],
)
def test_what_is_no_component(value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ARCHITECTURES.validate(value)
