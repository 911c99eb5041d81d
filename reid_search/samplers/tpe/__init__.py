"""The tree-structured Parzen estimator (Bergstra et al. 2011), over all axes together."""
