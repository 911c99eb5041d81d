"""Verification loss against loops over pairs, in double precision; its head as a scorer."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from reid_search.data.sampling import PassSampler
from reid_search.errors import StudyError
from reid_search.losses import Targets
from reid_search.study import EntryError, TrainingConfig
from reid_search.study.trial.training import BatchConfig

LABELS = torch.tensor([0, 0, 0, 1, 1, 2, 3])


def _compared(first, second, settings):
    if settings.get("normalize"):
        first, second = first / first.norm(), second / second.norm()
    kind = settings.get("comparison", "squared")
    return {"squared": (first - second) ** 2, "absolute": (first - second).abs(), "product": first * second}[kind]


def _written_out(features, labels, head, settings):
    pairs = list(itertools.combinations(range(len(labels)), 2))
    compared = torch.stack([_compared(features[i], features[j], settings) for i, j in pairs])
    if settings.get("batch_norm"):
        compared = (compared - compared.mean(0)) / (compared.var(0, unbiased=False) + 1e-5).sqrt()
        compared = compared * head.norm.weight.double() + head.norm.bias.double()
    logits = compared @ head.decision.weight.double().T + head.decision.bias.double()
    groups = {True: [], False: []}
    for (i, j), (different, same) in zip(pairs, logits.tolist(), strict=True):
        own, other = (same, different) if labels[i] == labels[j] else (different, same)
        groups[bool(labels[i] == labels[j])].append(math.log1p(math.exp(other - own)))
    ratio = settings.get("negatives_per_positive", 1.0)
    if ratio is None:
        return sum(map(sum, groups.values())) / len(pairs)
    means = {kind: sum(values) / len(values) for kind, values in groups.items()}
    return (means[True] + ratio * means[False]) / (1 + ratio)


def _randomised(loss):
    torch.manual_seed(0)
    for parameter in loss.parameters():
        torch.nn.init.normal_(parameter)
    return loss


@pytest.mark.parametrize("comparison", ["squared", "absolute", "product"])
@pytest.mark.parametrize(
    "settings",
    [{}, {"normalize": True}, {"batch_norm": True}, {"negatives_per_positive": None}, {"negatives_per_positive": 4.0}],
    ids=str,
)
def test_agrees_with_loops_over_pairs(comparison, settings, make_taps, make_loss):
    taps, settings = make_taps(6, 3), {"kind": "verification", "comparison": comparison, **settings}
    loss = _randomised(make_loss(settings, taps))
    features = {tap.key: torch.randn(7, tap.dim) for tap in taps}
    values = [
        _written_out(features[tap.key].double(), LABELS, head, settings)
        for tap, head in zip(taps, loss.heads, strict=True)
    ]
    assert loss(features, Targets(LABELS)).item() == pytest.approx(sum(values) / 2, rel=1e-5)


def test_drawn_pairs_are_those_that_stand_one_after_another(make_taps, make_loss):
    """Zheng et al.'s loss: two-way softmax on (x - y)², averaged over the batch's pairs, an odd last image left out."""
    taps, labels = make_taps(6), torch.tensor([0, 0, 1, 2, 3, 3, 1])
    settings = {"kind": "verification", "pairs": "drawn", "negatives_per_positive": None}
    loss = _randomised(make_loss(settings, taps))
    features, weights = torch.randn(7, 6), loss.heads[0].decision
    expected = 0.0
    for first, second, same in ((0, 1, 1), (2, 3, 0), (4, 5, 1)):
        logits = weights.weight @ (features[first] - features[second]) ** 2 + weights.bias
        expected -= (logits[same] - logits.logsumexp(0)).item() / 3
    assert loss({taps[0].key: features}, Targets(labels)).item() == pytest.approx(expected, rel=1e-5)


def test_starts_at_chance_with_balanced_pairs(make_taps, make_loss):
    taps = make_taps(16)
    value = make_loss({"kind": "verification"}, taps)({taps[0].key: torch.randn(7, 16)}, Targets(LABELS))
    assert value.item() == pytest.approx(math.log(2), rel=0.05)


def test_balance_does_not_depend_on_how_many_others_there_are(make_taps, make_loss):
    """A head that says `different` to everything pays as much among 4 identities as among 32."""
    taps = make_taps(4)
    loss = make_loss({"kind": "verification"}, taps)
    loss.heads[0].decision.bias.data = torch.tensor([2.0, 0.0])
    values = [
        loss({taps[0].key: torch.zeros(4 * identities, 4)}, Targets(torch.arange(4 * identities) // 4))
        for identities in (4, 32)
    ]
    assert_close(values[0], values[1])
    assert values[0].item() == pytest.approx((math.log1p(math.exp(2)) + math.log1p(math.exp(-2))) / 2)


def test_dropout_leaves_out_values_of_the_pair(make_taps, make_loss):
    taps = make_taps(5000)
    loss = make_loss({"kind": "verification", "dropout": 0.75}, taps)
    seen = []
    loss.heads[0].decision.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    features = {taps[0].key: torch.randn(2, 5000)}
    for mode in (True, False):
        loss.train(mode)(features, Targets(torch.tensor([0, 0])))
    assert (seen[0] == 0).float().mean().item() == pytest.approx(0.75, abs=0.03)
    assert_close(seen[0][seen[0] > 0], 4 * seen[1][seen[0] > 0])


@pytest.mark.parametrize("settings", [{}, {"batch_norm": True, "dropout": 0.9}, {"normalize": True}], ids=str)
def test_scores_are_log_odds_in_evaluation_mode(settings, make_taps, make_loss):
    """Averaged over the heads, each of which takes its own part of the features; never of the training mode."""
    taps, settings = make_taps(6, 3), {"kind": "verification", **settings}
    loss = _randomised(make_loss(settings, taps))
    for _ in range(3):  # gives batch norm something to remember
        loss({tap.key: torch.randn(7, tap.dim) for tap in taps}, Targets(LABELS))
    state = {name: value.clone() for name, value in loss.state_dict().items()}
    query, gallery = torch.randn(4, 9), torch.randn(5, 9)
    scores = loss.pair_scores(query, gallery)
    assert scores.shape == (4, 5)
    assert loss.training
    assert_close(loss.state_dict(), state, rtol=0, atol=0)
    for place in itertools.product(range(4), range(5)):
        odds = []
        for head, start, end in ((loss.heads[0], 0, 6), (loss.heads[1], 6, 9)):
            compared = _compared(query[place[0], start:end], gallery[place[1], start:end], settings)
            if settings.get("batch_norm"):
                compared = (compared - head.norm.running_mean) / (head.norm.running_var + 1e-5).sqrt()
                compared = compared * head.norm.weight + head.norm.bias
            odds.append((head.decision.weight[1] - head.decision.weight[0]) @ compared)
            odds[-1] = odds[-1] + head.decision.bias[1] - head.decision.bias[0]
        assert_close(scores[place], torch.stack(odds).mean().detach(), rtol=1e-4, atol=1e-4)


def test_scores_come_in_double_precision_from_a_head_in_double_precision(make_taps, make_loss):
    loss = _randomised(make_loss({"kind": "verification", "batch_norm": True}, make_taps(6, 3)))
    query, gallery = torch.randn(4, 9), torch.randn(5, 9)
    single = loss.pair_scores(query, gallery)
    double = loss.double().pair_scores(query.double(), gallery.double())
    assert double.dtype == torch.float64
    assert_close(double.float(), single, rtol=1e-4, atol=1e-4)


def test_scores_of_a_normalised_head_do_not_depend_on_the_scale_of_a_block(make_taps, make_loss):
    loss = _randomised(make_loss({"kind": "verification", "normalize": True}, make_taps(6, 3)))
    query, gallery = torch.randn(4, 9), torch.randn(5, 9)
    scale = torch.tensor([2.0] * 6 + [0.1] * 3)
    assert_close(loss.pair_scores(query * scale, gallery), loss.pair_scores(query, gallery))


@pytest.mark.parametrize("width", [6, 10])
def test_scores_of_other_features_are_refused(width, make_taps, make_loss):
    loss = make_loss({"kind": "verification"}, make_taps(6, 3))
    with pytest.raises(StudyError, match=f"compares 9 values .*gives it {width}"):
        loss.pair_scores(torch.randn(4, width), torch.randn(5, width))


def test_learns_to_tell_people_apart_that_a_distance_cannot(make_taps, make_loss):
    """Two values hold the identity among 30 louder ones of chance; people of the test are others."""
    generator = torch.Generator().manual_seed(3)

    def people(identities):
        own = torch.randn(identities, 1, 2, generator=generator).expand(-1, 4, -1)
        images = torch.cat([own, 3 * torch.randn(identities, 4, 30, generator=generator)], dim=2)
        return images.reshape(-1, 32), torch.arange(identities).repeat_interleave(4)

    taps = make_taps(32)
    loss = make_loss({"kind": "verification", "batch_norm": True}, taps)
    optimizer = torch.optim.Adam(loss.parameters(), lr=0.05)
    for _ in range(100):
        features, labels = people(8)
        optimizer.zero_grad()
        loss({taps[0].key: features}, Targets(labels)).backward()
        optimizer.step()
    features, labels = people(16)
    same = (labels[:, None] == labels)[~torch.eye(64, dtype=torch.bool)]

    def share_in_order(scores):
        scores = scores[~torch.eye(64, dtype=torch.bool)]
        return (scores[same][:, None] > scores[~same]).float().mean().item()

    assert share_in_order(loss.pair_scores(features, features)) > 0.9
    assert share_in_order(-torch.cdist(features, features)) < 0.7


@pytest.mark.parametrize("settings", [{"negatives_per_positive": 0}, {"dropout": 1}, {"comparison": "sum"}], ids=str)
def test_settings_out_of_range_are_refused(settings, make_config):
    with pytest.raises(ValueError, match=next(iter(settings))):
        make_config({"kind": "verification", **settings})


@pytest.mark.parametrize(("ids", "per_id"), [(1, 4), (4, 2)])
@pytest.mark.parametrize("pairs", [{}, {"same": 0.2}, {"same": 0.0}, {"same": 0.0, "least": 0.5}, {"same": 1.0},
                                   {"same": 1.0, "decay": 2.0}, {"same": 0.1, "decay": 2.0}])  # fmt: skip
def test_drawn_pairs_are_refused_where_a_sampler_never_draws_both_kinds(ids, per_id, pairs, make_config):
    batch = BatchConfig(ids=ids, per_id=per_id, order="pairs", pairs=pairs)
    identities = np.arange(120) // 6
    sampler = PassSampler(identities, batch, seed=0)
    drawn = [identities[sampler.batch(step)].reshape(-1, 2) for step in range(600)]
    same = np.concatenate(drawn) @ [1, -1] == 0
    loss = make_config({"kind": "verification", "pairs": "drawn"})
    if same.any() and not same.all():
        loss.check_training(TrainingConfig(batch=batch), ["main"])
    else:
        with pytest.raises(EntryError, match=r"^drawn, but (none|each) of the \d pairs of a batch shows one person"):
            loss.check_training(TrainingConfig(batch=batch), ["main"])
