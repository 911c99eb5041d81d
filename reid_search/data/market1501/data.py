"""Loading a data set in the layout of Market-1501."""

from reid_search.data.dataset import load_folder as load

__all__ = ["load"]
