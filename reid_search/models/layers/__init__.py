"""Layers that architectures share, and their torch-free settings."""
