"""Parts that architectures are assembled from; `shapes` and `settings` are torch-free, for their configs."""
