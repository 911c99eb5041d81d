"""The graph loss against loops over nodes, closed forms of its edges, and batches of every make."""

import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from reid_search.errors import StudyError
from reid_search.losses import Targets
from reid_search.losses.graph.edges import all_others, same_identity, shuffled, weights_of
from reid_search.losses.graph.pairs import assign_roles, symmetric
from reid_search.study import LOSSES

EDGES = ["supervised", "learnt", "uniform", "oracle", "shuffled"]
LABELS = torch.arange(4).repeat_interleave(3)
PROBES, GALLERY = [0, 3, 6, 9], [1, 2, 4, 5, 7, 8, 10, 11]


def _build(make_loss, make_taps, dims=(6,), **settings):
    return make_loss({"kind": "graph", **settings}, make_taps(*dims)).double()


def _features(count=12, dim=6, seed=0):
    return torch.randn(count, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _tested(loss, features):
    """A loss whose running statistics have seen a batch, in evaluation mode."""
    with torch.no_grad():
        for _ in range(5):
            loss.double().train().value(0, features, Targets(LABELS))
    return loss.eval()


def _plain_scores(loss, query, gallery, weights, alpha, iterations, pair):
    """Log-odds of each gallery image, node by node; `weights` is a table of what j sends to i."""
    graph = loss.graphs[0]
    start = []
    for image in gallery:
        difference = {"squared": (query - image) ** 2, "absolute": (query - image).abs(), "product": query * image}
        start.append(graph.norm(difference[pair][None])[0])
    nodes = start
    for _ in range(iterations):
        messages = [graph.message(node[None])[0] for node in nodes]
        nodes = [
            (1 - alpha) * start[i] + alpha * sum(weights[i][j] * messages[j] for j in range(len(gallery)))
            for i in range(len(gallery))
        ]
    return torch.stack([graph.scorer(node)[0] for node in nodes])


@pytest.mark.parametrize("pair", ["squared", "absolute", "product"])
@pytest.mark.parametrize(("message_layers", "width"), [(0, None), (1, None), (2, 5)])
@pytest.mark.parametrize("iterations", [1, 3])
def test_uniform_edges_send_the_mean_of_all_others(pair, message_layers, width, iterations, make_loss, make_taps):
    settings = {"pair": pair, "message_layers": message_layers, "width": width, "iterations": iterations}
    loss = _tested(_build(make_loss, make_taps, edges="uniform", alpha=0.7, **settings), _features())
    query, gallery = _features(1, seed=1)[0], _features(5, seed=2)
    weights = [[0.0 if i == j else 0.25 for j in range(5)] for i in range(5)]
    assert_close(loss.graph_scores(query, gallery), _plain_scores(loss, query, gallery, weights, 0.7, iterations, pair))


@pytest.mark.parametrize("temperature", [1.0, 0.2])
def test_supervised_edges_are_a_softmax_of_the_siamese_scorer(temperature, make_loss, make_taps):
    loss = _tested(_build(make_loss, make_taps, temperature=temperature), _features())
    query, gallery = _features(1, seed=1)[0], _features(5, seed=2)
    scores = loss.pair_scores(gallery, gallery).detach() / temperature
    weights = [
        [
            0.0 if i == j else float(scores[i, j].exp() / sum(scores[i, k].exp() for k in range(5) if k != i))
            for j in range(5)
        ]
        for i in range(5)
    ]
    assert_close(loss.graph_scores(query, gallery), _plain_scores(loss, query, gallery, weights, 0.9, 1, "squared"))


def test_oracle_edges_join_images_of_an_identity_but_neither_junk_nor_distractors(make_loss, make_taps):
    loss = _tested(_build(make_loss, make_taps, edges="oracle"), _features())
    query, gallery = _features(1, seed=1)[0], _features(8, seed=2)
    identities = torch.tensor([7, 7, 7, 3, 0, 0, -1, -1])
    weights = torch.zeros(8, 8).double()
    weights[:3, :3] = 0.5 * (1 - torch.eye(3))
    weights[3:, 3:] = torch.eye(5)
    expected = _plain_scores(loss, query, gallery, weights.tolist(), 0.9, 1, "squared")
    assert_close(loss.graph_scores(query, gallery, identities), expected)


@pytest.mark.parametrize("edges", EDGES)
def test_without_messages_the_graph_is_its_base_model_to_the_last_digit(edges, make_loss, make_taps):
    loss = _tested(_build(make_loss, make_taps, edges=edges), _features())
    query, gallery = _features(1, seed=1), _features(7, seed=2)
    ids = torch.tensor([1, 1, 2, 2, 3, 0, -1])
    base = loss.pair_scores(query, gallery)[0]
    assert torch.equal(loss.graph_scores(query[0], gallery, ids, alpha=0.0), base)
    assert_close(loss.graph_scores(query[0], gallery, ids, alpha=1e-9), base, rtol=0, atol=1e-7)
    assert (loss.graph_scores(query[0], gallery, ids) - base).abs().max() > 1e-3
    trained_without = _build(make_loss, make_taps, edges=edges, alpha=0.0).eval()
    assert torch.equal(
        trained_without.graph_scores(query[0], gallery, ids), trained_without.pair_scores(query, gallery)[0]
    )


@pytest.mark.parametrize("edges", ["supervised", "learnt", "uniform", "oracle"])
def test_order_of_the_gallery_does_not_count(edges, make_loss, make_taps):
    loss = _tested(_build(make_loss, make_taps, edges=edges, iterations=2), _features())
    query, gallery, ids = _features(1, seed=1)[0], _features(7, seed=2), torch.tensor([1, 1, 2, 2, 3, 0, -1])
    order = torch.randperm(7, generator=torch.Generator().manual_seed(0))
    expected = loss.graph_scores(query, gallery, ids)[order]
    assert_close(loss.graph_scores(query, gallery[order], ids[order]), expected)


@pytest.mark.parametrize("edges", EDGES)
@pytest.mark.parametrize("positive_weight", [1.0, 3, "balanced"])
def test_value_is_the_sum_of_three_cross_entropies(edges, positive_weight, make_loss, make_taps):
    """In evaluation mode, from the scores that a user can ask for; classes are moved up as 0 is no distractor here."""
    settings = {"edges": edges, "edge_weight": 0.5, "positive_weight": positive_weight}
    features = _features()
    loss = _tested(_build(make_loss, make_taps, **settings), features)

    def cross_entropy(scores, targets):
        weights = {"balanced": (targets == 0).sum() / targets.sum()}.get(positive_weight, positive_weight)
        terms = -(weights * targets * functional.logsigmoid(scores) + (1 - targets) * functional.logsigmoid(-scores))
        return terms.mean()

    gallery, owners = features[GALLERY], LABELS[GALLERY]
    targets = (LABELS[PROBES][:, None] == owners[None]).double()
    base = loss.pair_scores(features[PROBES], gallery)
    graph = torch.stack([loss.graph_scores(features[probe], gallery, owners + 1) for probe in PROBES])
    expected = cross_entropy(base, targets) + cross_entropy(graph, targets)
    if edges in ("supervised", "shuffled"):
        rows, columns = torch.triu_indices(8, 8, offset=1)
        pairs = loss.pair_scores(gallery, gallery)[rows, columns]
        expected = expected + 0.5 * cross_entropy(pairs, (owners[rows] == owners[columns]).double())
    assert_close(loss.value(0, features, Targets(LABELS)), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("edges", EDGES)
@pytest.mark.parametrize("settings", [{}, {"pair": "product", "message_layers": 1}, {"iterations": 2}])
def test_gradient_is_that_of_finite_differences(edges, settings, make_loss, make_taps):
    loss = _build(make_loss, make_taps, dims=(3,), edges=edges, **settings)
    features = _features(dim=3, seed=4).requires_grad_()
    loss.eval()  # kinks of ReLU apart, smooth; batch norm by statistics of its own
    assert torch.autograd.gradcheck(lambda values: loss.value(0, values, Targets(LABELS)), (features,))


@pytest.mark.parametrize("edges", EDGES)
def test_every_parameter_learns(edges, make_loss, make_taps):
    loss = _build(make_loss, make_taps, edges=edges)
    loss.value(0, _features(), Targets(LABELS)).backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in loss.parameters())


def test_frozen_features_train_the_graph_only(make_loss, make_taps):
    values, gradients = [], []
    for features in ("trained", "frozen"):
        leaf = _features().requires_grad_()
        loss = _build(make_loss, make_taps, features=features)
        value = loss.value(0, leaf, Targets(LABELS))
        value.backward()
        values.append(value.item())
        gradients.append(leaf.grad)
        assert loss.graphs[0].scorer.weight.grad.abs().sum() > 0
    assert values[0] == values[1]
    assert gradients[0].abs().sum() > 0
    assert gradients[1] is None


@pytest.mark.parametrize("features", ["trained", "frozen"])
@pytest.mark.parametrize("labels", [[3], [0, 1, 2], []], ids=["one image", "one image each", "no image"])
def test_batch_without_pairs_is_worth_nothing_and_can_be_trained_on(features, labels, make_loss, make_taps):
    loss = _build(make_loss, make_taps, features=features)
    leaf = _features(len(labels)).requires_grad_()
    value = loss.value(0, leaf, Targets(torch.tensor(labels, dtype=torch.int64)))
    value.backward()
    assert value.item() == 0
    assert leaf.grad is None or not leaf.grad.any()
    assert not loss.graphs[0].scorer.weight.grad.any()


@pytest.mark.parametrize("edges", EDGES)
@pytest.mark.parametrize("labels", [[0, 0], [0, 0, 0], [0, 0, 1], [0, 1, 1, 2], [5, 5, 5, 5]])
def test_smallest_batches_with_pairs(edges, labels, make_loss, make_taps):
    loss = _build(make_loss, make_taps, edges=edges, positive_weight="balanced")
    leaf = _features(len(labels)).requires_grad_()
    value = loss.value(0, leaf, Targets(torch.tensor(labels)))
    value.backward()
    assert value > 0
    assert value.isfinite()
    assert leaf.grad.isfinite().all()


def test_first_image_of_each_identity_is_its_probe():
    roles = assign_roles(torch.tensor([2, 0, 2, 5, 0, 0, 7]))
    assert roles.probe.nonzero()[:, 0].tolist() == [0, 1]
    assert roles.gallery.nonzero()[:, 0].tolist() == [2, 3, 4, 5, 6]


@pytest.mark.parametrize("edges", ["supervised", "learnt", "uniform", "oracle"])
def test_order_of_identities_and_gallery_does_not_count(edges, make_loss, make_taps):
    """Every identity keeps its first image."""
    order = torch.tensor([9, 0, 2, 11, 3, 10, 1, 5, 6, 8, 4, 7])
    features = _features()
    values = [
        _build(make_loss, make_taps, edges=edges).value(0, features[taken], Targets(LABELS[taken]))
        for taken in (torch.arange(12), order)
    ]
    assert_close(*values)


def test_several_taps_are_scored_by_the_mean_of_their_graphs(make_loss, make_taps):
    both = _build(make_loss, make_taps, dims=(6, 4)).eval()
    query, gallery = _features(1, dim=10, seed=1), _features(5, dim=10, seed=2)
    alone = []
    for index, (dim, columns) in enumerate([(6, slice(0, 6)), (4, slice(6, 10))]):
        single = _build(make_loss, make_taps, dims=(dim,)).eval()
        single.graphs[0].load_state_dict(both.graphs[index].state_dict())
        one, others = query[:, columns], gallery[:, columns]
        alone.append((single.pair_scores(one, others), single.graph_scores(one[0], others)))
    assert_close(both.pair_scores(query, gallery), (alone[0][0] + alone[1][0]) / 2)
    assert_close(both.graph_scores(query[0], gallery), (alone[0][1] + alone[1][1]) / 2)


def test_one_gallery_image_hears_itself(make_loss, make_taps):
    loss = _build(make_loss, make_taps).eval()
    query, gallery = _features(1, seed=1)[0], _features(1, seed=2)
    expected = _plain_scores(loss, query, gallery, [[1.0]], 0.9, 1, "squared")
    assert_close(loss.graph_scores(query, gallery), expected)


def test_shuffled_edges_are_the_true_ones_between_other_images():
    scores = symmetric(torch.arange(1.0, 16), 6)
    assert_close(scores, scores.T)
    assert not scores.diagonal().any()
    other = shuffled(scores)
    assert not torch.equal(other, scores)
    assert not other.diagonal().any()
    assert_close(other.flatten().sort().values, scores.flatten().sort().values)
    assert torch.equal(shuffled(scores), other)


def test_weights_that_reach_an_image_sum_to_one():
    scores = _features(4, dim=4)
    others = all_others(4, scores.device)
    weights = weights_of(scores, others)
    assert_close(weights.sum(dim=1), torch.ones(4).double())
    assert not weights.diagonal().any()
    same = same_identity(torch.tensor([5, 5, 0, 0]))
    assert weights_of(scores * 0, others & same).tolist() == [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]


@pytest.mark.parametrize(("edges", "message"), [("learnt", "has not learnt any"), ("oracle", "needs the identities")])
def test_edges_that_cannot_be_had_are_refused(edges, message, make_loss, make_taps):
    loss = _build(make_loss, make_taps).eval()
    with pytest.raises(StudyError, match=message):
        loss.graph_scores(_features(1)[0], _features(3), edges=edges)


def test_features_of_other_taps_are_refused(make_loss, make_taps):
    loss = _build(make_loss, make_taps).eval()
    with pytest.raises(StudyError, match=r"features of 5 values.*p1\.global@reduced with 6"):
        loss.pair_scores(_features(1, dim=5), _features(3, dim=5))


@pytest.mark.parametrize(
    "change",
    [
        {"alpha": 1.5},
        {"alpha": -0.1},
        {"temperature": 0.0},
        {"iterations": 0},
        {"message_layers": 3},
        {"edges": "cosine"},
        {"positive_weight": "even"},
        {"positive_weight": True},
        {"positive_weight": 0},
        {"pair": "concat"},
    ],
)
def test_settings_out_of_range_are_refused(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        LOSSES.validate({"kind": "graph", **change})


def test_a_base_stage_trains_the_siamese_scorer_alone(make_loss, make_taps):
    """Two cross-entropies by hand, of probe-gallery and gallery-gallery pairs; the messages get no gradient."""
    loss = _build(make_loss, make_taps, base_stages=("base",))
    plain = _build(make_loss, make_taps)
    plain.load_state_dict(loss.state_dict())
    features, graph = _features(), plain.graphs[0]
    both = loss.value(0, features, Targets(LABELS))
    loss.enter("base")
    base = loss.value(0, features, Targets(LABELS))
    base.backward()
    nodes = graph.nodes(features[PROBES], features[GALLERY])
    wanted = (LABELS[PROBES][:, None] == LABELS[GALLERY][None]).double()
    rows, columns = torch.triu_indices(8, 8, offset=1)
    same = (LABELS[GALLERY][rows] == LABELS[GALLERY][columns]).double()
    entropies = [
        functional.binary_cross_entropy(scores.sigmoid(), targets)
        for scores, targets in ((graph.score(nodes), wanted), (graph.gallery_scores(features[GALLERY]), same))
    ]
    assert_close(base, sum(entropies))
    assert all(item.grad is None for item in loss.graphs[0].message.parameters())
    loss.enter("end to end")
    assert_close(loss.value(0, features, Targets(LABELS)), both)
