"""Side-cars on disk: part maps, keypoints and attributes of a data set's images, in the forms in which they come.

`maps.py`, `keypoints.py` and `attributes.py` say which forms each has.
"""

from typing import TYPE_CHECKING

from reid_search.lazy import lazy_names

if TYPE_CHECKING:
    from reid_search.data.side_cars.attributes import attributes_of, read_attributes
    from reid_search.data.side_cars.files import check_own
    from reid_search.data.side_cars.keypoints import read_keypoints
    from reid_search.data.side_cars.maps import read_maps
    from reid_search.data.side_cars.problems import check_side_cars, side_car_problems
    from reid_search.data.side_cars.readers import file_at, places_of, readers_of

__all__ = [
    "attributes_of",
    "check_own",
    "check_side_cars",
    "file_at",
    "places_of",
    "read_attributes",
    "read_keypoints",
    "read_maps",
    "readers_of",
    "side_car_problems",
]

__getattr__ = lazy_names(
    __name__,
    {"check_own": "files", "read_keypoints": "keypoints", "read_maps": "maps"}
    | dict.fromkeys(("check_side_cars", "side_car_problems"), "problems")
    | dict.fromkeys(("attributes_of", "read_attributes"), "attributes")
    | dict.fromkeys(("file_at", "places_of", "readers_of"), "readers"),
)
