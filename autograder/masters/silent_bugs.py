# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Silent bugs
#
# Six training scripts run without an error and without a warning. None of them solves its task, and each has
# exactly one bug, in one function of a few lines. Find it, write the function as it should be, and watch the script
# learn.
#
# [Open in Colab]({{colab}})
#
# **This is a bonus assignment**: nothing later builds on it, and your course decides what its points are for.
#
# **After this assignment you can**
#
# - read return, entropy, gradient norm and step length of a policy, and say which kind of mistake fits them
# - test one function of a training program by itself, on an input whose answer you know
# - repair six mistakes that raise no exception, and show over several seeds that the repair matters
#
# **Before you start**: the chapter
# [When it does not learn]({{repository}}/blob/main/chapters/when_it_does_not_learn.md); PyTorch tensors and
# `backward()`. Scripts 2 and 5 use ideas of the chapters on actor-critic and GRPO.
#
# **Time**: 1 to 2 hours. Each script trains in a few seconds.
#
# **How it works**: each exercise shows a script that is wrong, its suspicious function and its curves. The docstring
# below says exactly what this function should do. Write it anew where it says `NotImplementedError`; you may copy
# the broken one and change it. Then run the cell below, which lists properties of a right answer, and says
# which of them yours has. The grader checks these and some more, on other inputs. Every property earns its share of
# the points.

# %% [markdown]
# ## Setup
#
# In Colab the next cell installs what is missing; elsewhere it does nothing. Tested with the package versions of
# Colab's runtime of {{colab_runtime}}.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
{{setup()}}

# %% nbgrader={"grade": false, "grade_id": "imports", "locked": true, "schema_version": 3, "solution": false, "task": false}
import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn
from torch.distributions import Categorical

from policy_gradients.checks import Checks, close, numbers
from policy_gradients.plotting import use_course_style

use_course_style()

# %% [markdown]
# ## The task, and one training loop for all
#
# A building has eight rooms in a row. In every room there are three buttons: one opens the door to the next room, one
# that to the room before (in the first room, to the same), one does nothing. Which button does what differs from
# room to room. An episode starts in the first room and has **terminated** when the agent is out; after 50 steps it is **truncated**.
# Every step costs 1, so that the best possible return is $-8$, and we call the task solved at $-10$. A policy that presses buttons at random
# is rarely out in time.
#
# The problem is small on purpose: the expected return of any policy can be computed exactly, so the curves below
# show no luck in playing, only what was learned.

# %% tags=["training"]
import os
from typing import NamedTuple

from IPython.display import Markdown, display

from policy_gradients.curves import plot_learning_curves
from policy_gradients.tabular import TabularMDP, sample_trajectories

# %% tags=["training"]
QUICK = "POLICY_GRADIENTS_QUICK" in os.environ  # a look at the code, not at results
SEEDS = range(2 if QUICK else 5)  # settings were chosen on the seeds 100 to 111
UPDATES = 15 if QUICK else 60
ROOMS, BUTTONS, HORIZON, N_EPISODES = 8, 3, 50, 16
SOLVED = -10
FORWARD = [2, 0, 1, 1, 2, 0, 1, 2]  # the button that leads on, room by room
torch.set_num_threads(1)  # everything is small

# %% tags=["training"]
def make_building():
    """The rooms in a row as states 0 to 7, and outside as the terminal state 8."""
    transitions = np.zeros((ROOMS + 1, BUTTONS, ROOMS + 1))
    for room, button in enumerate(FORWARD):
        transitions[room, button, room + 1] = 1
        transitions[room, (button + 1) % BUTTONS, max(room - 1, 0)] = 1
        transitions[room, (button + 2) % BUTTONS, room] = 1
    transitions[ROOMS, :, ROOMS] = 1
    costs = np.where(np.arange(ROOMS + 1) < ROOMS, -1.0, 0.0)
    rewards = np.repeat(costs[:, None], BUTTONS, axis=1)
    outside = np.arange(ROOMS + 1) == ROOMS
    return TabularMDP(transitions, rewards, np.eye(ROOMS + 1)[0], outside, 1.0)


building = make_building()

# %% tags=["training"]
def expected_return(policy):
    """Exact, for episodes of up to HORIZON steps; policy: probabilities (9, 3)."""
    values = np.zeros(ROOMS + 1)
    for _ in range(HORIZON):
        outcomes = building.rewards + building.transitions @ values
        values = (policy * outcomes).sum(axis=1)
    return values[0]


RANDOM = expected_return(np.full((ROOMS + 1, BUTTONS), 1 / BUTTONS))
print(f"random policy: {RANDOM:.1f}")

# %% [markdown]
# A batch holds 16 episodes side by side, padded with zeros to 50 steps. The reward-to-go is undiscounted.

# %% tags=["training"]
class Batch(NamedTuple):
    """Tensors of shape (T, N), a column for each episode; zero or False where padded."""
    states: torch.Tensor
    actions: torch.Tensor
    rewards: torch.Tensor
    returns: torch.Tensor  # rewards-to-go
    terminated: torch.Tensor  # at the step that left the building
    truncated: torch.Tensor  # at step 50, if the agent was still inside
    mask: torch.Tensor  # 1 for steps that were taken
    old_log_probs: torch.Tensor  # of the actions, under the policy that played

# %% tags=["training"]
def play(policy, rng):
    """A Batch of episodes of the policy, probabilities (9, 3)."""
    sample = sample_trajectories(building, policy, N_EPISODES, rng, HORIZON)
    states = sample.states[:-1] * sample.mask.astype(int)
    ends = np.arange(1, HORIZON + 1)[:, None] == sample.mask.sum(axis=0)
    returns = sample.rewards[::-1].cumsum(axis=0)[::-1].copy()
    floats = sample.rewards, returns
    flags = ends & sample.terminated, ends & sample.truncated
    old = np.log(np.maximum(policy[states, sample.actions], 1e-30))
    columns = [states, sample.actions, *floats, *flags, sample.mask, old]
    tensors = [torch.from_numpy(column) for column in columns]
    return Batch(*[x.float() if x.is_floating_point() else x for x in tensors])

# %% [markdown]
# The agent's networks are tables: a row of the actor holds the outputs for one room, a row of the critic its value.
# (Only script 2 uses the critic.) A script has one function that is `suspect`; what it does with it stands in its
# method `loss`. As the weight of an action, `credit` measures the reward-to-go in units of the time limit, against a constant
# baseline of a quarter of it.

# %% tags=["training"]
class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.actor = nn.Embedding(ROOMS + 1, BUTTONS)
        self.critic = nn.Embedding(ROOMS + 1, 1)
        for table in (self.actor, self.critic):
            nn.init.zeros_(table.weight)

# %% tags=["training"]
class Script:
    """What all six scripts share. suspect: the function with the bug, or repaired."""
    rounds, updates, step_size = 1, UPDATES, 0.1

    def __init__(self, suspect):
        self.suspect = suspect

    def policy(self, agent):
        return Categorical(logits=agent.actor.weight).probs

    def log_probs(self, agent, states, actions):
        return Categorical(logits=agent.actor(states)).log_prob(actions)

    def credit(self, returns):
        return returns / HORIZON + 0.25

# %% tags=["training"]
def one_after_another(column, mask):
    """(B,): the steps of the first episode, then those of the second, and so on."""
    lengths = mask.sum(dim=0).int().tolist()
    return torch.cat([steps[:n] for steps, n in zip(column.T, lengths)])

# %% [markdown]
# The loop is the same for all scripts. Before each update it writes down what the chapter recommends: environment steps, return,
# entropy; and after it the norm of the actor's gradient, and how far the policy has moved, as the
# Kullback-Leibler divergence of the new policy from the old one.

# %% tags=["training"]
def probabilities(script, agent):
    with torch.no_grad():
        policy = script.policy(agent).double().numpy()
    return policy / policy.sum(axis=1, keepdims=True)  # to the last digit


def log_of(policy):
    return np.log(np.maximum(policy, 1e-30))

# %% tags=["training"]
def learn(script, seed):
    """Rows of steps, return, entropy, gradient norm and divergence, one per update."""
    rng, agent, rows, steps = np.random.default_rng(seed), Agent(), [], 0
    optimiser = torch.optim.Adam(agent.parameters(), lr=script.step_size)
    policy = probabilities(script, agent)
    for _ in range(script.updates):
        batch, before = play(policy, rng), policy
        for _ in range(script.rounds):
            optimiser.zero_grad()
            script.loss(agent, batch).backward()
            optimiser.step()
        policy = probabilities(script, agent)
        entropy = -(before * log_of(before))[:ROOMS].sum(axis=1).mean()
        moved = (before * (log_of(before) - log_of(policy)))[:ROOMS].sum(axis=1).mean()
        norm = float(agent.actor.weight.grad.norm())
        rows.append((steps, expected_return(before), entropy, norm, moved))
        steps += int(batch.mask.sum())
    return np.array(rows)

# %% tags=["training"]
def watch(script):
    """Train with each seed, print the mean of the numbers, and return all of them."""
    runs = [learn(script, seed) for seed in SEEDS]
    shown = [0, script.updates // 2, script.updates - 1]
    for name, column in {"return": 1, "entropy": 2, "gradient norm": 3, "moved": 4}.items():
        means = [np.mean([run[row, column] for run in runs]) for row in shown]
        print(f"{name:14s}", "".join(f"{mean:10.4f}" for mean in means))
    print("return at the end, by seed", [round(float(run[-1, 1]), 1) for run in runs])
    return runs

# %% tags=["training"]
def draw(axis, runs, label, **lines):
    plot_learning_curves(axis, [run[:, :2].T for run in runs], label, **lines)
    axis.set_ylim(-52, -5)
    axis.legend(fontsize=7)

# %% [markdown]
# The three columns that `watch` prints are the first update, the one in the middle, and the last one; each number is
# the mean over the seeds. "moved" is the divergence. The entropy of the random policy is $\log 3 = 1.099$.

# %% [markdown]
# ## Script 1: learns, and stops half way
#
# Nothing seems to be wrong with this curve, except where it ends. Look at the entropy as well. The suspicious function turns the
# network's outputs into the log-probabilities of a softmax policy. It is used twice: to play, and in the loss.

# %% tags=["training"]
def broken_log_policy(outputs):
    exponentials = torch.exp(outputs - outputs.max(dim=-1, keepdim=True).values)
    probabilities = exponentials / exponentials.sum(dim=-1, keepdim=True)
    return torch.log_softmax(probabilities, dim=-1)

# %% tags=["training"]
class Script1(Script):
    def policy(self, agent):
        return self.suspect(agent.actor.weight).exp()

    def loss(self, agent, batch):
        log_policy = self.suspect(agent.actor(batch.states))
        log_probs = log_policy.gather(-1, batch.actions[..., None])[..., 0]
        weights = batch.mask * self.credit(batch.returns)
        return -(weights * log_probs).sum() / N_EPISODES

# %% tags=["training"]
broken = {"log_policy": watch(Script1(broken_log_policy))}

# %% tags=["training"] mystnb={"image": {"alt": "Expected return against environment steps for five seeds of the broken script 1. All rise from minus 45 to about minus 21 within a third of the steps and stay there, well below the threshold of minus 10."}}
draw(plt.subplots()[1], broken["log_policy"], "script 1", threshold=SOLVED, baseline=RANDOM)

# %% [markdown]
# *Difficulty 1 of 5, importance 4 of 5, about 10 minutes.*
#
# <details><summary>Hint: a probe</summary>
#
# Call the broken function with outputs whose answer you know, such as the logarithms of 1, 2, 3, 4, and with very decided ones,
# such as $(0, 0, 100)$. What is the largest probability that it can give to an action?
#
# </details>
# <details><summary>Hint: where</summary>
#
# Follow one name through the function: does it hold logits, probabilities, or log-probabilities? What does the library
# function in the last line expect?
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "log_policy", "locked": false, "schema_version": 3, "solution": true, "task": false}
def log_policy(outputs):
    """Log-probabilities of all actions, where the outputs are logits of a softmax policy:
    outputs - log(sum over the last axis of exp(outputs)).

    outputs : (..., A) float tensor; as large as 1,000 or as small as -1,000

    Returns a tensor of the same shape, finite, differentiable in outputs.

    Example: outputs (log 1, log 2, log 3, log 4) -> (log 0.1, log 0.2, log 0.3, log 0.4)
    """
    ### BEGIN SOLUTION
    return outputs - torch.logsumexp(outputs, dim=-1, keepdim=True)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_log_policy", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np
import torch

check = Checks("log_policy", points=1)

with check(
    "the example of the docstring",
    hint="Probabilities are proportional to exp(output): 1, 2, 3, 4 over their sum, 10.",
):
    close(log_policy(torch.tensor([1.0, 2.0, 3.0, 4.0]).log()), np.log([0.1, 0.2, 0.3, 0.4]))
with check(
    "a decided policy is nearly certain",
    hint="With outputs (0, 0, 10) the last action has probability 0.9999.",
):
    close(numbers(log_policy(torch.tensor([[0.0, 0.0, 10.0]])))[0, 2], -9.08e-5, atol=1e-6)

### BEGIN HIDDEN TESTS
check.hide()
import numpy as np
import torch

rng = check.rng()


def wanted(x):
    top = x.max(axis=-1, keepdims=True)
    return x - top - np.log(np.exp(x - top).sum(axis=-1, keepdims=True))


def logits(*shape, dtype=np.float32):
    return rng.normal(scale=2.5, size=shape).astype(dtype)


with check("other outputs, one row", weight=2, hint="Is it the logarithm of exp(output) over the sum of all exp(outputs)?"):
    for size in [2, 3, 6]:
        row = logits(size)
        close(log_policy(torch.tensor(row)), wanted(row.astype(float)))
with check("many rows, each by itself", weight=2, hint="The sum is over the last axis, the actions."):
    for shape in [(5, 4), (4, 4), (3, 2, 5)]:
        rows = logits(*shape)
        close(log_policy(torch.tensor(rows)), wanted(rows.astype(float)))
with check("log-probabilities are left as they are", hint="What is already the logarithm of probabilities has a sum of exponentials of 1."):
    done = wanted(logits(4, 3).astype(float)).astype(np.float32)
    close(log_policy(torch.tensor(done)), done)
with check("a constant added to all outputs of a row changes nothing", hint="Softmax depends on differences of outputs only."):
    rows = logits(3, 3)
    moved_up = rows + np.float32([[-20], [5], [30]])
    close(log_policy(torch.tensor(moved_up)), wanted(rows.astype(float)), atol=1e-4)
with check("very large and very small outputs", hint="exp(1000) is infinite, and log(0) too: let the library take the logarithm of the softmax."):
    far = np.float32([[1000, 998, 0], [-1000, -1001, -1000], [0, 0, -1000]])
    close(log_policy(torch.tensor(far)), wanted(far.astype(float)), atol=1e-4)
with check("the gradient", weight=2, hint="One-hot minus probabilities for the log-probability of one action: is it differentiable in outputs?"):
    rows, picks = logits(4, 3), np.eye(3, dtype=np.float32)[[0, 2, 1, 1]]
    slope = check.evaluate(
        "(lambda x: torch.autograd.grad((log_policy(x) * p).sum(), x)[0])(x.requires_grad_())",
        x=torch.tensor(rows), p=torch.tensor(picks),
    )
    close(slope, picks - np.exp(wanted(rows.astype(float))))
with check("one action only", hint="Then its probability is 1."):
    close(log_policy(torch.tensor([[3.0], [-2.0]])), np.zeros((2, 1)))
with check("double precision", hint="Is a dtype fixed in the function?"):
    rows = logits(6, 3, dtype=np.float64)
    close(log_policy(torch.tensor(rows)), wanted(rows), rtol=1e-9, atol=1e-9)
with check("right, and outputs are not changed", hint="Work on new tensors."):
    rows = logits(2, 3)
    found, after = check.evaluate("[log_policy(x), x]", x=torch.tensor(rows))
    close(found, wanted(rows.astype(float)))
    close(after, rows)
### END HIDDEN TESTS
check.score()

# %% [markdown]
# ## Script 2: nothing at all
#
# An actor-critic: the critic learns the value of each room, and the actor's loss weights each log-probability
# with the return minus this value. The critic is a network with one output, so its values come as a column of shape $(B, 1)$.

# %% tags=["training"]
def broken_actor_loss(log_probs, values, returns):
    advantages = returns.unsqueeze(1) - values.detach()
    return -(log_probs * advantages).mean()

# %% tags=["training"]
class Script2(Script):
    def loss(self, agent, batch):
        columns = batch.states, batch.actions, self.credit(batch.returns)
        states, actions, returns = [one_after_another(x, batch.mask) for x in columns]
        values, log_probs = agent.critic(states), self.log_probs(agent, states, actions)
        critic_loss = (values[:, 0] - returns).square().mean()
        return self.suspect(log_probs, values, returns) + critic_loss

# %% tags=["training"]
broken["actor_loss"] = watch(Script2(broken_actor_loss))

# %% tags=["training"] mystnb={"image": {"alt": "Expected return against environment steps for five seeds of the broken script 2. None rises above the random policy's minus 45 for long; most sink towards minus 50."}}
draw(plt.subplots()[1], broken["actor_loss"], "script 2", threshold=SOLVED, baseline=RANDOM)

# %% [markdown]
# *Difficulty 2 of 5, importance 5 of 5, about 15 minutes.*
#
# <details><summary>Hint: a probe</summary>
#
# The loss of a batch of one step is right, that of a batch of two is not. Write down the shape of everything that
# is multiplied or subtracted.
#
# </details>
# <details><summary>Hint: where</summary>
#
# In the exercise on paper there is one product for each step. How many are there in the program?
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "actor_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def actor_loss(log_probs, values, returns):
    """The actor's loss, minimised: -(1 / B) * sum over b of log_probs_b * (returns_b - values_b).

    log_probs : (B,) float tensor, log pi(a | s) of the actions that were taken
    values : (B, 1) float tensor, the critic's outputs for the same steps; constants
    returns : (B,) float tensor; constants

    Returns a scalar tensor, differentiable in log_probs only.

    Example: log_probs (-1, -2, -1, -2), values ((1), (0), (0), (2)), returns (2, 1, 0, 0):
    the advantages are (1, 1, 0, -2), and the loss is -(-1 - 2 + 0 + 4) / 4 = -0.25
    """
    ### BEGIN SOLUTION
    advantages = (returns - values.squeeze(1)).detach()
    return -(log_probs * advantages).mean()
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_actor_loss", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import torch

check = Checks("actor_loss", points=2)
log_probs, returns = torch.tensor([-1.0, -2.0, -1.0, -2.0]), torch.tensor([2.0, 1.0, 0.0, 0.0])
values = torch.tensor([[1.0], [0.0], [0.0], [2.0]])

with check(
    "the example of the docstring",
    hint="The advantages are (1, 1, 0, -2). Is each of them multiplied with the log-probability of its own step?",
):
    close(actor_loss(log_probs, values, returns), -0.25)
with check(
    "its gradient",
    hint="The derivative by a step's log-probability is minus its own advantage over B.",
):
    slope = check.evaluate(
        "(lambda x: torch.autograd.grad(actor_loss(x, v, g), x)[0])(x.requires_grad_())",
        x=log_probs, v=values, g=returns,
    )
    close(slope, [-0.25, -0.25, 0.0, 0.5])

### BEGIN HIDDEN TESTS
check.hide()
import numpy as np
import torch

rng = check.rng()
LOSS = "actor_loss(x, v, g)"
SLOPE = "(lambda x: torch.autograd.grad(actor_loss(x, v, g), x)[0])(x.requires_grad_())"


def steps(size):
    return -rng.uniform(0.1, 3, size=size), rng.normal(size=(size, 1)), rng.normal(1, 2, size=size)


def by_hand(x, v, g):
    """Loss and slope."""
    weights = [g[b] - v[b, 0] for b in range(len(x))]
    return -sum(w * y for w, y in zip(weights, x)) / len(x), -np.array(weights) / len(x)


def asked(expression, arrays, dtype=np.float32):
    return check.evaluate(expression, **{k: torch.from_numpy(a.astype(dtype)) for k, a in zip("xvg", arrays)})


small, large = steps(7), steps(300)
with check("other batches", weight=2, hint="Step b's log-probability belongs to step b's return and value."):
    close(asked(LOSS, small), by_hand(*small)[0])
    close(asked(LOSS, large), by_hand(*large)[0], atol=1e-4)
with check("their gradients", weight=3, hint="Minus the step's own advantage, over B."):
    close(asked(SLOPE, small), by_hand(*small)[1])
    close(asked(SLOPE, large), by_hand(*large)[1])
with check("a critic that knows nothing", hint="With all values zero, the advantages are the returns."):
    blind = small[0], 0 * small[1], small[2]
    close(asked(LOSS, blind), by_hand(*blind)[0])
with check("a critic that knows everything", hint="Advantages of zero give no gradient: does each return meet its own value?"):
    perfect = small[0], small[2][:, None], small[2]
    close(asked(SLOPE, perfect), np.zeros(7))
with check("a batch of one step", hint="The result is a scalar for B = 1, too."):
    one = steps(1)
    close(asked(LOSS, one), by_hand(*one)[0])
with check("the critic gets no gradient from it, and neither do the returns", weight=2, hint="Values and returns are constants here: detach them."):
    leaks = (
        "(lambda x, v, g: [0.0 if d is None else float(d.abs().sum()) for d in torch.autograd.grad("
        "actor_loss(x, v, g), [x, v, g], allow_unused=True)])(*[z.requires_grad_() for z in (x, v, g)])"
    )
    own, *others = asked(leaks, small)
    close(own, np.abs(by_hand(*small)[1]).sum())
    close(others, [0.0, 0.0])
with check("double precision", hint="Is a dtype fixed in the function?"):
    close(asked(LOSS, small, np.float64), by_hand(*small)[0], rtol=1e-9, atol=1e-9)
with check("right, and the arguments are not changed", hint="Work on new tensors, without `-=`."):
    loss, *after = asked("[actor_loss(x, v, g), x, v, g]", small)
    close(loss, by_hand(*small)[0])
    for left, given in zip(after, small):
        close(left, given)
### END HIDDEN TESTS
check.score()

# %% [markdown]
# ## Script 3: worse than random
#
# Here the steps of all episodes lie one after another in one long batch, and the flags say where an episode has
# ended. The function goes through it once, backwards. Compare the gradient norm at the end with that at the start.

# %% tags=["training"]
def broken_rewards_to_go(rewards, terminated, truncated, gamma):
    result, following = torch.zeros_like(rewards), 0.0
    for t in range(len(rewards) - 1, -1, -1):
        following = rewards[t] + gamma * following
        result[t] = following
        if terminated[t] or truncated[t]:
            following = 0.0
    return result

# %% tags=["training"]
class Script3(Script):
    def loss(self, agent, batch):
        columns = batch.rewards, batch.terminated, batch.truncated, batch.states, batch.actions
        flat = [one_after_another(x, batch.mask) for x in columns]
        to_go = torch.as_tensor(self.suspect(*flat[:3], 1.0), dtype=torch.float32)
        return -(self.credit(to_go) * self.log_probs(agent, *flat[3:])).sum() / N_EPISODES

# %% tags=["training"]
broken["rewards_to_go"] = watch(Script3(broken_rewards_to_go))

# %% tags=["training"] mystnb={"image": {"alt": "Expected return against environment steps for five seeds of the broken script 3. All rise a little, to about minus 38, then fall below the random policy's minus 45 and end near minus 50, the worst possible."}}
draw(plt.subplots()[1], broken["rewards_to_go"], "script 3", threshold=SOLVED, baseline=RANDOM)

# %% [markdown]
# *Difficulty 2 of 5, importance 4 of 5, about 15 minutes.*
#
# <details><summary>Hint: a probe</summary>
#
# Two episodes of two steps with rewards 1, 2 and 10, 20, and $\gamma=1$. Which result do you expect for each step, which do you
# get? Which of the four look as if they belonged to another episode?
#
# </details>
# <details><summary>Hint: where</summary>
#
# All lines are needed. Are they in the right order?
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "rewards_to_go", "locked": false, "schema_version": 3, "solution": true, "task": false}
def rewards_to_go(rewards, terminated, truncated, gamma):
    """Discounted rewards-to-go of episodes that lie one after another in one batch:
    G_t = r_t where step t has terminated or was truncated, or is the last of the batch,
    else G_t = r_t + gamma * G_{t+1}.

    rewards : (B,) float tensor
    terminated, truncated : (B,) bool tensors; both say that step t is its episode's last
    gamma : discount, a float in [0, 1]

    Returns (B,).

    Example: rewards (1, 2, 3, 4), terminated (no, yes, no, no), truncated (no, no, no, yes),
    gamma = 0.5 -> (2, 2, 5, 4)
    """
    ### BEGIN SOLUTION
    result, following = torch.zeros_like(rewards), 0.0
    for t in reversed(range(len(rewards))):
        if terminated[t] or truncated[t]:
            following = 0.0  # the step after it belongs to another episode
        following = rewards[t] + gamma * following
        result[t] = following
    return result
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_rewards_to_go", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import torch

check = Checks("rewards_to_go", points=2)
yes, no = True, False

with check(
    "the example of the docstring",
    hint="The first two steps are one episode, the other two another one: 1 + 0.5 * 2, 2, 3 + 0.5 * 4, 4.",
):
    ends = torch.tensor([no, yes, no, no]), torch.tensor([no, no, no, yes])
    close(rewards_to_go(torch.tensor([1.0, 2.0, 3.0, 4.0]), *ends, 0.5), [2, 2, 5, 4])
with check(
    "one episode, undiscounted",
    hint="The sum of the rewards from t on.",
):
    ends = torch.tensor([no, no, no, yes]), torch.tensor([no, no, no, no])
    close(rewards_to_go(torch.tensor([1.0, 2.0, 3.0, 4.0]), *ends, 1.0), [10, 9, 7, 4])

### BEGIN HIDDEN TESTS
check.hide()
import numpy as np
import torch

rng = check.rng()


def slowly(rewards, ended, gamma):
    """Each step by itself, forwards, until its episode has ended."""
    found = []
    for start in range(len(rewards)):
        stop = next((t for t in range(start, len(rewards)) if ended[t]), len(rewards) - 1)
        part = rewards[start : stop + 1]
        found.append((part * gamma ** np.arange(len(part))).sum())
    return np.array(found)


def row(size, p=0.15):
    """Rewards that float32 holds exactly; flags, of which at most one is set."""
    kinds = rng.choice(3, size=size, p=[1 - 2 * p, p, p])
    return rng.integers(-12, 13, size=size) / 4, kinds == 1, kinds == 2


def theirs(rewards, terminated, truncated, gamma, dtype=np.float32):
    flags = torch.tensor(terminated), torch.tensor(truncated)
    return rewards_to_go(torch.from_numpy(rewards.astype(dtype)), *flags, gamma)


many = row(40)
either = many[1] | many[2]
with check("many episodes, several discounts", weight=3, hint="Nothing of a later episode may reach an earlier one, and nothing of its own may be lost."):
    for gamma in [0.9, 0.5, 1.0]:
        close(theirs(*many, gamma), slowly(many[0], either, gamma), atol=1e-4)
with check("episodes that have terminated", weight=1.5, hint="A terminated step has nothing after it."):
    close(theirs(many[0], either, ~either & False, 0.75), slowly(many[0], either, 0.75), atol=1e-4)
with check("episodes that were truncated", weight=1.5, hint="What follows a truncated step in the batch belongs to another episode, too."):
    close(theirs(many[0], ~either & False, either, 0.75), slowly(many[0], either, 0.75), atol=1e-4)
with check("a batch that stops in the middle of an episode", hint="The last step of the batch has nothing after it, whatever its flags say."):
    open_end = row(9, p=0.0)
    close(theirs(*open_end, 0.8), slowly(open_end[0], open_end[1], 0.8), atol=1e-4)
with check("both flags at one step", hint="Then the episode has ended, once."):
    twice = many[0], either, either
    close(theirs(*twice, 0.9), slowly(many[0], either, 0.9), atol=1e-4)
with check("every step is an episode", hint="Then the result is the rewards."):
    each = np.ones(12, dtype=bool)
    close(theirs(many[0][:12], each, ~each, 0.9), many[0][:12])
with check("gamma = 0", hint="Then only the own reward counts."):
    close(theirs(*many, 0.0), many[0])
with check("a single step", hint="Does it work for B = 1?"):
    for flags in [(True, False), (False, True), (False, False)]:
        close(theirs(np.array([2.5]), *[np.array([flag]) for flag in flags], 0.9), [2.5])
with check("double precision", hint="Is a dtype fixed in the function?"):
    close(theirs(*many, 0.99, np.float64), slowly(many[0], either, 0.99), rtol=1e-5, atol=1e-6)
with check("right, and the arguments are not changed", hint="Write into a new tensor."):
    found, *after = check.evaluate(
        "[rewards_to_go(r, e, u, 0.9), r, e, u]",
        r=torch.from_numpy(many[0].astype(np.float32)), e=torch.tensor(many[1]), u=torch.tensor(many[2]),
    )
    close(found, slowly(many[0], either, 0.9), atol=1e-4)
    for left, given in zip(after, many):
        close(left, given)
with check("2,000 steps", hint="Is one pass enough?"):
    longest = row(2000, p=0.002)
    close(theirs(*longest, 0.99), slowly(longest[0], longest[1] | longest[2], 0.99), atol=0.01)
### END HIDDEN TESTS
check.score()

# %% [markdown]
# ## Script 4: up, then down
#
# Episodes of different length lie side by side, padded with zeros; a padded step reads "room 0, button 0". The
# function normalises the rewards-to-go of a batch, and its result is the weight of every step in the loss.

# %% tags=["training"]
def broken_normalise_returns(returns, mask, eps=1e-6):
    n_steps = mask.sum()
    mean = (returns * mask).sum() / n_steps
    variance = ((returns - mean) ** 2 * mask).sum() / n_steps
    return (returns - mean) / (variance.sqrt() + eps)

# %% tags=["training"]
class Script4(Script):
    def loss(self, agent, batch):
        weights = torch.as_tensor(self.suspect(batch.returns, batch.mask)).float()
        log_probs = self.log_probs(agent, batch.states, batch.actions)
        return -(weights * log_probs).sum() / batch.mask.sum()

# %% tags=["training"]
broken["normalise_returns"] = watch(Script4(broken_normalise_returns))

# %% tags=["training"] mystnb={"image": {"alt": "Expected return against environment steps for five seeds of the broken script 4. All rise from minus 45 to about minus 27 and then fall back to about minus 40."}}
draw(plt.subplots()[1], broken["normalise_returns"], "script 4", threshold=SOLVED, baseline=RANDOM)

# %% [markdown]
# *Difficulty 3 of 5, importance 4 of 5, about 15 minutes.*
#
# <details><summary>Hint: a probe</summary>
#
# Two episodes, one of them shorter. Print what comes out, the padded steps included. And look into the trained policy:
# in which room does it go wrong?
#
# </details>
# <details><summary>Hint: where</summary>
#
# The mean and the standard deviation are right. Which steps have a weight in the loss?
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "normalise_returns", "locked": false, "schema_version": 3, "solution": true, "task": false}
def normalise_returns(returns, mask, eps=1e-6):
    """Returns of a padded batch with mean 0 and standard deviation 1 over its live steps:
    (returns - mean) / (std + eps) where the mask is 1, and 0 where it is 0.

    returns : (T, N) float tensor; finite where padded, and not counted there
    mask : (T, N) float tensor, 1 for steps that were taken, 0 for padding; one step at least
    eps : added to the standard deviation

    mean and std are those of the live steps of the whole batch, two numbers;
    std is that of the population (divisor: the number of live steps).

    Returns (T, N).

    Example: returns ((4, 2), (0, 7)), mask ((1, 1), (1, 0)): mean 2, std 1.63299
    -> ((1.2247, 0), (-1.2247, 0))
    """
    ### BEGIN SOLUTION
    live = returns[mask > 0]
    normalised = (returns - live.mean()) / (live.std(correction=0) + eps)
    return torch.where(mask > 0, normalised, 0.0)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_normalise_returns", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import torch

check = Checks("normalise_returns", points=2)
returns, mask = torch.tensor([[4.0, 2.0], [0.0, 7.0]]), torch.tensor([[1.0, 1.0], [1.0, 0.0]])

with check(
    "the example of the docstring",
    hint="The live steps are 4, 2 and 0. What should stand at the padded one?",
):
    close(normalise_returns(returns, mask), [[1.224744, 0.0], [-1.224744, 0.0]])
with check(
    "no padding: mean 0, standard deviation 1",
    hint="Subtract the mean of all steps and divide by their standard deviation.",
):
    close(normalise_returns(torch.tensor([[1.0, 3.0], [1.0, 3.0]]), torch.ones(2, 2)), [[-1, 1], [-1, 1]])

### BEGIN HIDDEN TESTS
check.hide()
import numpy as np
import torch

rng = check.rng()


def standard(returns, mask, eps=1e-6):
    taken = returns[mask > 0]
    scale = np.sqrt(((taken - taken.mean()) ** 2).mean()) + eps
    return np.where(mask > 0, (returns - taken.mean()) / scale, 0)


def padded_batch(lengths, n_rows):
    alive = np.arange(n_rows)[:, None] < np.array(lengths)
    return rng.integers(-30, 31, size=alive.shape) / 4 - 3, alive.astype(float)


def found_for(returns, mask, dtype=np.float32, **keywords):
    return normalise_returns(*[torch.from_numpy(a.astype(dtype)) for a in (returns, mask)], **keywords)


ragged = padded_batch(rng.permutation([1, 2, 3, 5, 7, 7, 4, 6]), 7)
whole = padded_batch([5] * 4, 5)
with check("batches without padding", hint="One mean and one standard deviation for the whole batch."):
    close(found_for(*whole), standard(*whole), atol=1e-4)
with check("batches with padding: the live steps", weight=2, hint="Mean and standard deviation of the live steps, and their number as divisor."):
    answer = numbers(found_for(*ragged))
    assert answer.shape == ragged[0].shape
    close(answer[ragged[1] > 0], standard(*ragged)[ragged[1] > 0], atol=1e-4)
with check("batches with padding: what stands at the padded steps", weight=2, hint="A padded step must have no weight in the loss."):
    answer = numbers(found_for(*ragged))
    close(answer[ragged[1] == 0], np.zeros(int((ragged[1] == 0).sum())))
    close(answer[ragged[1] > 0], standard(*ragged)[ragged[1] > 0], atol=1e-4)
with check("huge numbers in the padding", weight=2, hint="What is padded counts neither in the mean nor in the standard deviation."):
    close(found_for(np.where(ragged[1] > 0, ragged[0], 1e5), ragged[1]), standard(*ragged), atol=1e-4)
with check("zeros in the padding", hint="A zero in the padding is no return either."):
    close(found_for(ragged[0] * ragged[1], ragged[1]), standard(*ragged), atol=1e-4)
with check("eps is added to the standard deviation", hint="Divide by (std + eps), not by the root of (variance + eps)."):
    for eps in [0.5, 10.0]:
        close(found_for(*ragged, eps=eps), standard(*ragged, eps), atol=1e-4)
with check("eps is small by default", hint="Its default is 1e-6."):
    fine = np.where(ragged[1] > 0, np.sign(ragged[0]) * 2.0**-18, 0.0)
    close(found_for(fine, ragged[1], np.float64), standard(fine, ragged[1]), rtol=1e-3)
with check("returns that are all equal, and one single step", hint="Nobody is better than the mean: 0, and not NaN."):
    level = np.where(ragged[1] > 0, -4.0, 1.0)
    close(found_for(level, ragged[1]), np.zeros(level.shape))
    one = np.array([[1.0, 0.0], [0.0, 0.0]])
    close(found_for(one * 3, one), np.zeros((2, 2)))
    close(found_for(one + ragged[0][:2, :2], np.ones((2, 2))), standard(one + ragged[0][:2, :2], np.ones((2, 2))), atol=1e-4)
with check("one episode; episodes of one step", hint="T = 1 and N = 1 are shapes like others."):
    for shape in [(6, 1), (1, 6)]:
        plain = rng.integers(-9, 10, size=shape) / 2 + np.arange(6).reshape(shape)
        close(found_for(plain, np.ones(shape)), standard(plain, np.ones(shape)), atol=1e-4)
with check("double precision", hint="Is a dtype fixed in the function?"):
    close(found_for(*ragged, np.float64), standard(*ragged), rtol=1e-6, atol=1e-6)
with check("right, and the arguments are not changed", hint="Work on new tensors, without `-=`."):
    answer, *after = check.evaluate(
        "[normalise_returns(g, m), g, m]", **{k: torch.from_numpy(a.astype(np.float32)) for k, a in zip("gm", ragged)}
    )
    close(answer, standard(*ragged), atol=1e-4)
    for left, given in zip(after, ragged):
        close(left, given)
### END HIDDEN TESTS
check.score()

# %% [markdown]
# ## Script 5: ruined by its first batch
#
# This one takes twenty gradient steps on each batch, with a clipped surrogate that should keep the policy near the one that
# played. Look at how far the first batch has moved it.

# %% tags=["training"]
def broken_clipped_loss(log_probs, old_log_probs, advantages, clip=0.2):
    old_log_probs = log_probs.detach()  # a constant: it gets no gradient
    ratio = torch.exp(log_probs - old_log_probs)
    clipped = ratio.clamp(1 - clip, 1 + clip)
    return -torch.minimum(ratio * advantages, clipped * advantages).mean()

# %% tags=["training"]
class Script5(Script):
    rounds, updates, step_size = 20, UPDATES // 3, 0.2

    def loss(self, agent, batch):
        columns = batch.states, batch.actions, batch.old_log_probs, self.credit(batch.returns)
        states, actions, old, weights = [one_after_another(x, batch.mask) for x in columns]
        return self.suspect(self.log_probs(agent, states, actions), old, weights)

# %% tags=["training"]
broken["clipped_loss"] = watch(Script5(broken_clipped_loss))

# %% tags=["training"] mystnb={"image": {"alt": "Expected return against environment steps for five seeds of the broken script 5. All drop from minus 45 to minus 50, the worst possible, with the first batch or two and stay there."}}
draw(plt.subplots()[1], broken["clipped_loss"], "script 5", threshold=SOLVED, baseline=RANDOM)

# %% [markdown]
# *Difficulty 3 of 5, importance 4 of 5, about 20 minutes.*
#
# <details><summary>Hint: a probe</summary>
#
# The first gradient of every batch is right. Print the ratio after ten gradient steps on one batch: what should have
# happened to it, and what has?
#
# </details>
# <details><summary>Hint: where</summary>
#
# Is every argument of the function used?
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "clipped_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def clipped_loss(log_probs, old_log_probs, advantages, clip=0.2):
    """The clipped surrogate, negated:
    -(1 / B) * sum over b of min(ratio * A, clip(ratio, 1 - clip, 1 + clip) * A),
    where ratio = exp(log_probs - old_log_probs).

    log_probs : (B,) float tensor, log pi(a | s) under the policy that is trained
    old_log_probs : (B,) float tensor, the same under the policy that played;
        a constant, even if it is the same tensor as log_probs
    advantages : (B,) float tensor; constants
    clip : the clip range

    Returns a scalar tensor, differentiable in log_probs only.

    Example: ratios (1.5, 0.5, 1.5, 0.5), advantages (1, 1, -1, -1)
    -> -(1.2 + 0.5 - 1.5 - 0.8) / 4 = 0.15
    """
    ### BEGIN SOLUTION
    ratio = torch.exp(log_probs - old_log_probs.detach())
    weights = advantages.detach()
    bounded = torch.clamp(ratio, 1 - clip, 1 + clip)
    return -torch.minimum(ratio * weights, bounded * weights).mean()
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_clipped_loss", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import torch

check = Checks("clipped_loss", points=2)
old = torch.full((4,), 0.4).log()
new, weights = torch.tensor([0.6, 0.2, 0.6, 0.2]).log(), torch.tensor([1.0, 1.0, -1.0, -1.0])

with check(
    "the example of the docstring",
    hint="The ratios are 0.6 / 0.4 and 0.2 / 0.4. Take the smaller of the two products, step by step, then the mean.",
):
    close(clipped_loss(new, old, weights), 0.15)
with check(
    "the first step on a batch has the gradient of REINFORCE",
    hint="Where both policies are the same, the derivative by a log-probability is -A / B.",
):
    slope = check.evaluate(
        "(lambda x: torch.autograd.grad(clipped_loss(x, x, a), x)[0])(x.requires_grad_())",
        x=new, a=weights,
    )
    close(slope, [-0.25, -0.25, 0.25, 0.25])

### BEGIN HIDDEN TESTS
check.hide()
import numpy as np
import torch

rng = check.rng()
WORTH = "clipped_loss(x, o, a)"
PULL = "(lambda x: torch.autograd.grad(clipped_loss(x, o, a), x)[0])(x.requires_grad_())"


def draw_steps(size):
    """Log-probabilities, old ones, advantages; no ratio is near a corner."""
    before = rng.uniform(-2.5, -0.5, size=size)
    ratios = rng.choice([0.3, 0.6, 0.75, 0.9, 0.97, 1.03, 1.1, 1.25, 1.4, 1.9], size=size)
    return before + np.log(ratios), before, rng.choice([-2.5, -1.0, -0.25, 0.5, 1.5, 3.0], size=size)


def surrogate(x, o, a, clip=0.2):
    """Value and slope, step by step."""
    value, slope = 0.0, np.zeros(len(x))
    for b, (ratio, weight) in enumerate(zip(np.exp(x - o), a)):
        limited = min(max(ratio, 1 - clip), 1 + clip)
        value -= min(ratio * weight, limited * weight) / len(x)
        slope[b] = 0.0 if limited * weight < ratio * weight else -ratio * weight / len(x)
    return value, slope


def answer_to(expression, arrays, dtype=np.float32, **others):
    named = {k: torch.from_numpy(a.astype(dtype)) for k, a in zip("xoa", arrays)}
    return check.evaluate(expression, **named, **others)


batch = draw_steps(60)
with check("another batch", weight=2, hint="Is the ratio that of the new policy to the one that played?"):
    close(answer_to(WORTH, batch), surrogate(*batch)[0])
with check("its gradient", weight=3, hint="-ratio * A / B, and zero where the smaller product is the clipped one."):
    close(answer_to(PULL, batch), surrogate(*batch)[1])
with check("inside the range nothing is clipped", hint="Then it is the mean of ratio * A, negated."):
    near = batch[1] + np.log(rng.uniform(0.85, 1.15, size=60)), *batch[1:]
    close(answer_to(PULL, near), surrogate(*near)[1])
with check("far outside, on the side that the advantage wants, there is no pull", weight=2, hint="Clipping takes the reward for moving far: zero gradient there."):
    outside = batch[1] + np.log(np.where(batch[2] > 0, 1.6, 0.4)), *batch[1:]
    close(answer_to(PULL, outside), np.zeros(60))
    close(answer_to(WORTH, outside), surrogate(*outside)[0])
with check("far outside, on the other side, there is", weight=2, hint="What went the wrong way must be able to come back: take the smaller product."):
    lost = batch[1] + np.log(np.where(batch[2] > 0, 0.4, 1.6)), *batch[1:]
    close(answer_to(PULL, lost), surrogate(*lost)[1])
with check("other clip ranges", hint="Is the argument `clip` used on both sides of 1?"):
    for c in [0.05, 0.5]:
        close(answer_to("clipped_loss(x, o, a, clip=c)", batch, c=c), surrogate(*batch, c)[0])
with check("no gradient for the policy that played, nor for the advantages", hint="Both are constants: detach them."):
    pulls = (
        "(lambda x, o, a: [0.0 if d is None else float(d.abs().sum()) for d in torch.autograd.grad("
        "clipped_loss(x, o, a), [x, o, a], allow_unused=True)])(*[z.requires_grad_() for z in (x, o, a)])"
    )
    own, *constants = answer_to(pulls, batch)
    close(own, np.abs(surrogate(*batch)[1]).sum())
    close(constants, [0.0, 0.0])
with check("a batch of one step", hint="The result is a scalar for B = 1, too."):
    for ratio, weight, value in [(1.5, 2.0, -2.4), (0.5, 2.0, -1.0), (1.5, -2.0, 3.0), (0.5, -2.0, 1.6)]:
        single = np.array([np.log(ratio) - 1]), np.array([-1.0]), np.array([weight])
        close(answer_to(WORTH, single), value)
with check("double precision", hint="Is a dtype fixed in the function?"):
    close(answer_to(WORTH, batch, np.float64), surrogate(*batch)[0], rtol=1e-9, atol=1e-9)
with check("right, and the arguments are not changed", hint="Work on new tensors, without functions that end in an underscore."):
    worth, *after = answer_to("[clipped_loss(x, o, a), x, o, a]", batch)
    close(worth, surrogate(*batch)[0])
    for left, given in zip(after, batch):
        close(left, given)
### END HIDDEN TESTS
check.score()

# %% [markdown]
# ## Script 6: busy, and getting nowhere
#
# The last script takes the live steps out of a padded batch. Its gradients are as large at the end as at the start,
# its policy changes all the time, and the return stays where it was.

# %% tags=["training"]
def broken_flatten_episodes(states, actions, returns, mask):
    live = mask > 0
    lengths = live.sum(dim=0).tolist()
    flat_returns = torch.cat([returns[:n, i] for i, n in enumerate(lengths)])
    return states[live], actions[live], flat_returns

# %% tags=["training"]
class Script6(Script):
    def loss(self, agent, batch):
        columns = batch.states, batch.actions, self.credit(batch.returns), batch.mask
        states, actions, weights = map(torch.as_tensor, self.suspect(*columns))
        log_probs = self.log_probs(agent, states.long(), actions.long())
        return -(weights * log_probs).sum() / N_EPISODES

# %% tags=["training"]
broken["flatten_episodes"] = watch(Script6(broken_flatten_episodes))

# %% tags=["training"] mystnb={"image": {"alt": "Expected return against environment steps for five seeds of the broken script 6. The curves wander around the random policy's minus 45, and end between minus 41 and minus 50."}}
draw(plt.subplots()[1], broken["flatten_episodes"], "script 6", threshold=SOLVED, baseline=RANDOM)

# %% [markdown]
# *Difficulty 2 of 5, importance 5 of 5, about 10 minutes.*
#
# <details><summary>Hint: a probe</summary>
#
# Give every step its own number: `torch.arange(6).reshape(3, 2)` for states, actions and returns alike, and a mask with some
# zeros. What should the three results have in common?
#
# </details>
# <details><summary>Hint: where</summary>
#
# In which order does `states[live]` take the steps, by rows or by columns?
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "flatten_episodes", "locked": false, "schema_version": 3, "solution": true, "task": false}
def flatten_episodes(states, actions, returns, mask):
    """The live steps of a padded batch, as three vectors whose entries belong together.

    states, actions : (T, N) int64 tensors
    returns : (T, N) float tensor
    mask : (T, N) float tensor, 1 for steps that were taken, 0 for padding

    Returns (states, actions, returns), each of shape (B,) with B the number of live steps:
    first those of t = 0 from the first episode to the last, then those of t = 1, and so on.

    Example: states ((1, 2), (3, 0), (4, 0)), actions ((5, 6), (7, 0), (8, 0)),
    returns ((.1, .2), (.3, 0), (.4, 0)), mask ((1, 1), (1, 0), (1, 0))
    -> (1, 2, 3, 4), (5, 6, 7, 8), (.1, .2, .3, .4)
    """
    ### BEGIN SOLUTION
    live = mask > 0
    return states[live], actions[live], returns[live]
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_flatten_episodes", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch

check = Checks("flatten_episodes", points=1)
states, mask = torch.tensor([[1, 2], [3, 0], [4, 0]]), torch.tensor([[1.0, 1.0], [1.0, 0.0], [1.0, 0.0]])

with check(
    "the example of the docstring",
    hint="The four live steps, row by row, in all three vectors.",
):
    found = flatten_episodes(states, states + 4, states / 10, mask)
    close(found, [[1, 2, 3, 4], [5, 6, 7, 8], [0.1, 0.2, 0.3, 0.4]])

### BEGIN HIDDEN TESTS
check.hide()
import numpy as np
import torch

rng = check.rng()


def board(lengths, n_rows):
    """States, actions and returns that tell every step from every other one; a mask of these lengths."""
    alive = (np.arange(n_rows)[:, None] < np.array(lengths)).astype(np.float32)
    size = alive.size
    ints = [rng.permutation(size).reshape(alive.shape) + 1 for _ in range(2)]
    return *ints, (rng.permutation(size) / 4 - 3).reshape(alive.shape).astype(np.float32), alive


def row_by_row(states, actions, returns, mask):
    places = [(t, i) for t in range(mask.shape[0]) for i in range(mask.shape[1]) if mask[t, i]]
    return [[column[place] for place in places] for column in (states, actions, returns)]


def flat(arrays):
    return flatten_episodes(*map(torch.tensor, arrays))


several = board(rng.permutation([1, 2, 3, 5, 7, 7, 4, 6]), 7)
with check("episodes of different lengths: what belongs together stays together", weight=2, hint="Are all three vectors made in the same order?"):
    table = numbers(flat(several))
    assert sorted(map(tuple, table.T)) == sorted(zip(*map(lambda v: map(float, v), row_by_row(*several))))
with check("and in the order of time", weight=2, hint="All live steps of t = 0 first."):
    close(flat(several), row_by_row(*several))
with check("no padding, and as many steps as episodes", weight=2, hint="Row by row, not column by column."):
    square = board([4] * 4, 4)
    close(flat(square), row_by_row(*square))
with check("one episode", hint="Does it work for N = 1?"):
    alone = board([3], 5)
    close(flat(alone), row_by_row(*alone))
with check("episodes of one step", hint="Does it work for T = 1?"):
    brief = board([1, 1, 1], 1)
    close(flat(brief), row_by_row(*brief))
with check("zeros that are no padding", hint="A state, an action or a return of zero is a value like any other: only the mask tells."):
    zeros = several[0] * 0, several[1] % 2, several[2] * 0, several[3]
    close(flat(zeros), row_by_row(*zeros))
with check("double precision", hint="Is a dtype fixed in the function?"):
    double = *several[:2], several[2].astype(np.float64) + 1e-9, several[3]
    close(flat(double)[2], row_by_row(*double)[2], rtol=1e-12, atol=1e-12)
with check("right, and the arguments are not changed", hint="Work on new tensors."):
    names = dict(zip("sagm", [torch.tensor(a) for a in several]))
    found, *after = check.evaluate("[[v.tolist() for v in map(torch.as_tensor, flatten_episodes(s, a, g, m))], s, a, g, m]", **names)
    close(found, row_by_row(*several))
    for left, given in zip(after, several):
        close(left, given)
with check("episodes of 2,000 steps", hint="Is it fast enough for long episodes?"):
    long = board([2000, 3, 1200], 2000)
    close(flat(long), row_by_row(*long), atol=1e-3)
### END HIDDEN TESTS
check.score()

# %% [markdown]
# ## Training: the repaired scripts learn
#
# Nothing below is graded. Each script trains again with your function in the place of the broken one, and with nothing else
# changed: the same seeds, the same number of updates.

# %% tags=["training"]
scripts = {
    Script1: log_policy, Script2: actor_loss, Script3: rewards_to_go,
    Script4: normalise_returns, Script5: clipped_loss, Script6: flatten_episodes,
}

# %% tags=["training"]
repaired = {}
for script, function in scripts.items():
    print(function.__name__)
    repaired[function.__name__] = watch(script(function))

# %% tags=["training"]
def summary(runs):
    """Mean of the return at the end, worst and best seed, and how many have solved it."""
    ends = np.array([run[-1, 1] for run in runs])
    solved = (ends >= SOLVED).sum()
    return f"{ends.mean():.1f} ({ends.min():.1f} to {ends.max():.1f}) | {solved} of {len(ends)}"

# %% tags=["training"]
lines = [
    "| function | broken: return at the end | solved | repaired: return at the end | solved |",
    "|---|---|---|---|---|",
]
for name in broken:
    lines.append(f"| `{name}` | {summary(broken[name])} | {summary(repaired[name])} |")
lines.append(f"| random policy | {RANDOM:.1f} | | {RANDOM:.1f} | |")
display(Markdown("\n".join(lines)))

# %% [markdown]
# The expected return of the policy after the last update but one, exact, as mean over the seeds, with the worst and the best of
# them in brackets.
#
# Is such a difference real, with five seeds? If bug and repair were equally good, every division of the ten results into
# five and five would be as likely as any other. There are 252 of them, so that all repaired runs end above all
# broken ones by chance once in 252 times. Script 5 is the one whose bug depends on luck: with some other seeds the
# first batch happens to be good, and to be pushed far in its direction does no harm. Try it.

# %% tags=["training"]
for name in broken:
    worst = min(run[-1, 1] for run in repaired[name])
    best = max(run[-1, 1] for run in broken[name])
    print(f"{name:18s} worst repaired seed {worst:6.1f}, best broken seed {best:6.1f}")

# %% tags=["training"] mystnb={"image": {"alt": "Six panels, one for each script: expected return against environment steps, the broken function and the repaired one, five seeds each. All repaired curves rise to about minus 8; the broken ones stay or fall far below."}}
figure, axes = plt.subplots(3, 2, figsize=(8, 9))
for axis, name in zip(axes.flat, broken):
    draw(axis, broken[name], "broken", threshold=SOLVED, baseline=RANDOM)
    draw(axis, repaired[name], "repaired")
    axis.set_title(name, fontsize=9)
figure.tight_layout()

# %% [markdown]
# A repaired agent needs fewer steps for an episode, so its curves end further to the left: they are
# as many updates long as the broken ones.
#
# ## Hand in
#
# Restart the kernel, run all cells once more, and check that every property above holds. Then save the notebook and
# submit the `.ipynb` file; the training need not run for the grading.
#
# **Your turn.** Before you read a broken function again: which number, printed by `watch`, was the first to show that something is wrong? For
# each script there is one that is far from what the repaired script prints. And plant a bug of your own into a repaired
# script, one that nobody in your course finds from its curve.
