"""CUHK03 (Li et al., CVPR 2014) in its classic and its new protocol (Zhong et al., CVPR 2017)."""
