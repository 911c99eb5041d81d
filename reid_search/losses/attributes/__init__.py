"""Classification of the 27 attributes of Market-1501 (Lin et al. 2019)."""
