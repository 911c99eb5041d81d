"""Settings of the synthetic pedestrians; neither torch nor Pillow."""

from dataclasses import asdict
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from reid_search.data.side_cars.origins import NOISES
from reid_search.data.synthetic.presets import PRESETS, PresetName
from reid_search.study import Config, DataConfig
from reid_search.study.trial.config import Seed
from reid_search.study.trial.key import digest
from reid_search.study.trial.side_cars import SideCar, truth

GENERATOR_VERSION = 3

Share = Annotated[float, Field(ge=0.0, le=1.0)]
TwinKind = Literal["permutation", "single_part"]
TwinPart = Literal["any", "upper", "lower", "shoes", "logo"]
Boxes = Literal["detected", "labelled"]
TestCameras = Literal["same", "others"]

DRAWN_FROM = ("seed", "people", "nuisances", "boxes", "test_cameras")
"""Settings that, with the counts of the preset, decide every image."""


class Nuisances(Config):
    """How strongly everything but the person varies; 0 switches a nuisance off, 1 is the strongest.

    Attributes:
        camera_cast: Strength of each camera's colours: tint, gain, saturation, cross-talk, gamma and black level.
        camera_optics: Strength of each camera's vignetting, blur, grain, low resolution and JPEG artefacts.
        light: Strength of each image's exposure, tint, gradient and shadow.
        shift: Displacement of the box; at 1 up to a sixth of its width and a twelfth of its height.
        shift_horizontal: Further displacement to the side; at 1 up to a quarter of the width.
        shift_vertical: Further displacement up or down; at 1 up to a quarter of the height.
        scale: Size of the person in the box; at 1 from 0.75 to 1.3 of the usual.
        truncation: Share of images whose box cuts off the feet or the head, 10 to 35 percent of the height.
        occlusion: Share of images in which a pole, a fence, a box or a passer-by stands in front.
        occlusion_area: How large that is; at 1 twice as wide and high as at 0.5, at 0 nothing.
        clutter: Contrast of the camera's surroundings against grey, and number of things in them.
        background_camera: Share of images with the camera's own place as background; the others have any camera's.
        background_identity: Share of images at a haunt: in training the person's own, which gives the identity away; in
            test a random one, which says nothing.
        view: Share of images taken from a side other than the front.
        asymmetry: Share of people whose clothes have different colours at the back and at the front.
        bridge: Share of test people whose gallery may show them from every side. The others' gallery images are turned
            to the front or the back, whichever is nearer, so that no view lies between the two.
        pose: Swing of arms and legs.
        folds: Depth of the folds in the clothes, which differ from image to image and grow with the stride.
        blur: Lack of sharpness; at 1 a Gaussian of up to 1.6 pixels.
        noise: Grain; at 1 a standard deviation of up to 12 of 255 levels.
        distractors: Share of the preset's distractors that are kept.
        junk: Share of the preset's junk images that are kept.
        mask_noise: Errors of the masks: grown or shrunk, blocks of a wrong part, and at 1 only 16 by 8 cells.
        keypoint_noise: Errors of the keypoints: displaced by 6 pixels at 1, and up to 30 percent missing.
        attribute_noise: Share of the attributes that are replaced by another value.
        identity_noise: Share of the training images whose labels are swapped among themselves.
    """

    camera_cast: Share = 1.0
    camera_optics: Share = 0.5
    light: Share = 0.08
    shift: Share = 0.35
    shift_horizontal: Share = 0.0
    shift_vertical: Share = 0.0
    scale: Share = 0.35
    truncation: Share = 0.0
    occlusion: Share = 0.05
    occlusion_area: Share = 0.5
    clutter: Share = 0.5
    background_camera: Share = 1.0
    background_identity: Share = 0.0
    view: Share = 0.5
    asymmetry: Share = 0.0
    bridge: Share = 1.0
    pose: Share = 0.6
    folds: Share = 0.35
    blur: Share = 0.25
    noise: Share = 0.3
    distractors: Share = 1.0
    junk: Share = 1.0
    mask_noise: Share = 0.0
    keypoint_noise: Share = 0.0
    attribute_noise: Share = 0.0
    identity_noise: Share = 0.0


class People(Config):
    """What tells people apart, and who resembles whom.

    `coarse`, `layout`, `texture` and `fine` are independent: at 1 everybody has their own traits, at 0 everybody has
    the same; in between each trait is a person's own with this probability.

    Attributes:
        coarse: Colours. Without colours of their own, people wear seven colours that are everybody's, and `layout`
            decides where.
        layout: Which part has which colour: cut, sleeves, hair style, bag, build. Without a layout of their own, people
            are dressed from neck to ankle in one cloth, so that no place says more than another.
        texture: What covers a whole cloth: hoops, stripes, checks, and the weave. Without one, cloth is plain.
        fine: Details of at most 5 percent of the area: the logo, which is on the front only, shoes, width of stripes.
        twins: Share of people who belong to a family, in training and in test.
        family_size: People in a family.
        twin_kind: What sets the members of a family apart: two of the seven colours that everybody wears have changed
            places (`permutation`), or one part looks different (`single_part`, where families differ in everything).
        twin_part: That part; `any` draws one for each family.
    """

    coarse: Share = 1.0
    layout: Share = 1.0
    texture: Share = 1.0
    fine: Share = 1.0
    twins: Share = 0.0
    family_size: int = Field(default=2, ge=2, le=8)
    twin_kind: TwinKind = "permutation"
    twin_part: TwinPart = "any"


class SyntheticConfig(DataConfig):
    """People drawn from a seed, with nothing to download.

    Attributes:
        preset: Size: `unit`, `tiny` and `ci` for tests, `small` for a laptop, `medium`, `ablate`, or `market_like` with
            the counts of Market-1501.
        seed: Seed of the people, of what the cameras see, and of every image.
        people: What tells people apart.
        nuisances: What varies besides the people.
        boxes: `labelled` cuts the same scenes with boxes that fit: shift, scale and truncation are off, and everything
            else is the same.
        test_cameras: The `same` as in training, or `others`, which training never sees.
    """

    is_drawn: ClassVar[bool] = True
    name: Literal["synthetic"]
    preset: PresetName = "small"
    seed: Seed = 0
    people: People = Field(default_factory=People)
    nuisances: Nuisances = Field(default_factory=Nuisances)
    boxes: Boxes = "detected"
    test_cameras: TestCameras = "same"

    @property
    def offers(self) -> frozenset[SideCar]:
        """Masks, keypoints and attributes, which are written beside the images."""
        return frozenset({"maps", "keypoints", "attributes"})

    def origin_of(self, kind: SideCar) -> str:
        """Return `truth`, the renderer's own, or `truth with noise` and how strong it is."""
        return truth(getattr(self.nuisances, NOISES[kind]))

    @property
    def train_identities(self) -> int:
        """Those of the preset."""
        return PRESETS[self.preset].train_identities

    @property
    def train_images(self) -> int:
        """Those of the preset."""
        return PRESETS[self.preset].train_images

    def redrawn(self, number: int) -> "SyntheticConfig":
        """Return the same settings with the seed increased by `number`: other people, other cameras."""
        return self.model_copy(update={"seed": self.seed + number})

    def fingerprint(self) -> str:
        """Return a hash of the settings that images and labels are drawn from."""
        return digest(
            {
                "generator": GENERATOR_VERSION,
                "counts": asdict(PRESETS[self.preset]),
                **self.model_dump(mode="json", include=set(DRAWN_FROM)),
            }
        )


CONFIG = SyntheticConfig
