"""How synthetic people are seen: labelled and detected boxes, views and their bridges, and what is behind them."""

import json
from collections import Counter, defaultdict
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from reid_search.data.synthetic.config import Nuisances, People
from reid_search.data.synthetic.latents import plain
from reid_search.data.synthetic.plan import PlannedImage, plan_images
from reid_search.data.synthetic.presets import PRESETS
from reid_search.data.synthetic.puppet.cloth import Wave, wave_over
from reid_search.data.synthetic.streams import Stream, generator_of
from reid_search.data.synthetic.studio import Studio
from reid_search.data.synthetic.views.boxes import Box
from reid_search.data.synthetic.views.cameras import PLAIN, focused, grained
from reid_search.data.synthetic.views.shots import sample_shot, turned_away_from_the_side

OFF = Nuisances.model_validate(dict.fromkeys(Nuisances.model_fields, 0.0))
CI = PRESETS["ci"]
PLAIN_PEOPLE = People(texture=0.0)
BOXES = OFF.model_copy(
    update={"shift": 1.0, "shift_vertical": 0.4, "scale": 1.0, "truncation": 0.5, "background_camera": 1.0}
)


def _good(nuisances: Nuisances | None = None) -> list[PlannedImage]:
    return [image for image in plan_images(CI, 0, nuisances=nuisances) if image.framing == "good"]


def test_boxes_compose_like_the_cuts_they_make() -> None:
    outer, inner = Box(3.0, -5.0, 1.25), Box(7.0, 2.0, 0.8)
    x, y = outer.point(20.0, 30.0)
    assert outer.within(inner).point(20.0, 30.0) == pytest.approx(inner.point(x, y))


def test_labelled_and_detected_images_are_two_cuts_of_the_same_scene() -> None:
    nuisances = BOXES.model_copy(update={"pose": 1.0, "view": 1.0, "light": 0.5, "clutter": 1.0})
    detected, labelled = Studio(0, nuisances), Studio(0, nuisances, boxes="labelled")
    apart = []
    for planned in _good()[::12]:
        loose, fitting = detected.render(planned), labelled.render(planned)
        assert {**plain(loose.shot), "box": None} == {**plain(fitting.shot), "box": None}
        assert fitting.shot.box == Box()
        box = loose.shot.box
        both = (loose.keypoints[:, 2] > 0) & (fitting.keypoints[:, 2] > 0)
        places = [box.point(x + 0.5, y + 0.5) for x, y in fitting.keypoints[both, :2]]
        np.testing.assert_allclose(np.array(places) - 0.5, loose.keypoints[both, :2], atol=1e-9)
        apart.append(_difference(fitting.image, loose.image, box))
    assert np.median(apart) < 8
    assert max(apart) < 16


def _difference(fitting: Image.Image, loose: Image.Image, box: Box) -> float:
    """Mean difference in levels between a detected image and what its box cuts from the labelled one."""
    cut = fitting.transform(
        fitting.size,
        Image.Transform.AFFINE,
        (1 / box.scale, 0, box.left, 0, 1 / box.scale, box.top),
        Image.Resampling.BILINEAR,
    )
    known = Image.new("L", fitting.size, 255).transform(
        fitting.size, Image.Transform.AFFINE, (1 / box.scale, 0, box.left, 0, 1 / box.scale, box.top)
    )
    inside = np.asarray(known) == 255
    assert inside.mean() > 0.3
    return float(np.abs(np.asarray(cut, float) - np.asarray(loose, float))[inside].mean())


def test_labelled_boxes_still_cut_distractors_and_junk() -> None:
    cut = next(image for image in plan_images(CI, 0) if image.framing == "cut")
    assert Studio(0, BOXES, boxes="labelled").render(cut).shot.box != Box()


@pytest.mark.parametrize(
    ("name", "across", "down"),
    [("shift_horizontal", 16.0, 0.0), ("shift_vertical", 0.0, 32.0), ("shift", 64 / 6, 128 / 12)],
)
def test_shifts_move_the_person_as_far_as_they_say(name: str, across: float, down: float) -> None:
    studio = Studio(0, OFF.model_copy(update={name: 1.0}))
    boxes = [studio.render(image).shot.box for image in _good()[:150]]
    assert max(abs(box.left) for box in boxes) == pytest.approx(across, rel=0.05)
    assert max(abs(box.top) for box in boxes) == pytest.approx(down, rel=0.05)
    assert {box.scale for box in boxes} == {1.0}


def test_truncation_cuts_off_heads_or_feet_of_a_share_of_the_people() -> None:
    nose, ankle = 0, 15
    studio = Studio(0, OFF.model_copy(update={"truncation": 0.5}))
    found = Counter()
    for image in _good()[:200]:
        keypoints = studio.render(image).keypoints[:, 2]
        found[bool(keypoints[nose]), bool(keypoints[ankle])] += 1
    assert found[False, False] == 0
    assert found[False, True] + found[True, False] == pytest.approx(100, abs=25)
    assert found[True, False] > found[False, True] > 10


def _yaws(bridge: float) -> dict[int, list[tuple[str, float]]]:
    nuisances = OFF.model_copy(update={"view": 1.0, "bridge": bridge})
    someone, yaws = Studio(0, OFF).person(1), defaultdict(list)
    for image in _good(nuisances):
        if image.folder != "bounding_box_train":
            generator = generator_of(0, Stream.IMAGE, image.index)
            shot = sample_shot(generator, 0, image, someone, People(), nuisances)
            yaws[image.subject].append((image.folder, shot.figure.pose.yaw))
    return yaws


def test_a_share_of_the_people_has_views_between_front_and_back_in_the_gallery() -> None:
    bridged = {}
    for share in (0.0, 0.5, 1.0):
        people = _yaws(share)
        sides = {who: [abs(np.sin(yaw)) for where, yaw in seen if where != "query"] for who, seen in people.items()}
        bridged[share] = {who for who, values in sides.items() if max(values) > 0.55}
        assert len(bridged[share]) == pytest.approx(share * len(people), abs=3)
        both = [{np.cos(yaw) > 0 for where, yaw in seen if where != "query"} for seen in people.values()]
        assert sum(len(poles) == 2 for poles in both) > 0.8 * len(people)
    assert bridged[0.5] < bridged[1.0]


def test_queries_are_seen_alike_with_and_without_a_bridge() -> None:
    with_bridge, without = _yaws(1.0), _yaws(0.0)
    for subject, seen in with_bridge.items():
        assert [yaw for where, yaw in seen if where == "query"] == [
            yaw for where, yaw in without[subject] if where == "query"
        ]


@pytest.mark.parametrize(
    ("yaw", "turned"), [(0.3, 0.1), (1.5, 0.5), (1.7, np.pi - 0.48053), (3.0, 3.0944), (6.0, 6.1888)]
)
def test_views_from_the_side_are_turned_to_the_nearer_pole(yaw: float, turned: float) -> None:
    assert turned_away_from_the_side(yaw) == pytest.approx(turned, abs=1e-3)


def test_clothes_behind_say_nothing_about_the_front_where_asymmetry_is_strong() -> None:
    studio = Studio(0, OFF.model_copy(update={"asymmetry": 1.0}))
    both = np.array([[*person.upper.colour, *person.back.upper] for person in map(studio.person, range(1, 400))])
    correlation = np.corrcoef(both.T)[:3, 3:]
    assert np.abs(correlation).max() < 0.2


def _side(yaw: float) -> str:
    if abs(np.cos(yaw)) > 0.94:
        return "front" if np.cos(yaw) > 0 else "back"
    return "side" if abs(np.cos(yaw)) < 0.2 else ""


def test_the_back_is_seen_from_behind_only() -> None:
    nuisances = OFF.model_copy(update={"view": 1.0})
    same, other = Studio(0, nuisances), Studio(0, nuisances.model_copy(update={"asymmetry": 1.0}))
    changed = {"front": [], "side": [], "back": []}
    for image in _good()[::3]:
        plain_view, turned = same.render(image), other.render(image)
        yaw = plain_view.shot.figure.pose.yaw
        side = _side(yaw)
        clothes = (plain_view.mask == 2) | (plain_view.mask == 3)
        difference = np.abs(np.asarray(plain_view.image, float) - np.asarray(turned.image, float)).max(axis=2)
        assert (plain_view.mask != turned.mask).mean() < 0.005
        if side:
            changed[side].append((difference[clothes] > 12).mean())
    front, side, back = (np.mean(changed[name]) for name in ("front", "side", "back"))
    assert front < 0.15 < side < back
    assert back > 0.5


def _backdrops(nuisances: Nuisances, folder: str) -> tuple[list[int], list[int], list[tuple[int, float]], np.ndarray]:
    studio = Studio(0, nuisances)
    images = [image for image in _good() if image.folder == folder and image.identity > 0][:150]
    shots = [studio.render(image) for image in images]
    edges = np.stack([np.asarray(shot.image, float)[:, [0, 1, 2, 61, 62, 63]].reshape(-1) for shot in shots])
    spots = [(shot.shot.backdrop.place, shot.shot.backdrop.pan) for shot in shots]
    return [image.subject for image in images], [image.camera for image in images], spots, edges


def _told_by_background(labels: list[int], edges: np.ndarray) -> float:
    """Share of images whose nearest other one, by what is at their edges, has the same label."""
    squares = (edges**2).sum(axis=1)
    distances = squares[:, None] + squares - 2 * edges @ edges.T
    np.fill_diagonal(distances, np.inf)
    return float((np.array(labels)[distances.argmin(axis=1)] == np.array(labels)).mean())


def test_the_background_tells_who_it_is_in_training_and_not_in_test() -> None:
    nuisances = OFF.model_copy(update={"clutter": 0.9, "background_identity": 1.0})
    subjects, _, spots, edges = _backdrops(nuisances, "bounding_box_train")
    assert len(set(zip(subjects, spots, strict=True))) == len(set(subjects)) == len(set(spots))
    assert _told_by_background(subjects, edges) > 0.8
    subjects, _, spots, edges = _backdrops(nuisances, "bounding_box_test")
    assert len(set(spots)) == len(spots)
    assert _told_by_background(subjects, edges) < 0.2


@pytest.mark.parametrize(("share", "low", "high"), [(1.0, 1.0, 1.0), (0.5, 0.45, 0.72), (0.0, 0.08, 0.27)])
def test_the_background_tells_the_camera_in_a_share_of_the_images(share: float, low: float, high: float) -> None:
    nuisances = OFF.model_copy(update={"clutter": 1.0, "background_camera": share})
    _, cameras, spots, _ = _backdrops(nuisances, "bounding_box_train")
    told = np.mean([place == camera - 1 for (place, _), camera in zip(spots, cameras, strict=True)])
    assert low <= told <= high


def test_occluders_grow_with_their_area() -> None:
    planned, hidden = _good()[:80], []
    for area in (0.0, 0.25, 0.5, 1.0):
        studio = Studio(0, OFF.model_copy(update={"occlusion": 1.0, "occlusion_area": area}))
        hidden.append(sum(int((studio.render(image).mask > 0).sum()) for image in planned))
    plain_studio = Studio(0, OFF)
    assert hidden[0] == sum(int((plain_studio.render(image).mask > 0).sum()) for image in planned)
    assert hidden == sorted(hidden, reverse=True)
    assert hidden[-1] < 0.75 * hidden[0]


def test_shots_are_plain_values_that_json_can_hold() -> None:
    rendering = Studio(0, Nuisances(occlusion=1.0, clutter=1.0)).render(_good()[0])
    assert json.loads(json.dumps(plain(rendering.shot)))["box"] == plain(rendering.shot.box)


def test_every_seed_draws_cameras_of_its_own_which_differ_in_every_respect() -> None:
    drawn = {seed: [Studio(seed).camera(number) for number in range(1, 7)] for seed in (0, 1)}
    for name in ("matrix", "gamma", "lift", "vignetting", "blur", "noise", "resolution", "quality"):
        values = [getattr(camera, name) for cameras in drawn.values() for camera in cameras]
        assert len(set(values)) >= 10, name
    for cameras in drawn.values():
        gammas = sorted(camera.gamma for camera in cameras)
        assert gammas[-1] / gammas[0] > 1.4


def test_cameras_of_no_strength_change_nothing() -> None:
    studio = Studio(0, OFF)
    assert {studio.camera(number) for number in range(1, 13)} == {PLAIN}


def test_other_cameras_look_at_the_test_and_leave_training_as_it_was() -> None:
    same, others = plan_images(CI, 0), plan_images(CI, 0, test_cameras="others")
    assert [(one.subject, one.folder) for one in same] == [(one.subject, one.folder) for one in others]
    trained = [(one, other) for one, other in zip(same, others, strict=True) if one.folder == "bounding_box_train"]
    tested = [(one, other) for one, other in zip(same, others, strict=True) if one.folder != "bounding_box_train"]
    assert all(one == other for one, other in trained)
    assert {other.camera for _, other in tested}.isdisjoint({other.camera for _, other in trained})
    studio = Studio(0)
    for one, other in tested[::60]:
        before, after = studio.render(one), studio.render(other)
        assert (before.mask == after.mask).all()
        assert before.image.tobytes() != after.image.tobytes()


def test_folds_lie_on_the_clothes_alone_and_change_from_image_to_image() -> None:
    planned = next(image for image in _good() if image.folder == "bounding_box_train")
    again = replace(planned, index=planned.index + 1)
    smooth, folded = (Studio(0, OFF.model_copy(update={"folds": depth}), PLAIN_PEOPLE) for depth in (0.0, 1.0))
    changes = []
    for image in (planned, again):
        before, after = smooth.render(image), folded.render(image)
        changed = (np.asarray(before.image, int) != np.asarray(after.image, int)).any(axis=2)
        clothes = (before.mask == 2) | (before.mask == 3)
        assert not changed[~clothes].any()
        assert changed[clothes].mean() > 0.5
        changes.append(np.asarray(after.image, int) - np.asarray(before.image, int))
    assert (changes[0] != changes[1]).any()


def test_a_weave_is_the_person_s_in_every_image_though_its_threads_lie_elsewhere() -> None:
    wave = Wave(period=8.0, angle=0.0, phase=0.0)
    field = wave_over(slice(0, 128), slice(0, 64), wave, Box())
    np.testing.assert_allclose(field, np.cos(2 * np.pi * (np.arange(64) + 0.5) / 8.0)[None].repeat(128, 0), atol=1e-5)
    larger = wave_over(slice(0, 128), slice(0, 64), wave, Box(left=3.0, scale=2.0))
    np.testing.assert_allclose(larger[0], np.cos(2 * np.pi * (3.0 + (np.arange(64) + 0.5) / 2.0) / 8.0), atol=1e-5)
    cut = wave_over(slice(5, 9), slice(10, 20), replace(wave, angle=1.0), Box())
    whole = wave_over(slice(0, 128), slice(0, 64), replace(wave, angle=1.0), Box())
    np.testing.assert_allclose(cut, whole[5:9, 10:20], atol=1e-6)


def test_a_coarse_camera_holds_no_more_than_its_pixels_and_grain_has_the_spread_it_says() -> None:
    generator = np.random.default_rng(0)
    levels = generator.integers(0, 256, (128, 64, 3)).astype(np.uint8)
    coarse = focused(levels, 0.0, 0.5)
    assert coarse.shape == levels.shape
    assert coarse.std() < 0.6 * levels.std()
    assert (focused(levels, 0.0, 1.0) == levels).all()
    grey = np.full((128, 64, 3), 128, np.uint8)
    assert grained(grey, 6.0, generator).std() == pytest.approx(6.0, rel=0.03)
    assert grained(grey, 0.0, generator) is grey
