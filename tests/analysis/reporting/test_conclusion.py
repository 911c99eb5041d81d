"""What a terminal says at the end of a run is what the report's tables hold."""

import analysis


def test_it_names_the_baseline_s_mean_over_seeds_and_the_arms_that_differ(study):
    analysis.write_report(study.path)
    arms = analysis.load_arms(study.path)
    found = analysis.contrasts(arms)
    mean = arms.loc[arms["arm"] == "baseline", "test/mAP"].mean()
    line, lost = analysis.conclusion(study.path)
    assert lost == "ablate, losses.triplet.margin=0.3: failed 1 of 3 (1 to 91 %)"
    assert line.startswith(
        f"ablate: the baseline has {100 * mean:.1f} % test/mAP, the mean over its seeds; after correction"
    )
    for arm, verdict in zip(found["arm"], found["verdict"], strict=True):
        assert (arm in line) == (verdict in ("better", "worse")), (arm, verdict, line)


def test_it_says_nothing_before_a_report(study):
    assert analysis.conclusion(study.path) == []
