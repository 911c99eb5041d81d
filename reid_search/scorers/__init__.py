"""Scorers: distances between queries and gallery made otherwise than by comparing two features.

A scorer is a package here with a torch-free `config.py` (its config class in `CONFIG`) and a `scorer.py` with
`build(config, head) -> Scorer`, where `head` is the trained loss that the config names, or None. A scorer of another
distribution has the same two modules side by side and an entry point of the group `reid_search.scorers`.
"""
