"""What the chapter and the assignment on parallel REINFORCE say, on problems small enough to be exact."""

import itertools
from contextlib import closing

import numpy as np
import pytest
import torch
from scipy.signal import lfilter
from scipy.special import softmax

from autograder.master import Master, grade_id
from policy_gradients.environments import make_env, make_envs
from policy_gradients.parallel import run_episodes
from policy_gradients.tabular import exact_policy_gradient, gridworld, sample_trajectories


@pytest.fixture(scope="module")
def solution():
    """The master's names: the class and the functions as solved there."""
    sources = {grade_id(cell): cell.source for cell in Master.read("parallel_reinforce").notebook.cells}
    names = {"np": np, "torch": torch}
    for name in ("Padding", "masked_reward_to_go", "padded_policy_gradient_loss"):
        exec(sources[name], names)
    return names


def cut_estimate(p, n):
    """Quick (1, ends at once) or patient (3 in a second step), all n cut at the first end: by enumeration."""
    total = 0.0
    for patient in itertools.product([0, 1], repeat=n):
        chance = np.prod([p if one else 1 - p for one in patient])
        seen = [3.0 * all(patient) if one else 1.0 for one in patient]
        total += chance * np.mean([g * (one - p) for g, one in zip(seen, patient, strict=True)])
    return total


@pytest.mark.parametrize("n", [1, 2, 5, 8])
@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_estimate_that_is_cut_at_the_first_end(p, n):
    assert cut_estimate(p, n) == pytest.approx(p * (1 - p) * (3 * p ** (n - 1) - 1), abs=1e-12)


@pytest.mark.parametrize("n", [2, 5, 8])
def test_below_the_threshold_it_points_the_wrong_way(n):
    threshold = 3 ** (-1 / (n - 1))
    assert cut_estimate(threshold - 0.01, n) < 0 < cut_estimate(threshold + 0.01, n)


def estimate(theta, sample, mask):
    """(S, A): mean over episodes of the sum over live steps of reward-to-go times score."""
    to_go = (sample.rewards * mask)[::-1].cumsum(axis=0)[::-1] * mask
    summed = np.zeros_like(theta)
    np.add.at(summed, (sample.states[:-1], sample.actions), to_go)
    summed -= summed.sum(axis=1, keepdims=True) * softmax(theta, axis=1)
    return summed / mask.shape[1]


def test_on_the_gridworld_whole_episodes_point_along_the_gradient_and_cut_ones_against_it():
    """16,000 episodes: the cosines are far from the bounds, which no seed is likely to cross."""
    mdp, theta = gridworld(), np.zeros((16, 4))
    sample = sample_trajectories(mdp, softmax(theta, axis=1), 16_000, np.random.default_rng(0), 300)
    true = exact_policy_gradient(mdp, theta)
    shortest = sample.mask.sum(axis=0).reshape(-1, 8).min(axis=1)
    cut = sample.mask * (np.arange(300)[:, None] < np.repeat(shortest, 8))
    for mask, low, high in [(sample.mask, 0.98, 1.0), (cut, -1.0, -0.5)]:
        found = estimate(theta, sample, mask)
        cosine = (found * true).sum() / np.linalg.norm(found) / np.linalg.norm(true)
        assert low < cosine <= high


@pytest.fixture(scope="module")
def batch():
    """Eight episodes of CartPole under a small network, and the network."""
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2))

    def act(observations):
        with torch.no_grad():
            logits = network(torch.as_tensor(observations))
        return torch.distributions.Categorical(logits=logits).sample().numpy()

    return run_episodes(make_envs("cartpole", 8), act, seeds=0, max_steps=40), network


def test_the_mask_from_the_flags_is_that_of_the_episodes(solution, batch):
    episodes, _ = batch
    padding = solution["Padding"](8)
    steps = [padding(*flags) for flags in zip(episodes.terminated, episodes.truncated, strict=True)]
    assert len(set(episodes.lengths)) > 2
    np.testing.assert_array_equal(torch.stack([mask for mask, _ in steps]), episodes.mask)
    assert [all_done for _, all_done in steps] == [False] * (len(steps) - 1) + [True]


def test_a_padded_batch_gives_the_mean_of_the_single_gradients(solution, batch):
    episodes, network = batch
    mask, rewards = torch.as_tensor(episodes.mask), torch.as_tensor(episodes.rewards)
    loud = torch.where(mask.bool(), rewards, torch.tensor(77.0))
    returns = solution["masked_reward_to_go"](loud, mask, 0.9)

    def gradient(loss):
        return torch.cat([part.flatten() for part in torch.autograd.grad(loss, list(network.parameters()))])

    def log_probs(observations, actions):
        policy = torch.distributions.Categorical(logits=network(torch.as_tensor(observations)))
        return policy.log_prob(torch.as_tensor(actions))

    together = log_probs(episodes.observations, episodes.actions)
    padded = gradient(solution["padded_policy_gradient_loss"](together, returns, mask))
    single = []
    for i, length in enumerate(episodes.lengths):
        own = lfilter([1.0], [1.0, -0.9], episodes.rewards[:length, i][::-1])[::-1]
        np.testing.assert_allclose(returns[:length, i], own, rtol=1e-5)
        alone = log_probs(episodes.observations[:length, i], episodes.actions[:length, i])
        single.append(gradient(-(torch.tensor(own.copy(), dtype=torch.float32) * alone).sum()))
    torch.testing.assert_close(padded, torch.stack(single).mean(dim=0), rtol=1e-4, atol=1e-5)


def test_choosing_after_the_logarithm_keeps_the_loss_and_not_the_gradient():
    """The chapter's case for cleaning inputs as well: what comes before the loss is not in its hands."""
    live = torch.tensor([True, False])
    gradients = []
    for loss in (
        lambda p: torch.where(live, p.log(), 0.0).sum(),
        lambda p: torch.where(live, p, 1.0).log().sum(),
    ):
        probs = torch.tensor([0.5, 0.0], requires_grad=True)
        value = loss(probs)
        assert value.item() == pytest.approx(np.log(0.5))
        gradients.append(torch.autograd.grad(value, probs)[0])
    assert gradients[0].isnan().tolist() == [False, True]
    assert gradients[1].tolist() == [2.0, 0.0]


class Drawn(torch.nn.Module):
    """A small policy for CartPole in the form that `train` asks for, with a kernel that is interrupted."""

    def __init__(self, calls=None):
        super().__init__()
        self.layer, self.calls = torch.nn.Linear(4, 2), calls

    def distributions(self, observations, steps):
        return torch.distributions.Categorical(logits=self.layer(torch.as_tensor(observations).float()))

    def start(self):
        return self.act

    def act(self, observations):
        if self.calls == 0:
            raise KeyboardInterrupt
        self.calls = None if self.calls is None else self.calls - 1
        return self.distributions(observations, None).sample().numpy()

    def log_probs(self, observations, actions):
        return self.distributions(observations, None).log_prob(torch.as_tensor(actions))

    def known(self, actions, rewards):
        return torch.stack([actions, rewards], dim=-1).cumsum(dim=0)


@pytest.fixture
def training(solution, monkeypatch):
    """The names of the training section, of which nothing has been trained."""
    monkeypatch.setenv("POLICY_GRADIENTS_QUICK", "1")
    names = dict(solution)
    needed = ("import itertools", "QUICK =", "RESUME =", "padding =", "def one_step", "class Baseline")
    needed += ("def weights_of", "def learn", "def train", "class Driver", "class Buttons", "class Pedals")
    for cell in Master.read("parallel_reinforce").notebook.cells:
        if "training" in cell.metadata.get("tags", []) and cell.source.startswith(needed):
            exec(cell.source, names)
    return names


@pytest.mark.parametrize("gamma", [1.0, 0.9])
def test_surprises_add_up_to_the_return_minus_the_baseline(training, gamma):
    rng = np.random.default_rng(0)
    mask = torch.as_tensor(np.arange(12)[:, None] < np.array([12, 7, 1])).double()
    rewards = torch.as_tensor(rng.normal(size=(12, 3))) * mask
    values = torch.as_tensor(rng.normal(size=(12, 3)))  # in the padding as well
    to_go = training["masked_reward_to_go"](rewards, mask, gamma)
    weights = training["weights_of"](rewards, None, mask, gamma, 1.0, lambda *_: values)
    torch.testing.assert_close(weights, ((to_go - values) * mask / 10).float())

    # lambda = 0 leaves the surprise of the step itself; the last one has no value behind it
    weights = training["weights_of"](rewards, None, mask, gamma, 0.0, lambda *_: values)
    assert weights[6, 1] == pytest.approx(float(rewards[6, 1] - values[6, 1]) / 10)
    assert weights[5, 1] == pytest.approx(float(rewards[5, 1] + gamma * values[6, 1] - values[5, 1]) / 10)


def driven(preset, actions):
    """Rewards and speeds (T,), before each of the actions, of an episode without a crash."""
    rewards, speeds = [], []
    with closing(make_env(preset)) as env:
        env.reset(seed=7)
        for action in actions:
            speeds.append(env.unwrapped.vehicle.speed)
            rewards.append(env.step(action)[1])
        assert not env.unwrapped.vehicle.crashed
    return torch.tensor(rewards), np.array(speeds)


def test_the_throttle_so_far_tells_the_speed(training):
    throttle = np.random.default_rng(0).uniform(-2, 1, size=(40, 2)).astype(np.float32) * np.float32([1, 0])
    rewards, speeds = driven("highway-continuous", throttle)
    known = training["Pedals"]().known(torch.as_tensor(throttle)[:, None], rewards[:, None])
    np.testing.assert_allclose(20 + 10 * known[:, 0, 1], speeds, atol=1e-4)
    assert known[1:, 0, 0].tolist() == pytest.approx(rewards[:-1].tolist())


def test_the_buttons_so_far_tell_the_speed(training):
    buttons = np.random.default_rng(5).choice([1, 3, 4], p=[0.5, 0.2, 0.3], size=40)
    rewards, speeds = driven("highway", buttons)
    known = training["Buttons"]().known(torch.as_tensor(buttons)[:, None], rewards[:, None])
    np.testing.assert_allclose(20 + 10 * known[:, 0, 1], np.clip(speeds, 20, 30), atol=1e-4)
    assert np.ptp(speeds) > 5


def test_the_training_loop_goes_on_where_it_was_interrupted(training, tmp_path):
    training |= {"CHECKPOINTS": str(tmp_path), "MAX_STEPS": 1_500}
    train, envs = training["train"], make_envs("cartpole", 5)

    def run(policy_seed, **options):
        torch.manual_seed(policy_seed)
        policy = Drawn(**options)
        curve = train(envs, policy, "drawn", 3, learning_rate=0.05, gamma=1.0, lam=0.9)
        return curve, [p.detach().clone() for p in policy.parameters()]

    whole, learned = run(1)
    part, _ = run(1, calls=100)
    assert 2 <= len(part) < len(whole)
    training["RESUME"] = True
    again, learned_again = run(2)  # another start: everything comes from the file
    np.testing.assert_array_equal(again, whole)
    assert all(torch.equal(one, other) for one, other in zip(learned, learned_again, strict=True))
    training["RESUME"] = False
    anew, _ = run(1)
    np.testing.assert_array_equal(anew, whole)  # and not at its end, where the file is
