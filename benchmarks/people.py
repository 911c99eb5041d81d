"""What tells the synthetic people apart, without learning: the gates that shipped studies' data must pass.

    uv run python benchmarks/people.py
    uv run python benchmarks/people.py gpu

Prints the tables of docs/people.md: three seeds of every data set of studies for a CPU, and means of ten draws; or the
first of these of studies for a GPU.

All figures are mean average precision in percent on the test split of a study's own data, by the Euclidean distance of
descriptions of its images at its own image size; only the true parts use masks, with the cameras off, and are Rank-1.
"""

import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from reid_search.data.synthetic.config import SyntheticConfig
from reid_search.data.synthetic.plan import plan_images
from reid_search.data.synthetic.presets import PRESETS
from reid_search.data.synthetic.studio import Rendering, Studio
from reid_search.evaluation import RankingResult, chance_mean_ap, evaluate_ranking
from reid_search.study import AblatePhase, load_study

ROOT = Path(__file__).resolve().parents[1]
STUDIES = ROOT / "search_spaces"
TWINS, OWN, NULL = "everybody", "nobody", "nobody, one cloth"
SEEDS, DRAWS = range(3), range(10)
ON_A_CPU, ON_A_GPU = frozenset({"small"}), frozenset({"ablate"})
STRIPES = 6
OF_LABELS = {"mask_noise": 0.0, "keypoint_noise": 0.0, "attribute_noise": 0.0, "identity_noise": 0.0}

Floats = npt.NDArray[np.float64]
Description = Callable[[Floats], Floats]


class Crowd:
    """The test images of a data set: `(N, H, W, 3)` levels, queries first, and what is known of them."""

    def __init__(self, config: SyntheticConfig) -> None:
        studio = Studio(config.seed, config.nuisances, config.people, config.boxes)
        preset = PRESETS[config.preset]
        planned = plan_images(preset, config.seed, config.people, config.nuisances, config.test_cameras)
        self._images = [image for part in ("query", "bounding_box_test") for image in planned if image.folder == part]
        self.queries = sum(image.folder == "query" for image in self._images)
        self.rendered = [studio.render(image) for image in self._images]
        height, width = config.image_size
        small = [one.image.resize((width, height), Image.Resampling.BILINEAR) for one in self.rendered]
        self.levels: Floats = np.stack([np.asarray(image, np.float64) for image in small])
        self.cameras = np.array([image.camera for image in self._images])
        self.identities = np.array([image.identity for image in self._images])

    def _labels(self) -> dict[str, list[int]]:
        query, gallery = self._images[: self.queries], self._images[self.queries :]
        return {
            "query_ids": [image.identity for image in query],
            "gallery_ids": [image.identity for image in gallery],
            "query_cameras": [image.camera for image in query],
            "gallery_cameras": [image.camera for image in gallery],
        }

    @property
    def chance(self) -> float:
        """The mAP of a random ranking."""
        return chance_mean_ap(**self._labels())

    @property
    def standardised(self) -> Floats:
        """The images with the same mean and spread of each colour channel for every camera."""
        result = np.empty_like(self.levels)
        for camera in np.unique(self.cameras):
            seen = self.levels[self.cameras == camera]
            scaled = 128.0 + 50.0 * (seen - seen.mean(axis=(0, 1, 2))) / seen.std(axis=(0, 1, 2))
            result[self.cameras == camera] = np.clip(scaled, 0.0, 255.0)
        return result

    def ranked_by(self, features: Floats) -> RankingResult:
        """Rank the gallery by descriptions `(N, D)` of all images."""
        query, gallery = features[: self.queries], features[self.queries :]
        return evaluate_ranking(query, gallery, metric="euclidean", **self._labels())


def histogram(levels: Floats, bins: int = 8) -> Floats:
    """Return the roots of the shares of `bins` cubed colours."""
    numbers = (levels * (bins / 256.0)).astype(np.int64) @ np.array([bins * bins, bins, 1])
    counts = [np.bincount(image.ravel(), minlength=bins**3) for image in numbers]
    return np.sqrt(np.stack(counts) / numbers[0].size)


def moments(levels: Floats) -> Floats:
    """Return mean and spread of each channel."""
    return np.concatenate([levels.mean(axis=(1, 2)), levels.std(axis=(1, 2))], axis=1)


def in_stripes(describe: Description, levels: Floats) -> Floats:
    """Return the description of each of six stripes, from top to bottom."""
    return np.concatenate([describe(stripe) for stripe in np.array_split(levels, STRIPES, axis=1)], axis=1)


def middle(levels: Floats) -> Floats:
    """Return the middle half of the width, where people are."""
    width = levels.shape[2]
    return levels[:, :, width // 4 : width - width // 4]


def pixels(levels: Floats) -> Floats:
    """Return every level."""
    return levels.reshape(len(levels), -1)


KINDS: tuple[Description, ...] = (histogram, partial(histogram, bins=4), moments)
WHERE: tuple[Description, ...] = (lambda levels: levels, middle)


def best(crowd: Crowd, levels: Floats, aware: bool) -> float:
    """Return the best mAP of descriptions that know locations, or of the same ones over the whole image."""
    kinds = [partial(in_stripes, kind) for kind in KINDS] + [pixels] if aware else list(KINDS)
    return max(crowd.ranked_by(kind(part(levels))).mean_ap for kind in kinds for part in WHERE)


def colours_of_true_parts(rendered: Iterable[Rendering]) -> Floats:
    """Return the shares of 64 colours in each of the four parts of the true masks."""
    rows = []
    for one in rendered:
        numbers = (np.asarray(one.image) // 64).astype(np.int64) @ np.array([16, 4, 1])
        parts = [numbers[one.mask == part] for part in range(1, 5)]
        rows.append(np.concatenate([np.sqrt(np.bincount(part, minlength=64) / max(part.size, 1)) for part in parts]))
    return np.stack(rows)


def shipped(presets: frozenset[str]) -> dict[str, SyntheticConfig]:
    """Return each data set of these sizes that shipped studies render, by the first arm that uses it."""
    found: dict[str, tuple[str, SyntheticConfig]] = {}
    for path in sorted(STUDIES.glob("*.yaml")):
        study = load_study(path)
        arms = [arm for phase in study.config.phases if isinstance(phase, AblatePhase) for arm in study.arms(phase)]
        for arm in arms:
            data = arm.config.data
            if isinstance(data, SyntheticConfig) and data.preset in presets:
                seen = data.model_copy(update={"nuisances": data.nuisances.model_copy(update=OF_LABELS)})
                found.setdefault(seen.fingerprint(), (f"{study.config.name}: {arm.name}", data))
    return dict(found.values())


def people_of(name: str) -> SyntheticConfig:
    """Return the data of `claim_parts.yaml` with these people: its twins, people of their own, or its control."""
    study = load_study(STUDIES / "claim_parts.yaml")
    phase = next(phase for phase in study.config.phases if isinstance(phase, AblatePhase))
    wanted = {TWINS: (1.0, 1.0), OWN: (0.0, 1.0), NULL: (0.0, 0.0)}[name]
    for arm in study.arms(phase):
        data = arm.config.data
        if isinstance(data, SyntheticConfig) and (data.people.twins, data.people.layout) == wanted:
            return data
    raise SystemExit(f"claim_parts.yaml has no arm with people {name!r}")


def without_cameras(config: SyntheticConfig) -> SyntheticConfig:
    """Return the same data with cameras that all see alike."""
    off = config.nuisances.model_copy(update={"camera_cast": 0.0, "camera_optics": 0.0})
    return config.model_copy(update={"nuisances": off})


def gain_of_locations(config: SyntheticConfig) -> tuple[float, float]:
    """Return the best mAP of descriptions without and with locations, after standardising each camera."""
    crowd = Crowd(config)
    levels = crowd.standardised
    return best(crowd, levels, aware=False), best(crowd, levels, aware=True)


def print_gates(presets: frozenset[str]) -> None:
    """Print what histograms reach on the data sets of these sizes."""
    print("| data of | seed | chance | histogram, raw | ÷ chance | standardised | ÷ chance |")
    print("|---|---|---|---|---|---|---|")
    for name, config in shipped(presets).items():
        for seed in SEEDS:
            crowd = Crowd(config.redrawn(seed))
            raw, standard = (crowd.ranked_by(histogram(one)).mean_ap for one in (crowd.levels, crowd.standardised))
            figures = (crowd.chance, raw, raw / crowd.chance / 100, standard, standard / crowd.chance / 100)
            print(f"| {name} | {seed} | " + " | ".join(f"{100 * figure:.2f}" for figure in figures) + " |", flush=True)


def print_gains() -> None:
    """Print what it is worth to know locations."""
    print("\n| people | draws | without locations | with | gain | true parts, cameras off (Rank-1) |")
    print("|---|---|---|---|---|---|")
    for name in (NULL, TWINS, OWN):
        config = people_of(name)
        free, aware = np.mean([gain_of_locations(config.redrawn(seed)) for seed in DRAWS], axis=0).tolist()
        plain = [Crowd(without_cameras(config.redrawn(seed))) for seed in SEEDS]
        parts = np.mean([crowd.ranked_by(colours_of_true_parts(crowd.rendered)).cmc[0] for crowd in plain])
        figures = (free, aware, aware - free, parts)
        print(
            f"| {name} | {len(DRAWS)} | " + " | ".join(f"{100 * figure:.1f}" for figure in figures) + " |", flush=True
        )


def main() -> None:
    """Print the tables."""
    if sys.argv[1:] == ["gpu"]:
        print_gates(ON_A_GPU)
        return
    print_gates(ON_A_CPU)
    print_gains()


if __name__ == "__main__":
    main()
