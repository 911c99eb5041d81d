"""Designs: which arms an ablation compares."""
