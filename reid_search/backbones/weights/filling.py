"""Which tensors of a file a network takes, and what is an error."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

import torch
from torch import Tensor, nn

from reid_search.backbones.config import BackboneConfig
from reid_search.backbones.weights.naming import Names
from reid_search.backbones.weights.positions import GRID, INTERPOLATION, Grid, fitted, is_table
from reid_search.errors import StudyError
from reid_search.records import ResizedTable
from reid_search.study.trial.weights import WeightsConfig
from reid_search.words import several

_WAY_ON = "take another file, or the backbone that this one is of"
_MOST_RANDOM = 0.1
_COUNTER = "num_batches_tracked"
# Buffers that some releases of a library save and others compute; and the second leading token of a distilled DeiT.
_COMPUTED = ("relative_position_index", "attn_mask", "relative_coords_table", "position_ids", "dist_token", GRID)


@dataclass(frozen=True)
class Filled:
    """What a network took.

    Attributes:
        tensors: Names in the file of what it took.
        resized: Tables of positions that were interpolated.
        dropped: Names in the file of what it left out.
        random: Names in the network of what the file lacks.
        parameters: Values in the parameters that were taken.
        all_parameters: Values in all parameters.
    """

    tensors: tuple[str, ...]
    resized: tuple[ResizedTable, ...]
    dropped: tuple[str, ...]
    random: tuple[str, ...]
    parameters: int
    all_parameters: int


def fill(
    network: nn.Module,
    state: Mapping[str, Tensor],
    names: Names,
    config: BackboneConfig,
    weights: WeightsConfig,
    but: tuple[str, ...] = (),
) -> Filled:
    """Fill a network with tensors by name.

    Args:
        network: The network.
        state: The tensors of the file.
        names: Which of them are the network's.
        config: The backbone's config.
        weights: What the study says of the weights.
        but: Prefixes of tensors that stay as they are, such as those of a classifier that the backbone omits.

    Raises:
        StudyError: They do not fit: another architecture or shape, values that are not finite, or too much is lacking.
    """
    _check_kinds(state)
    own = {name: value for name, value in network.state_dict().items() if not name.startswith(but)}
    given = {name: place for name, place in names.found.items() if not name.startswith(but)}
    sizes = {name: item.numel() for name, item in network.named_parameters() if name in own}
    taken = {name: place for name, place in given.items() if name in own}
    lacking = [name for name in own if name not in taken and not name.endswith(_COUNTER)]
    no_weights = f"so it holds no weights of {config.name}"
    if not set(taken) & set(sizes):
        raise StudyError(
            f"lacks {lacking[0]} and every other tensor, {no_weights} ({config.weights_form}); {_has(state)}; {_WAY_ON}"
        )
    _check_published(names, config)
    _check_the_rest(given, own, config, no_weights)
    fitting, resized = _fitting(state, taken, own, names, config, weights)
    unnamed = [name for name in lacking if not any(fnmatchcase(name, pattern) for pattern in weights.may_leave)]
    _check_lacking(unnamed, taken, sizes, no_weights)
    _check_values(state, taken)
    if config.keeps_grid:
        for table in resized:
            _take_grid(network, table.name, fitting[table.name], table.source)
    network.load_state_dict({**network.state_dict(), **fitting})
    sizes = {name: item.numel() for name, item in network.named_parameters() if name in own}
    used = [place for name in taken for place in names.places(name)]
    return Filled(
        tensors=tuple(used),
        resized=tuple(table.model_copy(update={"name": taken[table.name]}) for table in resized),
        dropped=(*(place for place in names.found.values() if place not in set(used)), *names.outside),
        random=tuple(lacking),
        parameters=sum(sizes[name] for name in taken if name in sizes),
        all_parameters=sum(sizes.values()),
    )


def _has(state: Mapping[str, Tensor]) -> str:
    names = list(state)
    return f"it has {', '.join(names[:3])}{' and others' * (len(names) > 3)}"


def _check_the_rest(given: Collection[str], own: Collection[str], config: BackboneConfig, no_weights: str) -> None:
    """Refuse tensors inside the backbone that it does not have: the file is of a deeper or another network."""
    tops = tuple({f"{name.partition('.')[0]}." for name in own if "." in name})
    within = sorted(name for name in given if name not in own and name.startswith((*config.body, *tops)))
    odd = [name for name in within if name.rpartition(".")[2] not in (*_COMPUTED, _COUNTER)]
    if odd:
        raise StudyError(f"has {odd[0]} as well, {no_weights}; {_WAY_ON}")


def _check_lacking(lacking: Collection[str], taken: Collection[str], sizes: Mapping[str, int], no_weights: str) -> None:
    """Refuse half a layer, and a file that leaves much of the backbone random."""
    begun = {name.rpartition(".")[0]: name for name in taken}
    for name in lacking:
        module = name.rpartition(".")[0]
        if module and module in begun:
            raise StudyError(f"lacks {name}, {no_weights} (though it has {begun[module]}); {_WAY_ON}")
    share = sum(sizes.get(name, 0) for name in lacking) / sum(sizes.values())
    if share > _MOST_RANDOM:
        first, *others = lacking
        more = f" and {several(len(others), 'more tensor')}" if others else ""
        allowed = f"allowed: {_MOST_RANDOM:.0%}, or `may_leave: [{first.partition('.')[0]}.*]` and the like"
        raise StudyError(f"lacks {first}{more}, {share:.0%} of the parameters, {no_weights}; {allowed}")


def _check_published(names: Names, config: BackboneConfig) -> None:
    """Refuse what another backbone of the family computes something else of."""
    kind = names.published
    if kind is not None and kind.backbone not in ("", config.name):
        lacks = f"has the tensors of {kind.source}, and {config.name} lacks {kind.lacking}"
        raise StudyError(f"{lacks}; allowed: backbone {kind.backbone}")


def _fitting(
    state: Mapping[str, Tensor],
    taken: Mapping[str, str],
    own: Mapping[str, Tensor],
    names: Names,
    config: BackboneConfig,
    weights: WeightsConfig,
) -> tuple[dict[str, Tensor], list[ResizedTable]]:
    """Return the tensors with the network's shapes, and the tables of positions, which alone are ever resized."""
    fitting: dict[str, Tensor] = {}
    resized: list[ResizedTable] = []
    leading, grid = (_leading(state), _leading(own)), weights.grid or _saved_grid(state)
    for name, place in taken.items():
        value, like = names.value(name, state), own[name]
        kept = config.keeps_grid and is_table(name)
        if name.endswith("token") and value.numel() == value.shape[-1] == like.numel():
            value = value.reshape(like.shape)  # CLIP's has no dimensions of length 1
        elif kept or (is_table(name) and value.shape != like.shape):
            table = fitted(name, value, like, leading=leading, grid=grid, kept=kept)
            kept = kept and table is not None
            if table is not None:
                value = table.table
                if table.source != table.target:
                    change = {"source": table.source, "target": table.target, "interpolation": INTERPOLATION}
                    resized.append(ResizedTable.model_validate({"name": name, **change}))
        if value.shape != like.shape and not kept:
            shapes = f"{tuple(value.shape)} for {tuple(like.shape)}"
            no_weights = f"so it holds no weights of {config.name} ({shapes})"
            raise StudyError(f"has {place} of another shape, {no_weights}; {_WAY_ON}")
        if like.is_floating_point() and not value.is_floating_point():
            raise StudyError(f"has {place} as {value.dtype}, so it holds no weights of {config.name} ({like.dtype})")
        fitting[name] = value.to(like.dtype)
        if torch.isfinite(value).all() and not torch.isfinite(fitting[name]).all():
            raise StudyError(f"holds a value in {place} that is beyond {like.dtype}; its training diverged")
    return fitting, resized


def _take_grid(network: nn.Module, name: str, table: Tensor, grid: Grid) -> None:
    """Give a network room for a table of another grid, and the grid to the module that has the table."""
    module = network.get_submodule(name.rpartition(".")[0])
    module.get_parameter(name.rpartition(".")[2]).data = torch.empty_like(table)
    setattr(module, GRID, grid)


def _saved_grid(state: Mapping[str, Tensor]) -> Grid | None:
    """Return the grid of a table of ours that is no square."""
    for name, value in state.items():
        if name.rpartition(".")[2] == GRID:
            rows, columns = value.tolist()
            return int(rows), int(columns)
    return None


def _leading(names: Collection[str]) -> int:
    """Return how many tokens come before those of the patches."""
    ends = {name.rpartition(".")[2] for name in names}
    return len(ends & {"cls_token", "class_embedding", "dist_token"})


def _check_kinds(state: Mapping[str, Tensor]) -> None:
    """Refuse tensors that hold something else than one plain number at each place."""
    for name, value in state.items():
        kinds = {
            "sparse": value.layout != torch.strided,
            "without values": value.is_meta,
            "quantised": value.is_quantized,
            "complex": value.is_complex(),
        }
        if odd := [kind for kind, is_so in kinds.items() if is_so]:
            raise StudyError(f"holds {name}, a tensor that is {odd[0]}; save the network's own tensors, dense and real")


def _check_values(state: Mapping[str, Tensor], taken: Mapping[str, str]) -> None:
    """Refuse values that no training leaves behind, also in what is left out: it was saved after the loss diverged."""
    for name, value in state.items():
        if value.is_floating_point() and not torch.isfinite(value).all():
            kind = "NaN" if torch.isnan(value).any() else "infinite values"
            raise StudyError(f"holds {kind} in {name}; its training diverged, take an earlier checkpoint")
    for place in taken.values():
        if place.endswith("running_var") and (state[place] < 0).any():
            raise StudyError(f"holds a negative variance in {place}; the file is damaged, fetch it again")
