"""Settings of the synthetic pedestrians; neither torch nor Pillow."""

from dataclasses import asdict
from typing import Annotated, Literal

from pydantic import Field

from reid_search.data.synthetic.presets import PRESETS, PresetName
from reid_search.study import Config, DataConfig
from reid_search.study.key import digest

GENERATOR_VERSION = 1

Share = Annotated[float, Field(ge=0.0, le=1.0)]


class Nuisances(Config):
    """How strongly everything that is not the person varies; 0 switches one off, 1 is the strongest.

    Attributes:
        camera_cast: Strength of each camera's own colours, gamma and saturation.
        light: Strength of each image's own exposure, tint, gradient and shadow.
        shift: Displacement of the box; at 1 up to a sixth of its width and a twelfth of its height.
        scale: Size of the person in the box; at 1 from 0.75 to 1.3 of the usual.
        occlusion: Share of images in which a pole, a fence, a box or a passer-by stands in front.
        clutter: Contrast of the camera's surroundings against grey, and number of things that stand in them.
        view: Share of images that are not taken from the front, but from any other side.
        pose: Swing of arms and legs.
        blur: Lack of sharpness; at 1 a Gaussian of up to 1.6 pixels.
        noise: Grain; at 1 a standard deviation of up to 12 of 255 levels.
    """

    camera_cast: Share = 0.9
    light: Share = 0.25
    shift: Share = 0.35
    scale: Share = 0.35
    occlusion: Share = 0.1
    clutter: Share = 0.5
    view: Share = 0.5
    pose: Share = 0.6
    blur: Share = 0.25
    noise: Share = 0.3


class SyntheticConfig(DataConfig):
    """People drawn from a seed, so that nothing needs to be downloaded.

    Attributes:
        preset: Size: `tiny` for tests, `small` for a laptop, `medium`, or `market_like` with the counts of Market-1501.
        seed: Seed of the people, of what the cameras see, and of every image.
        nuisances: What varies besides the people.
    """

    name: Literal["synthetic"]
    preset: PresetName = "small"
    seed: int = Field(default=0, ge=0)
    nuisances: Nuisances = Field(default_factory=Nuisances)

    def fingerprint(self) -> str:
        """Return what identifies images and labels, from the settings that they are drawn from."""
        return digest(
            {
                "generator": GENERATOR_VERSION,
                "counts": asdict(PRESETS[self.preset]),
                "seed": self.seed,
                "nuisances": self.nuisances.model_dump(mode="json"),
            }
        )


CONFIG = SyntheticConfig
