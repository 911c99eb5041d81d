"""SPReID: features pooled under maps of body parts (Kalayeh et al., CVPR 2018)."""
