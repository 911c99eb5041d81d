"""Who stops the trials of a search early. A pruner has a config without Optuna, and a module that builds it."""
