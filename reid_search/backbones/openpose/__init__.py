"""The first two stages of OpenPose (Cao et al. 2017)."""
