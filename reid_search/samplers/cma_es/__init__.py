"""Covariance matrix adaptation (Hansen & Ostermeier 2001), on the ranges of a search."""
