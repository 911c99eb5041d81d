"""Who stops the trials of a search early. A pruner has a config without Optuna, and a module that builds it.

It is built with the number of epochs of a trial of the search at its base.
"""
