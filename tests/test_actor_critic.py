"""Actor-critic: the theorem by enumeration, the solutions' properties, the fragments they learn from."""

import functools
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.special import softmax

from autograder.master import Master, grade_id, is_training
from policy_gradients.tabular import policy_evaluation, visitation
from tests.test_chapter_claims import random_mdp, trajectories

N_STEPS, N_ENVS = 16, 16


@functools.cache
def solved():
    """The names of the solved notebook, with those that the training section defines before it trains."""
    names = {"__name__": "solved"}
    master = Master.read("actor_critic")
    answers = {"imports", *(question.name for question in master.questions)}
    for cell in master.notebook.cells:
        if cell.cell_type == "code" and is_training(cell) and "runs = [train(" in cell.source:
            break
        if cell.cell_type == "code" and (is_training(cell) or grade_id(cell) in answers):
            exec(cell.source, names)
    return names


def lambda_advantages(rewards, values, next_values, gamma, lam):
    """By their definition: a mean of the k-step advantages with weights (1 - lam) lam^(k - 1)."""
    n, result = len(rewards), np.zeros(len(rewards))
    for t in range(n):
        by_horizon = [
            (gamma ** np.arange(k) * rewards[t : t + k]).sum() + gamma**k * next_values[t + k - 1] - values[t]
            for k in range(1, n - t + 1)
        ]
        weights = (1 - lam) * lam ** np.arange(n - t)
        weights[-1] = lam ** (n - t - 1)  # looking further than to the end changes nothing
        result[t] = weights @ by_horizon
    return result


@pytest.mark.parametrize(("gamma", "lam"), [(1.0, 0.0), (1.0, 0.7), (0.8, 0.5), (0.8, 1.0)])
def test_bias_of_generalised_advantages_is_the_one_that_is_proved(gamma, lam):
    mdp, rng = random_mdp(3, gamma), np.random.default_rng(30)
    policy = softmax(rng.normal(size=(7, 2)), axis=1)
    values, action_values = policy_evaluation(mdp, policy)
    errors = np.where(mdp.terminal, 0, rng.normal(size=7))
    critic, found = values + errors, np.zeros((7, 2))
    for probability, steps in trajectories(mdp, policy):
        states, actions, rewards = map(np.array, zip(*steps, strict=True))
        after = np.append(critic[states[1:]], 0.0)
        weights = lambda_advantages(rewards, critic[states], after, gamma, lam)
        np.add.at(found, states, probability * weights[:, None] * (np.eye(2)[actions] - policy[states]))
    moves = np.einsum("sa,sap->sp", policy, mdp.transitions)
    later = np.linalg.solve(np.eye(7) - gamma * lam * moves * ~mdp.terminal, errors)
    weight = action_values - values[:, None] + gamma * (1 - lam) * mdp.transitions @ later
    weight -= (policy * weight).sum(axis=1, keepdims=True)
    visits = visitation(replace(mdp, discount=1.0), policy)
    assert np.allclose(found, visits[:, None] * policy * weight, atol=1e-12)


def fragment_of_random_episodes(seed):
    """The arguments of `gae`, where next values are those of the following row within episodes."""
    generator = torch.Generator().manual_seed(seed)
    rewards, values, finals = torch.randn(3, 30, 4, generator=generator)
    terminated, truncated = torch.rand(2, 30, 4, generator=generator) < 0.1
    within = ~(terminated | truncated)
    next_values = torch.where(within, values.roll(-1, 0), finals)
    next_values[-1] = finals[-1]
    return rewards, values, next_values, terminated, truncated


def test_with_lambda_one_advantages_are_bootstrapped_returns_minus_values():
    rewards, values, next_values, *ends = fragment_of_random_episodes(0)
    advantages = solved()["gae"](rewards, values, next_values, *ends, 0.9, 1.0)
    returns = solved()["bootstrapped_returns"](rewards, next_values, *ends, 0.9)
    assert torch.allclose(advantages, returns - values, atol=1e-5)


def test_between_ends_the_solution_is_the_mean_of_k_step_advantages():
    rewards, values, next_values, terminated, truncated = fragment_of_random_episodes(1)
    advantages = solved()["gae"](rewards, values, next_values, terminated, truncated, 0.9, 0.6)
    for i in range(4):
        cuts = np.flatnonzero((terminated | truncated)[:, i]) + 1
        for rows in np.split(np.arange(30), cuts):
            if len(rows) == 0:
                continue
            following = (next_values * ~terminated)[rows, i].numpy()
            columns = rewards[rows, i].numpy(), values[rows, i].numpy(), following
            assert np.allclose(advantages[rows, i], lambda_advantages(*columns, 0.9, 0.6), atol=1e-5)


def test_entropy_ignores_forbidden_actions_in_value_and_gradient():
    allowed = torch.tensor([[0.3, -1.0], [2.0, 2.0]], requires_grad=True)
    forbidden = torch.full((2, 1), -float("inf"))
    logits = torch.cat([allowed.detach(), forbidden], dim=1).requires_grad_()
    with_forbidden, without = map(solved()["policy_entropy"], (logits, allowed))
    assert torch.allclose(with_forbidden, without)
    (gradient,) = torch.autograd.grad(with_forbidden.sum(), logits)
    (expected,) = torch.autograd.grad(without.sum(), allowed)
    assert torch.allclose(gradient, torch.cat([expected, torch.zeros(2, 1)], dim=1))


def collected(agent_class, seen, n_fragments=20):
    """Fragments of an untrained agent, one after another, with the agent."""
    names = solved()
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    agent, carts = names[agent_class](len(seen)), names["CartPoles"](N_ENVS, 0, seen)
    memory, fragments = torch.zeros(N_ENVS, agent.memory_size), []
    for _ in range(n_fragments):
        fragment, memory = names["collect"](agent, carts, memory, generator)
        fragments.append(fragment)
    return agent, fragments


def test_rows_after_an_end_belong_to_the_next_episode():
    _, fragments = collected("Memoryless", [0, 1, 2, 3])
    seen, led_to, terminated, truncated = (
        torch.cat([getattr(fragment, name) for fragment in fragments])
        for name in ("observations", "next_observations", "terminated", "truncated")
    )
    scale = torch.tensor(solved()["SCALE"])
    assert terminated.sum() > 100 and not truncated.any()
    after, ended = seen[1:], terminated[:-1]
    assert torch.equal(after[~ended], led_to[:-1][~ended])
    assert ((after[ended] / scale).abs() <= 0.0501).all()  # a start state of CartPole
    final = led_to[terminated] / scale
    assert ((final[:, 2].abs() > 0.2094) | (final[:, 0].abs() > 2.4)).all()  # what ends an episode
    assert torch.cat([fragment.rewards for fragment in fragments]).eq(1).all()  # no row that never happened


@pytest.mark.parametrize(("agent_class", "seen"), [("Memoryless", [0, 1, 2, 3]), ("Recurrent", [0, 2])])
def test_unrolling_a_fragment_gives_the_policy_that_collected_it(agent_class, seen):
    """The memory is that of the fragment's start, and is wiped at ends, as when it was collected."""
    agent, fragments = collected(agent_class, seen)
    for fragment in fragments:
        logits, values = agent.unroll(fragment)
        log_pi = solved()["log_prob"](logits, fragment.actions)
        assert torch.allclose(log_pi, fragment.log_mu, atol=1e-5)
        _, next_values, _ = agent(fragment.next_observations, fragment.next_memory)
        within = ~(fragment.terminated | fragment.truncated)[:-1]
        assert torch.allclose(next_values[:-1][within], values[1:][within], atol=1e-5)


def test_a_balanced_pole_is_truncated_after_500_steps_and_keeps_its_last_observation():
    carts = solved()["CartPoles"](8, 0, [0, 1, 2, 3])
    lean = torch.tensor([0.1, 0.3, 1.0 / solved()["SCALE"][2], 0.3])
    for step in range(500):
        actions = (carts.observations @ lean > 0).long()
        rewards, terminated, truncated, led_to = carts.step(actions)
        assert not terminated.any() and bool(truncated.all()) == (step == 499)
    assert carts.finished == [500.0] * 8
    assert not torch.allclose(led_to, carts.observations)


def test_the_loss_reaches_every_parameter_and_is_finite():
    agent, fragments = collected("Recurrent", [0, 2], n_fragments=2)
    solved()["loss_of"](agent, fragments[1]).backward()
    assert all(torch.isfinite(p.grad).all() and p.grad.abs().sum() > 0 for p in agent.parameters())
