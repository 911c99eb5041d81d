"""Hyperparameter search and ablation for person re-identification."""

__version__ = "0.1.0"
