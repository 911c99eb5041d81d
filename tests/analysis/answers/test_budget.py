from analysis.answers.budget import budgets
from reid_search.records import read_state


def test_planned_and_spent_of_each_phase(study):
    planned = [{"phase": "search", "trials": 6, "images": 12_000}, {"phase": "ablate", "trials": 9, "images": 18_000}]
    study.log("run", command="", versions={}, git_commit=None, planned=planned)
    search, ablate = budgets(read_state(study.store))
    assert (search.planned_trials, search.planned_images) == (6, 12_000)
    assert (search.trials, search.images) == (6, 4 * 2000 + 2 * 500)
    assert (ablate.planned_trials, ablate.trials) == (9, 9)
    assert ablate.images == 9 * 2000
    assert ablate.seconds == 3 * sum(4 * (2.5 + seed) for seed in (1, 2, 3))


def test_a_training_counts_in_the_first_phase_that_asked_for_it(study):
    study.ask_arms(phase="again")
    first, second, third = budgets(read_state(study.store))
    assert (first.phase, second.trials, third.trials) == ("search", 9, 0)
    assert second.planned_trials is None
