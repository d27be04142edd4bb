"""Rollouts: what is in a fragment, against a plain loop, and that all collectors collect the same."""

import itertools
from functools import partial

import gymnasium as gym
import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from torch import nn

from policy_gradients.rollout import Actor, Inputs, evaluate, multi, nested, numpy_policy, same, single
from tests.rollout_examples import Cart, Corridor, Place, Walker, cartpole

SEED = 20


def take(count, fragments):
    with fragments:
        return list(itertools.islice(fragments, count))


def concatenated(fragments, part):
    """`part` of all fragments, one after the other, as NumPy arrays."""
    return nested.map(lambda *leaves: np.concatenate(leaves), *[part(fragment) for fragment in fragments])


def assert_same_tree(one, other):
    nested.map(np.testing.assert_array_equal, one, other)


def plain_steps(count, name):
    """What `Corridor` and `Walker` do in `count` steps: the steps of one environment, from a plain loop."""
    environment = Corridor()
    observation, _ = environment.reset(seed=name)
    memory, steps = 0, []
    for _ in range(count):
        memory += 1
        action = {"move": memory % 7, "push": np.array([memory, -memory], np.float32)}
        following, reward, terminated, truncated, _ = environment.step(action)
        # the memory is not cleared before the value of a final observation
        value = 0 if terminated else 100 * (memory + 1) + following["place"].column
        steps.append((observation, action, reward, terminated, truncated, following, value, memory - 1))
        observation = following
        if terminated or truncated:
            observation, _ = environment.reset()
            memory = 0
    return steps


@pytest.mark.parametrize("n_steps", [1, 2, 7])
def test_fragments_are_what_a_plain_loop_sees(n_steps):
    fragments = take(6, same.rollout(Corridor, Walker(), n_steps, 3, seed=SEED))
    for i in range(3):
        expected = plain_steps(6 * n_steps, SEED + i)
        observations, actions, rewards, terminated, truncated, following, values, memory = zip(
            *expected, strict=True
        )

        def column(part, i=i):
            return nested.map(lambda leaf: leaf[:, i], concatenated(fragments, part))

        assert_same_tree(column(lambda fragment: fragment.observations), nested.stack(observations))
        assert_same_tree(column(lambda fragment: fragment.actions), nested.stack(actions))
        assert_same_tree(column(lambda fragment: fragment.rewards), np.array(rewards, np.float32))
        assert_same_tree(column(lambda fragment: fragment.terminated), np.array(terminated))
        assert_same_tree(column(lambda fragment: fragment.truncated), np.array(truncated))
        assert_same_tree(column(lambda fragment: fragment.next_observations), nested.stack(following))
        assert_same_tree(column(lambda fragment: fragment.next_values), np.array(values, np.float32))
        before = [float(fragment.state["count"][0, i, 0]) for fragment in fragments]
        assert before == list(memory[::n_steps])
    assert all(fragment.mask.all() for fragment in fragments)


def test_dtypes_and_structure_are_those_of_the_environment_and_of_the_actor():
    (fragment,) = take(1, same.rollout(Corridor, Walker(), 4, 2))
    place, seen = fragment.observations["place"], fragment.observations["seen"]
    assert type(place) is Place and type(seen) is tuple and type(seen[1]) is list
    assert place.row.dtype is torch.float32 and place.row.shape == (4, 2, 2)
    assert place.column.dtype is torch.int64 and place.column.shape == (4, 2)
    assert seen[0].dtype is torch.bool and seen[1][0].dtype is torch.float64
    assert fragment.actions["move"].dtype is torch.int64 and fragment.actions["push"].dtype is torch.float32
    assert fragment.rewards.dtype is fragment.next_values.dtype is torch.float32
    assert fragment.state["count"].shape == (1, 2, 1)
    assert fragment.outputs["nested"][1][0].shape == (4, 2)
    assert fragment.version.shape == (1, 2)


@pytest.mark.parametrize("sticky", [False, True])
def test_row_t_shows_what_came_before_and_fragments_join(sticky):
    fragments = take(8, same.rollout(Corridor, Walker(), 4, 2, seed=SEED, sticky=sticky))
    assert all(fragment.inputs.first[0].all() for fragment in fragments[:1])
    assert not fragments[0].inputs.reward[0].any() and not fragments[0].inputs.action["push"][0].any()
    for fragment, following in itertools.pairwise(fragments):
        ended = fragment.terminated | fragment.truncated
        if sticky:
            assert not fragment.inputs.first[1:].any()
            assert torch.equal(following.inputs.first[0], ended.any(dim=0))
        else:
            assert torch.equal(fragment.inputs.first[1:], ended)
            last = nested.map(lambda leaf: leaf[-1], fragment.inputs)
            assert_same_tree(last, nested.map(lambda leaf: leaf[0], following.inputs))


def test_a_sticky_environment_stands_still_after_an_end_and_starts_anew_with_the_next_fragment():
    fragments = take(3, same.rollout(Corridor, Walker(), 6, 2, seed=SEED, sticky=True))
    for episode, (fragment, length) in enumerate(zip(fragments, Corridor.lengths, strict=True)):
        place = fragment.observations["place"]
        assert (place.row[:, :, 1] == episode).all()
        assert torch.equal(place.column[:, 0], torch.arange(6).clamp(max=length))
        assert torch.equal(fragment.mask[:, 1], torch.arange(6) < length)
        assert torch.equal(fragment.terminated.sum(0), torch.tensor([episode != 1] * 2))
        assert torch.equal(fragment.truncated.sum(0), torch.tensor([episode == 1] * 2))
        assert (fragment.terminated | fragment.truncated)[length - 1].all()
        assert not fragment.rewards[length:].any() and not fragment.next_values[length:].any()
        assert fragment.next_observations["place"].column[length - 1, 0] == length
        assert fragment.next_values[length - 1, 0] == (101 * length + 100 if episode == 1 else 0)
    # the memory counts on behind an end, where nobody looks, and is cleared before the next fragment
    assert [float(fragment.state["count"].sum()) for fragment in fragments] == [0, 0, 0]


class BothAtOnce(Corridor):
    def step(self, action):
        observation, reward, terminated, truncated, info = super().step(action)
        return observation, reward, terminated or truncated, terminated or truncated, info


def test_a_failure_in_the_last_step_of_the_time_limit_is_not_bootstrapped_from():
    (fragment,) = take(1, same.rollout(BothAtOnce, Walker(), 12, 1, seed=SEED))
    assert fragment.truncated.sum() == fragment.terminated.sum() == 3
    assert not fragment.next_values[fragment.truncated].any()


@pytest.mark.parametrize("sticky", [False, True])
def test_a_learner_computes_from_a_fragment_what_the_actor_said(sticky):
    """Observation, last action, last reward, memory and its clearing all have to be in their places."""
    actor = Cart()
    with same.rollout(cartpole, actor, 25, 4, seed=SEED, sticky=sticky) as fragments:
        for fragment in itertools.islice(fragments, 4):
            outputs, _ = actor(fragment.shown, fragment.state)
            for name in ("logits", "value"):
                torch.testing.assert_close(outputs[name], fragment.outputs[name])
            assert outputs["logits"].requires_grad and not fragment.outputs["logits"].requires_grad
            chances = fragment.outputs["logits"].softmax(dim=-1)
            assert ((chances > 0) & (chances < 1)).all() and fragment.actions.unique().tolist() == [0, 1]
    ended = fragment.terminated | fragment.truncated
    assert ended.any()


@pytest.mark.parametrize("n_steps", [1, 3])
def test_an_actor_may_remember_what_it_was_shown(n_steps):
    class Remembers(Actor):
        def initial_state(self, n):
            return torch.full((1, n, 4), torch.inf)

        def forward(self, inputs, state):
            assert len(inputs.reward) == 1
            logits = torch.zeros(*inputs.reward.shape, 2)
            return {"logits": logits, "before": state}, inputs.observation

    fragments = take(6, same.rollout(cartpole, Remembers(), n_steps, 2, seed=SEED))
    shown = concatenated(fragments, lambda fragment: fragment.shown)
    before = concatenated(fragments, lambda fragment: fragment.outputs["before"])
    expected = np.concatenate([np.full((1, 2, 4), np.inf), shown.observation[:-1]])
    np.testing.assert_array_equal(before, np.where(shown.first[..., None], np.inf, expected))


def test_next_values_of_a_recurrent_actor_at_a_time_limit():
    actor = Cart()
    short = partial(gym.make, "CartPole-v1", max_episode_steps=5)
    (fragment,) = take(1, same.rollout(short, actor, 5, 3, seed=SEED))
    assert fragment.truncated[4].all()
    inputs = Inputs(
        torch.cat([fragment.observations, fragment.next_observations[-1:]]),
        fragment.inputs.action,
        fragment.inputs.reward,
        torch.cat([fragment.inputs.first[:-1], torch.zeros(1, 3, dtype=bool)]),
    )
    values = actor(inputs, fragment.state)[0]["value"]
    torch.testing.assert_close(fragment.next_values, values[1:].detach())


def test_samples_follow_the_logits_and_the_seed():
    class Biased(Actor):
        def forward(self, inputs, state):
            return {"logits": torch.log(torch.tensor([0.2, 0.8])).expand(*inputs.reward.shape, 2)}, state

    (one,), (again,) = (take(1, same.rollout(cartpole, Biased(), 200, 20, seed=3)) for _ in range(2))
    assert_same_tree(one, again)
    counts = np.bincount(one.actions.flatten(), minlength=2)
    assert chisquare(counts, counts.sum() * np.array([0.2, 0.8])).pvalue > 1e-3
    (greedy,) = take(1, same.rollout(cartpole, Biased().eval(), 20, 3))
    assert (greedy.actions == 1).all() and not greedy.next_values.any()


def test_fragments_are_the_callers_to_keep():
    first, second = take(2, single.rollout(Corridor, Walker(), 5, 2, seed=SEED))
    assert not torch.equal(first.rewards, second.rewards)
    (again,) = take(1, single.rollout(Corridor, Walker(), 5, 2, seed=SEED))
    assert_same_tree(first, again)


@pytest.mark.parametrize("sticky", [False, True])
def test_a_worker_collects_what_this_process_would(sticky):
    actor = Cart()
    here = take(5, same.rollout(cartpole, actor, 11, 3, seed=SEED, sticky=sticky))
    options = {"n_actors": 1, "n_per_actor": 3, "n_buffers": 4}
    for fragments in (
        single.rollout(cartpole, actor, 11, 3, seed=SEED, sticky=sticky),
        multi.rollout(cartpole, actor, 11, seed=SEED, sticky=sticky, **options),
    ):
        for one, other in zip(here, take(5, fragments), strict=True):
            assert_same_tree(one._replace(version=0), other._replace(version=0))


@pytest.mark.parametrize("start_method", ["fork", "spawn", "forkserver"])
def test_every_start_method_takes_functions_and_classes_of_a_notebook(start_method):
    class LocalWalker(Walker):
        pass

    class LocalPlace(Place):
        pass

    class LocalCorridor(Corridor):
        def observe(self):
            seen = super().observe()
            return {**seen, "place": LocalPlace(*seen["place"])}

    # what __main__ defines, as a notebook does, cannot be imported by a new process
    for kind in (LocalWalker, LocalPlace, LocalCorridor):
        kind.__module__ = "__main__"
    # two buffers: each worker fills one of them
    options = {"n_actors": 2, "n_per_actor": 1, "n_buffers": 2, "start_method": start_method}
    here = take(1, same.rollout(Corridor, Walker(), 4, 2, seed=SEED))[0]
    (batch,) = take(1, multi.rollout(lambda: LocalCorridor(), LocalWalker(), 4, seed=SEED, **options))
    assert type(batch.observations["place"]) is LocalPlace
    if batch.observations["place"].row[0, 0, 0] != SEED:  # the second worker was first
        batch = nested.map(lambda leaf: leaf.flip(1), batch)
    nested.map(np.testing.assert_array_equal, list(nested.leaves(batch)), list(nested.leaves(here)))


def said(fragment):
    return fragment.outputs["nested"][1][0]


def test_copies_follow_the_learners_weights_and_the_version_tells_which():
    collectors = {
        "same": lambda actor: same.rollout(Corridor, actor, 3, 2),
        "single": lambda actor: single.rollout(Corridor, actor, 3, 2),
        "multi": lambda actor: multi.rollout(Corridor, actor, 3, n_actors=2, n_per_actor=2, n_buffers=5),
    }
    ages = {}
    for name, collector in collectors.items():
        actor, versions = Walker(), []
        with collector(actor) as fragments:
            for number, fragment in enumerate(itertools.islice(fragments, 12)):
                assert torch.equal(said(fragment), fragment.version.expand(3, -1).float())
                versions.append(fragment.version[0].tolist())
                with torch.no_grad():
                    actor.weight.fill_(number + 1)  # version k: what was learned from k fragments
        ages[name] = [number - version for number, row in enumerate(versions) for version in row]
    assert set(ages["same"]) == {0}
    assert ages["single"] == [0, 0] + 11 * [1, 1]
    # how old depends on the workers' speed, but five buffers cannot hold 24 fragments of the first weights
    assert min(ages["multi"]) >= 0 and ages["multi"] != [number for number in range(12) for _ in range(4)]


def test_buffers_of_a_module_are_followed_too():
    class Normalised(Walker):
        def __init__(self):
            super().__init__()
            self.register_buffer("offset", torch.zeros((), dtype=torch.float64))

        def forward(self, inputs, state):
            outputs, state = super().forward(inputs, state)
            return {**outputs, "offset": self.offset.expand(inputs.reward.shape)}, state

    actor = Normalised()
    with single.rollout(Corridor, actor, 2, 1) as fragments:
        for number, fragment in enumerate(itertools.islice(fragments, 4)):
            assert (fragment.outputs["offset"] == max(0, number - 1)).all()
            actor.offset += 1


def test_a_batch_joins_fragments_of_several_workers():
    with multi.rollout(
        Corridor, Walker(), 4, n_actors=2, n_per_actor=3, n_buffers=4, n_per_batch=3, seed=SEED
    ) as fragments:
        seen = set()
        for batch in itertools.islice(fragments, 20):
            names = batch.observations["place"].row[0, :, 0].reshape(3, 3).tolist()
            assert all(row in ([20, 21, 22], [23, 24, 25]) for row in names)
            seen |= {row[0] for row in names}
            assert batch.rewards.shape == (4, 9) and batch.state["count"].shape == (1, 9, 1)
    assert seen == {20, 23}
    with pytest.raises(ValueError, match="1 buffers are too few"):
        multi.rollout(Corridor, Walker(), 4, n_actors=2, n_per_actor=3, n_buffers=1)


def test_environments_are_closed_unless_told_otherwise():
    for close in (True, False):
        made = []

        def factory(made=made):
            made.append(Corridor())
            return made[-1]

        take(1, same.rollout(factory, Walker(), 2, 3, close=close))
        assert [environment.closed for environment in made] == [close] * 3


def test_environments_that_were_made_are_closed_when_the_next_one_fails():
    made = []

    def factory():
        if len(made) == 2:
            raise OSError("no more of them")
        made.append(Corridor())
        return made[-1]

    with pytest.raises(OSError, match="no more of them"):
        same.rollout(factory, Walker(), 2, 3)
    assert [environment.closed for environment in made] == [True, True]


def test_actions_of_another_structure_are_refused_with_both_named():
    class Careless(Walker):
        def act(self, outputs, generator):
            return outputs["nested"][0]

    with pytest.raises(ValueError, match="not built like those of Dict.*differ in structure.*move, push"):
        same.rollout(Corridor, Careless(), 2, 1)


def test_observations_that_are_no_numbers_are_refused():
    class Talking(Corridor):
        def observe(self):
            return {"text": "hello"}

    with pytest.raises(TypeError, match="'hello' is no number"):
        same.rollout(Talking, Walker(), 2, 1)


@pytest.mark.skipif(torch.cuda.is_available(), reason="pinned memory is possible here")
def test_pinned_memory_without_a_gpu_is_refused():
    for collector in (same, single):
        with pytest.raises(ValueError, match="Pinned memory serves copies to a CUDA device"):
            collector.rollout(Corridor, Walker(), 2, 1, pinned=True)


def test_an_actor_on_a_gpu_is_not_forked():
    with pytest.raises(ValueError, match="start_method='spawn'"):
        single.rollout(Corridor, Walker(), 2, 1, device="cuda", start_method="fork")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU that PyTorch can use")
def test_fragments_arrive_on_the_gpu():
    actor = Cart()
    here = take(3, same.rollout(cartpole, actor.eval(), 11, 3, seed=SEED))
    actor = actor.to("cuda")
    for fragments in (
        same.rollout(cartpole, actor, 11, 3, seed=SEED, device="cuda", pinned=True),
        single.rollout(cartpole, actor, 11, 3, seed=SEED, device="cuda", pinned=True),
    ):
        for one, other in zip(here, take(3, fragments), strict=True):
            assert {leaf.device.type for leaf in nested.leaves(other)} == {"cuda"}
            torch.testing.assert_close(
                one.outputs["value"], other.outputs["value"].cpu(), rtol=1e-3, atol=1e-4
            )


def test_evaluate_plays_one_episode_in_each_environment():
    environments = [Corridor() for _ in range(3)]
    for number, environment in enumerate(environments):
        environment.episode = number - 1
    rewards = evaluate(environments, Walker(), seed=SEED)
    expected = np.zeros((5, 3), np.float32)
    for i, length in enumerate(Corridor.lengths):
        expected[:length, i] = [1.1 * step for step in range(1, length + 1)]
    np.testing.assert_allclose(rewards, expected)
    assert [environment.step_number for environment in environments] == list(Corridor.lengths)
    assert evaluate([Corridor()], Walker(), n_steps=2).shape == (2, 1)


def test_evaluate_shows_a_recurrent_actor_what_the_collectors_show_it():
    actor = Cart().eval()
    rewards = evaluate([cartpole() for _ in range(4)], actor, seed=SEED)
    (fragment,) = take(1, same.rollout(cartpole, actor, len(rewards), 4, seed=SEED, sticky=True))
    np.testing.assert_array_equal(rewards, fragment.rewards)
    assert len(set(rewards.sum(axis=0))) > 1


# ---- trees


def test_map_goes_through_all_containers_and_keeps_their_types():
    tree = {"b": [1, (2, Place(3, 4))], "a": ()}
    other = {"a": (), "b": [10, (20, Place(30, 40))]}
    total = nested.map(lambda x, y: x + y, tree, other)
    assert total == {"b": [11, (22, Place(33, 44))], "a": ()}
    assert type(total["b"][1][1]) is Place
    assert list(nested.leaves(tree)) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("one", "other", "message"),
    [
        ({"a": 1}, {"b": 1}, "a dict of a and a dict of b"),
        ((1, 2), (1, 2, 3), "a tuple of 2 and a tuple of 3"),
        (1, [1], "a single int and a list of 1"),
        ({"a": [1]}, {"a": 1}, "a list of 1 and a single int"),
    ],
)
def test_map_names_the_difference_in_structure(one, other, message):
    with pytest.raises(ValueError, match=message):
        nested.map(lambda *leaves: None, one, other)


def test_unstack_inverts_stack():
    trees = [{"n": i, "x": (np.arange(3.0) * i, [i > 1])} for i in range(4)]
    parts = nested.unstack(nested.stack(trees), 4)
    for tree, part in zip(trees, parts, strict=True):
        assert_same_tree(tree, part)
        assert type(part["n"]) is int and type(part["x"][1][0]) is bool


# ---- small networks in NumPy


@pytest.mark.parametrize("activation", [nn.Tanh, nn.ReLU])
def test_mlp_is_the_network(activation):
    torch.manual_seed(0)
    network = nn.Sequential(activation(), nn.Linear(5, 16), activation(), nn.Linear(16, 3, bias=False))
    rows = np.random.default_rng(0).normal(size=(9, 5)).astype(np.float32)
    before = rows.copy()
    for _ in range(2):
        expected = network(torch.from_numpy(rows)).detach().numpy()
        np.testing.assert_allclose(numpy_policy.mlp(network, rows), expected, rtol=1e-5, atol=1e-6)
        assert np.array_equal(rows, before)
        with torch.no_grad():  # what the learner changes is used in the next call
            for parameter in network.parameters():
                parameter.mul_(2)


def test_mlp_names_a_layer_that_it_does_not_know():
    with pytest.raises(TypeError, match="not GELU"):
        numpy_policy.mlp(nn.Sequential(nn.GELU()), np.ones((1, 1), np.float32))


def test_sample_follows_the_softmax_of_each_row():
    # 2 rows tested at 0.1 % each; the seed is fixed
    logits = np.array([[0.0, 1.0, -1.0, 2.0], [500.0, -np.inf, 499.0, -np.inf]], np.float32)
    generator = torch.Generator().manual_seed(1)
    draws, log_probs = map(
        np.array, zip(*(numpy_policy.sample(logits, generator) for _ in range(20_000)), strict=True)
    )
    chances = np.exp(logits.astype(float) - logits.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    rows = np.arange(2)
    np.testing.assert_allclose(np.exp(log_probs), chances[rows, draws], rtol=1e-5)
    for column, expected in zip(draws.T, chances, strict=True):
        counts = np.bincount(column, minlength=4)
        assert not counts[expected == 0].any()
        assert chisquare(counts[expected > 0], 20_000 * expected[expected > 0]).pvalue > 1e-3
    again, _ = numpy_policy.sample(logits, torch.Generator().manual_seed(1))
    assert np.array_equal(again, draws[0]) and again.dtype.kind == "i"
