"""Classification of the attributes of Market-1501 or DukeMTMC-reID (Lin et al. 2019)."""
