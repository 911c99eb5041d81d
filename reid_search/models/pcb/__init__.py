"""Part-based convolutional baseline, with and without refined part pooling (Sun et al., ECCV 2018)."""
