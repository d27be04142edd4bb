"""Small Markov decision processes held as arrays: solved exactly, and sampled.

Index conventions, throughout: states s in 0..S-1, actions a in 0..A-1, time t in 0..T-1,
trajectories i in 0..N-1. Every array of floats is float64.
"""

import dataclasses
from typing import NamedTuple

import numpy as np
from scipy.special import softmax

__all__ = [
    "TabularMDP",
    "Trajectories",
    "exact_policy_gradient",
    "expected_return",
    "greedy_policy",
    "gridworld",
    "policy_evaluation",
    "sample_trajectories",
    "value_iteration",
    "visitation",
]

_TOLERANCE = 1e-12
_MAX_SWEEPS = 100_000


@dataclasses.dataclass(frozen=True)
class TabularMDP:
    """A finite Markov decision process.

    transitions : (S, A, S), p(s' | s, a)
    rewards : (S, A, S), r(s, a, s'), or (S, A) where the next state does not matter
    start : (S,), p_0(s)
    terminal : (S,) bool; a terminal state is absorbing and yields reward zero
    discount : gamma in [0, 1]

    Raises ValueError, naming the array at fault, when these do not describe an MDP.
    """

    transitions: np.ndarray
    rewards: np.ndarray
    start: np.ndarray
    terminal: np.ndarray
    discount: float

    def __post_init__(self) -> None:
        n_states, n_actions = self.transitions.shape[:2]
        _require(self.transitions.shape == (n_states, n_actions, n_states), "transitions must be (S, A, S)")
        _require(
            self.rewards.shape in {(n_states, n_actions), self.transitions.shape},
            "rewards must be (S, A, S) or (S, A)",
        )
        _require(self.start.shape == self.terminal.shape == (n_states,), "start and terminal must be (S,)")
        _require(self.terminal.dtype == bool, "terminal must be an array of bool")
        _require(_are_distributions(self.transitions), "transitions[s, a] must be probabilities with sum 1")
        _require(_are_distributions(self.start), "start must be probabilities that sum to 1")
        _require(not self.start[self.terminal].any(), "start must give terminal states probability 0")
        absorbed = self.transitions[self.terminal, :, self.terminal]
        _require(bool((absorbed == 1).all()), "a terminal state must lead to itself")
        _require(not self.rewards[self.terminal].any(), "a terminal state must yield reward 0")
        _require(0 <= self.discount <= 1, "discount must lie in [0, 1]")

    @property
    def expected_rewards(self) -> np.ndarray:
        """(S, A): the sum over s' of p(s' | s, a) r(s, a, s')."""
        if self.rewards.ndim == 2:
            return self.rewards
        return np.einsum("sap,sap->sa", self.transitions, self.rewards)


class Trajectories(NamedTuple):
    """N trajectories, padded to the same length T (the horizon).

    states : (T + 1, N) int; row t + 1 is the state that step t led to, and padding repeats the last state
    actions : (T, N) int, 0 where padded
    rewards : (T, N) float, 0 where padded
    mask : (T, N) float, 1 for a step that was taken (the one that ends the episode included), else 0
    terminated : (N,) bool, the trajectory ended in a terminal state
    truncated : (N,) bool, the horizon cut it off before that; exactly one of the two is true
    """

    states: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    mask: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray


def gridworld(discount: float = 1.0) -> TabularMDP:
    """The course's 4x4 gridworld: start (1, 1), goal (4, 4), pit (2, 3).

    State (x, y), with x the row and y the column, both in 1..4, has index 4 (x - 1) + (y - 1).
    Actions, in order: up, down, left, right. Entering the goal yields +1, entering the pit -1,
    entering any other state -0.1; the goal and the pit are terminal.
    """
    stay = np.eye(4)
    back, forth = np.eye(4, k=-1), np.eye(4, k=1)  # moves along a line of four cells
    back[0, 0] = forth[3, 3] = 1.0  # a wall at each end
    moves = [np.kron(back, stay), np.kron(forth, stay), np.kron(stay, back), np.kron(stay, forth)]
    transitions = np.stack(moves, axis=1)

    goal, pit = 15, 6
    terminal = np.isin(np.arange(16), [goal, pit])
    transitions[terminal] = np.eye(16)[terminal, None]
    rewards = np.full((16, 4, 16), -0.1)
    rewards[:, :, goal], rewards[:, :, pit] = 1.0, -1.0
    rewards[terminal] = 0.0
    return TabularMDP(transitions, rewards, np.eye(16)[0], terminal, discount)


def value_iteration(mdp: TabularMDP) -> tuple[np.ndarray, np.ndarray]:
    """The optimal values (V of shape (S,), Q of shape (S, A)) by repeated Bellman optimality updates.

    Q(s, a) = sum over s' of p(s' | s, a) [r(s, a, s') + gamma V(s')], V(s) = max over a of Q(s, a),
    until no value moves by more than 1e-12 (Sutton & Barto, 2018, section 4.4).
    Raises ValueError when that does not happen, which takes gamma = 1 and an endless reward.
    """
    values = np.zeros(len(mdp.start))
    for _ in range(_MAX_SWEEPS):
        action_values = _backup(mdp, values)
        new_values = action_values.max(axis=1)
        if np.abs(new_values - values).max() <= _TOLERANCE:
            return new_values, action_values
        values = new_values
    raise ValueError("the values do not converge: give the problem a discount below 1")


def greedy_policy(action_values: np.ndarray) -> np.ndarray:
    """(S, A) probabilities: each state's best actions, equally likely where several tie."""
    best = np.isclose(action_values, action_values.max(axis=1, keepdims=True), rtol=0, atol=1e-9)
    return best / best.sum(axis=1, keepdims=True)


def policy_evaluation(mdp: TabularMDP, policy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """V^pi of shape (S,) and Q^pi of shape (S, A) for policy probabilities of shape (S, A), exactly.

    V solves the linear system (I - gamma P_pi) V = r_pi over the states that are not terminal
    (Sutton & Barto, 2018, section 4.1); terminal states have value 0.
    Raises ValueError when gamma = 1 and the policy may never reach a terminal state.
    """
    matrix, live = _live_system(mdp, policy)
    values = np.zeros(len(mdp.start))
    values[live] = np.linalg.solve(matrix, (policy * mdp.expected_rewards).sum(axis=1)[live])
    return values, _backup(mdp, values)


def expected_return(mdp: TabularMDP, policy: np.ndarray) -> float:
    """J: the sum over s of p_0(s) V^pi(s), for policy probabilities of shape (S, A)."""
    return float(mdp.start @ policy_evaluation(mdp, policy)[0])


def visitation(mdp: TabularMDP, policy: np.ndarray) -> np.ndarray:
    """(S,): the sum over t of gamma^t Pr(s_t = s) under the policy, 0 for terminal states.

    It solves d = p_0 + gamma P_pi^T d over the other states, and sums to the expected
    discounted number of steps. Raises as `policy_evaluation` does.
    """
    matrix, live = _live_system(mdp, policy)
    visits = np.zeros(len(mdp.start))
    visits[live] = np.linalg.solve(matrix.T, mdp.start[live])
    return visits


def exact_policy_gradient(mdp: TabularMDP, theta: np.ndarray) -> np.ndarray:
    """The gradient of J with respect to `theta`, the (S, A) logits of a softmax policy.

    By the policy gradient theorem (Sutton et al., 2000, theorem 1), which for softmax logits reads
    dJ / dtheta[s, a] = d(s) pi(a | s) (Q(s, a) - V(s)), with d the discounted `visitation`.
    """
    policy = softmax(theta, axis=1)
    values, action_values = policy_evaluation(mdp, policy)
    return visitation(mdp, policy)[:, None] * policy * (action_values - values[:, None])


def sample_trajectories(
    mdp: TabularMDP, policy: np.ndarray, n: int, rng: np.random.Generator, horizon: int
) -> Trajectories:
    """`n` independent trajectories of at most `horizon` steps, for policy probabilities of shape (S, A)."""
    policy = _checked_policy(mdp, policy)
    rewards_table = np.broadcast_to(np.atleast_3d(mdp.rewards), mdp.transitions.shape)
    states = np.empty((horizon + 1, n), dtype=int)
    actions = np.zeros((horizon, n), dtype=int)
    rewards, mask = np.zeros((horizon, n)), np.zeros((horizon, n))
    states[0] = _draw(np.broadcast_to(mdp.start, (n, len(mdp.start))), rng)
    for t in range(horizon):
        states[t + 1] = states[t]
        live = np.flatnonzero(~mdp.terminal[states[t]])
        s = states[t, live]
        a = _draw(policy[s], rng)
        arrived = _draw(mdp.transitions[s, a], rng)
        states[t + 1, live], actions[t, live] = arrived, a
        rewards[t, live], mask[t, live] = rewards_table[s, a, arrived], 1.0
    terminated = mdp.terminal[states[-1]]
    return Trajectories(states, actions, rewards, mask, terminated, ~terminated)


def _backup(mdp: TabularMDP, values: np.ndarray) -> np.ndarray:
    return mdp.expected_rewards + mdp.discount * mdp.transitions @ values


def _live_system(mdp: TabularMDP, policy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """I - gamma P_pi over the states that are not terminal, and those states' indices."""
    live = np.flatnonzero(~mdp.terminal)
    moves = np.einsum("sa,sap->sp", _checked_policy(mdp, policy), mdp.transitions)[np.ix_(live, live)]
    matrix = np.eye(len(live)) - mdp.discount * moves
    if np.linalg.cond(matrix) > 1e12:
        raise ValueError("this policy may never end its episode: values then need a discount below 1")
    return matrix, live


def _draw(probabilities: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One index per row of `probabilities`, by inverting the cumulative distribution."""
    below = probabilities.cumsum(axis=1) <= rng.random((len(probabilities), 1))
    return np.minimum(below.sum(axis=1), probabilities.shape[1] - 1)


def _checked_policy(mdp: TabularMDP, policy: np.ndarray) -> np.ndarray:
    shape = mdp.transitions.shape[:2]
    _require(policy.shape == shape, f"the policy must hold probabilities of shape (S, A) = {shape}")
    _require(_are_distributions(policy), "the policy must give probabilities that sum to 1 in every state")
    return policy


def _are_distributions(array: np.ndarray) -> bool:
    return bool((array >= 0).all() and np.allclose(array.sum(axis=-1), 1, rtol=0, atol=1e-9))


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)
