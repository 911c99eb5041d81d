"""k-reciprocal re-ranking (Zhong et al. 2017)."""
