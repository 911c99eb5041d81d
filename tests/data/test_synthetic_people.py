"""Who synthetic people are: families of twins, where the information lies, and attributes that say what is worn."""

from collections import Counter
from dataclasses import asdict

import numpy as np
import pytest

from reid_search.data.synthetic.config import Nuisances, People
from reid_search.data.synthetic.latents import plain
from reid_search.data.synthetic.people.attributes import attributes_of, colour_name, disturbed_attributes
from reid_search.data.synthetic.people.families import Twin
from reid_search.data.synthetic.people.person import Person
from reid_search.data.synthetic.plan import PlannedImage, plan_images
from reid_search.data.synthetic.presets import PRESETS
from reid_search.data.synthetic.studio import Studio
from reid_search.study.trial.side_cars import ATTRIBUTES, LOWER_COLOURS, UPPER_COLOURS

OFF = Nuisances.model_validate(dict.fromkeys(Nuisances.model_fields, 0.0))
CI = PRESETS["ci"]


def families_of(people: People) -> dict[int, dict[int, PlannedImage]]:
    """One image of each member of each family, by family and subject."""
    families: dict[int, dict[int, PlannedImage]] = {}
    for image in plan_images(CI, 0, people):
        if image.twin:
            families.setdefault(image.twin.family, {})[image.subject] = image
    return families


def leaves(value: object, path: str = "") -> dict[str, object]:
    if isinstance(value, dict):
        return {key: leaf for name, item in value.items() for key, leaf in leaves(item, f"{path}.{name}").items()}
    return {path.removeprefix("."): value}


def differences(one: Person, other: Person) -> set[str]:
    left, right = leaves(asdict(one)), leaves(asdict(other))
    return {path for path in left if left[path] != right[path]}


@pytest.mark.parametrize(("share", "size"), [(0.5, 2), (1.0, 4), (0.25, 8), (0.75, 5)])
def test_a_share_of_the_people_belongs_to_families_within_training_or_within_test(share: float, size: int) -> None:
    planned = plan_images(CI, 0, People(twins=share, family_size=size))
    train = {image.subject for image in planned if image.folder == "bounding_box_train"}
    families = families_of(People(twins=share, family_size=size))
    for members in families.values():
        assert 2 <= len(members) <= size
        assert len({image.twin for image in members.values()}) == len(members)
        assert set(members) <= train or set(members).isdisjoint(train)
    strangers = {image.subject for image in planned if image.identity == 0}
    for group in (train, strangers, {image.subject for image in planned} - train - strangers):
        in_families = sum(subject in group for members in families.values() for subject in members)
        assert share * len(group) - 1 <= in_families <= share * len(group)


def test_nobody_has_twins_unless_asked_for() -> None:
    assert {image.twin for image in plan_images(CI, 0)} == {None}


@pytest.mark.parametrize("size", [2, 4, 8])
def test_permutation_twins_all_wear_the_same_seven_colours_and_a_family_differs_in_two_places(size: int) -> None:
    people = People(twins=1.0, family_size=size)
    studio = Studio(0, OFF, people)
    families = [
        [
            worn(studio.person(image.subject, image.twin))
            for image in sorted(members.values(), key=lambda one: one.twin.place)
        ]
        for members in families_of(people).values()
    ]
    everybody = [colours for family in families for colours in family]
    assert len(set(everybody)) == len(everybody)
    assert {frozenset(colours) for colours in everybody} == {frozenset(everybody[0])}
    assert len(set(everybody[0])) == 7
    for first, *others in families:
        for other in others:
            above, below = [at for at in range(7) if first[at] != other[at]]
            assert (above in (1, 2, 3), below in (4, 5, 6)) == (True, True)
    other_seed = Studio(1, OFF, people).person(1, Twin(0, 0))
    assert frozenset(worn(other_seed)) != frozenset(everybody[0])


def test_but_for_the_colours_twins_of_all_families_are_the_same_person() -> None:
    people = People(twins=1.0)
    studio = Studio(0, OFF, people)
    members = [image for family in families_of(people).values() for image in family.values()]
    persons = [studio.person(image.subject, image.twin) for image in members]
    assert set().union(*(differences(persons[0], person) for person in persons)) == CLOTHES | {
        "hair.colour",
        "hair.cap",
        "shoes.colour",
    }


def worn(person: Person) -> tuple[object, ...]:
    """Return the colours of cap, chest, belly, sleeves, thighs, knees and boots."""
    upper, lower = person.upper, person.lower
    return person.hair.cap, upper.colour, upper.second, upper.sleeve, lower.colour, lower.second, person.shoes.colour


@pytest.mark.parametrize(
    ("part", "differing"),
    [
        ("upper", {"upper.colour"}),
        ("lower", {"lower.colour"}),
        ("shoes", {"shoes.colour"}),
        ("logo", {"logo.shape", "logo.colour"}),
    ],
)
def test_single_part_twins_differ_in_one_part(part: str, differing: set[str]) -> None:
    people = People.model_validate({"twins": 1.0, "family_size": 8, "twin_kind": "single_part", "twin_part": part})
    studio = Studio(0, OFF, people)
    for members in families_of(people).values():
        persons = [studio.person(image.subject, image.twin) for image in members.values()]
        assert len(set(persons)) == len(persons)
        assert all(differences(persons[0], person) <= differing for person in persons)


def test_any_part_is_drawn_for_each_family() -> None:
    people = People(twins=1.0, twin_kind="single_part")
    studio = Studio(0, OFF, people)
    parts = Counter()
    for members in families_of(people).values():
        one, other = [studio.person(image.subject, image.twin) for image in members.values()]
        parts[next(iter(differences(one, other))).split(".")[0]] += 1
    assert set(parts) == {"upper", "lower", "shoes", "logo"}


CLOTHES = {"upper.colour", "upper.second", "upper.sleeve", "lower.colour", "lower.second"}
COARSE = CLOTHES | {"bag.colour"}
LAYOUT = CLOTHES | {
    *("build.height", "build.girth", "build.shoulders", "bag.kind", "bag.left"),
    *("hair.colour", "hair.cap", "shoes.colour"),
}
TEXTURE = {f"{cloth}.weave.{name}" for cloth in ("upper", "lower") for name in ("period", "angle", "contrast")}
FINE = {"upper.bands", "logo.shape", "logo.colour", "logo.across", "logo.along"}


@pytest.mark.parametrize(
    ("own", "varying"), [("coarse", COARSE), ("layout", LAYOUT), ("texture", TEXTURE), ("fine", FINE), (None, set())]
)
def test_each_budget_varies_its_own_traits_and_no_others(own: str | None, varying: set[str]) -> None:
    nothing = dict.fromkeys(("coarse", "layout", "texture", "fine"), 0.0)
    studio = Studio(0, OFF, People.model_validate({**nothing, **({own: 1.0} if own else {})}))
    persons = [studio.person(subject) for subject in range(1, 120)]
    assert set().union(*(differences(persons[0], person) for person in persons)) == varying
    if own == "layout":
        assert len({frozenset(worn(person)) for person in persons}) == 1


def test_without_a_layout_of_their_own_people_are_dressed_in_one_cloth() -> None:
    studio = Studio(0, OFF, People(layout=0.0, fine=0.0))
    persons = [studio.person(subject) for subject in range(1, 120)]
    for person in persons:
        upper, lower = person.upper, person.lower
        assert (upper.colour, upper.second, upper.weave) == (lower.colour, lower.second, lower.weave)
        assert (upper.sleeve, upper.pattern, lower.pattern) == (upper.colour, "plain", "plain")
    assert len({(person.skin, person.hair, person.build, person.shoes) for person in persons}) == 1
    assert len({person.upper.colour for person in persons}) > 110


def test_a_budget_between_leaves_each_trait_to_a_share_of_the_people() -> None:
    studio = Studio(0, OFF, People(coarse=0.3))
    common = Counter(studio.person(subject).skin for subject in range(300)).most_common(1)[0][1]
    assert common / 300 == pytest.approx(0.7, abs=0.08)


def test_details_take_at_most_five_percent_of_the_area() -> None:
    studio = Studio(0, OFF, People(coarse=0.0, layout=0.0, texture=0.0))
    planned = [image for image in plan_images(CI, 0) if image.camera == 1 and image.identity > 0][::8]
    images = np.stack([np.asarray(studio.render(image).image, np.int64) for image in planned])
    changed = (np.abs(images - np.median(images, axis=0)) > 8).any(axis=3).mean(axis=(1, 2))
    assert 0.0 < changed.mean() <= changed.max() <= 0.05


def test_attributes_say_what_a_person_wears() -> None:
    studio = Studio(0, OFF)
    for subject in range(1, 150):
        person = studio.person(subject)
        attributes = attributes_of(person)
        assert list(attributes) == list(ATTRIBUTES)
        assert all(0 <= attributes[name] < count for name, count in ATTRIBUTES.items())
        assert attributes["hat"] == (person.hair.style == "cap")
        assert (attributes["backpack"], attributes["bag"], attributes["handbag"]) == tuple(
            int(person.bag.kind == kind) for kind in ("backpack", "satchel", "handbag")
        )
        assert attributes["clothes"] == 1 - (person.lower.kind == "skirt")
        assert attributes["up"] == 1 - (person.upper.sleeves == "long")
        assert attributes["down"] == 1 - (person.lower.kind == "trousers")
        assert _one_colour_each(attributes)
        assert attributes[f"up{colour_name(person.upper.colour, UPPER_COLOURS)}"] == 1


def test_every_value_of_an_attribute_occurs() -> None:
    studio = Studio(0, OFF)
    tables = [attributes_of(studio.person(subject)) for subject in range(400)]
    rare = {"downpink", "downpurple", "downyellow", "downgreen"}  # nobody wears these below, but in families
    for name, count in ATTRIBUTES.items():
        if name not in rare:
            assert {table[name] for table in tables} >= set(range(count)) - ({1} if name in rare else set()), name


@pytest.mark.parametrize(
    ("colour", "above", "below"),
    [
        ((20, 20, 24), "black", "black"),
        ((235, 235, 230), "white", "white"),
        ((130, 130, 134), "gray", "gray"),
        ((200, 30, 35), "red", "pink"),
        ((40, 70, 170), "blue", "blue"),
        ((40, 52, 104), "blue", "blue"),
        ((50, 130, 60), "green", "green"),
        ((230, 190, 40), "yellow", "yellow"),
        ((110, 50, 130), "purple", "purple"),
        ((98, 70, 50), "yellow", "brown"),
        ((240, 120, 170), "red", "pink"),
    ],
)
def test_colours_have_the_names_that_people_give_them(colour, above: str, below: str) -> None:
    assert colour_name(colour, UPPER_COLOURS) == above
    assert colour_name(colour, LOWER_COLOURS) == below


@pytest.mark.parametrize("strength", [0.0, 0.3, 1.0])
def test_noise_replaces_a_share_of_the_attributes(strength: float) -> None:
    true = attributes_of(Studio(0, OFF).person(1))
    noisy = [disturbed_attributes(true, strength, np.random.default_rng(seed)) for seed in range(300)]
    assert all(_one_colour_each(values) and list(values) == list(true) for values in noisy)
    for name in ("gender", "up", "down", "hat", "age"):
        changed = sum(values[name] != true[name] for values in noisy) / len(noisy)
        assert changed == pytest.approx(strength, abs=0.1), name
    recoloured = sum(any(values[f"up{c}"] != true[f"up{c}"] for c in UPPER_COLOURS) for values in noisy) / len(noisy)
    assert recoloured == pytest.approx(strength, abs=0.1)


def test_plain_values_hold_every_field() -> None:
    person = Studio(0, OFF).person(3)
    assert plain(person)["upper"]["colour"] == list(person.upper.colour)
    assert set(leaves(plain(person))) == set(leaves(asdict(person)))


def _one_colour_each(attributes) -> bool:
    counts = (sum(attributes[f"up{c}"] for c in UPPER_COLOURS), sum(attributes[f"down{c}"] for c in LOWER_COLOURS))
    return counts == (1, 1)
