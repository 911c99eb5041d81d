"""Who proposes the settings of a search. A sampler has a config without Optuna, and a module that builds it."""
