"""Layers that architectures are assembled from, and the settings that go with them, which are torch-free."""
