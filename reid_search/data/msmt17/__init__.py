"""MSMT17 (Wei et al., CVPR 2018)."""
