"""Answers to `softmax_policy`."""
# %% right: shifted by the maximum
def softmax_policy(theta, state):
    x, y = state
    z = theta[x - 1, y - 1]
    e = np.exp(z - np.max(z))
    return e / np.sum(e)

# %% right: without a shift
def softmax_policy(theta, state):
    e = np.exp(theta[state[0] - 1, state[1] - 1])
    return e / e.sum()

# %% right: scipy
from scipy.special import softmax

def softmax_policy(theta, state):
    return softmax(theta[state[0] - 1, state[1] - 1])

# %% right: the softmax of all states, then one of them
def softmax_policy(theta, state):
    weights = np.exp(theta - theta.max(axis=-1, keepdims=True))
    probabilities = weights / weights.sum(axis=-1, keepdims=True)
    return probabilities[tuple(np.subtract(state, 1))]

# %% right: plain Python, a list
import math

def softmax_policy(theta, state):
    x, y = state
    logits = [float(theta[x - 1][y - 1][a]) for a in range(4)]
    top = max(logits)
    weights = [math.exp(z - top) for z in logits]
    return [w / sum(weights) for w in weights]

# %% right: exp of log_softmax
def softmax_policy(theta, state):
    logits = theta[state[0] - 1, state[1] - 1]
    return np.exp(logits - np.logaddexp.reduce(logits))

# %% right: pairwise differences
def softmax_policy(theta, state):
    logits = theta[state[0] - 1, state[1] - 1]
    return 1 / np.exp(logits[None, :] - logits[:, None]).sum(axis=1)

# %% right: a loop into a new array
def softmax_policy(theta, state):
    x, y = state
    result, total = np.zeros(4), 0.0
    for a in range(4):
        result[a] = np.exp(theta[x - 1, y - 1, a])
        total += result[a]
    for a in range(4):
        result[a] /= total
    return result

# %% right: shifted by the mean
def softmax_policy(theta, state):
    z = theta[state[0] - 1, state[1] - 1].copy()
    z -= z.mean()
    e = np.exp(z)
    return e / e.sum()

# %% right: flat index
def softmax_policy(theta, state):
    row = theta.reshape(16, 4)[4 * (state[0] - 1) + state[1] - 1]
    e = np.exp(row - row.max())
    return e / e.sum()

# %% right: float32
def softmax_policy(theta, state):
    z = theta[state[0] - 1, state[1] - 1].astype(np.float32)
    e = np.exp(z - z.max())
    return e / e.sum()

# %% right: a tuple
def softmax_policy(theta, state):
    e = np.exp(theta[state[0] - 1, state[1] - 1])
    return tuple(e / e.sum())

# %% wrong: nothing returned
def softmax_policy(theta, state):
    e = np.exp(theta[state[0] - 1, state[1] - 1])
    e = e / e.sum()

# %% wrong: always uniform
def softmax_policy(theta, state):
    return np.full(4, 0.25)

# %% wrong: x and y swapped
def softmax_policy(theta, state):
    e = np.exp(theta[state[1] - 1, state[0] - 1])
    return e / e.sum()

# %% wrong: indices from 1
def softmax_policy(theta, state):
    e = np.exp(theta[state[0], state[1]])
    return e / e.sum()

# %% wrong: indices from 1, wrapped
def softmax_policy(theta, state):
    e = np.exp(theta[state[0] % 4, state[1] % 4])
    return e / e.sum()

# %% wrong: counted from the end
def softmax_policy(theta, state):
    e = np.exp(theta[-state[0], -state[1]])
    return e / e.sum()

# %% wrong: only x from 0
def softmax_policy(theta, state):
    e = np.exp(theta[state[0] - 1, state[1] % 4])
    return e / e.sum()

# %% wrong: the whole row of states
def softmax_policy(theta, state):
    e = np.exp(theta[state[0] - 1])
    return e / e.sum()

# %% wrong: all states
def softmax_policy(theta, state):
    e = np.exp(theta)
    return e / e.sum(axis=-1, keepdims=True)

# %% wrong: normalised over all of theta
def softmax_policy(theta, state):
    e = np.exp(theta)
    return (e / e.sum())[state[0] - 1, state[1] - 1]

# %% wrong: normalised over the row of states
def softmax_policy(theta, state):
    e = np.exp(theta[state[0] - 1])
    return (e / e.sum(axis=0))[state[1] - 1]

# %% wrong: actions on the first axis
def softmax_policy(theta, state):
    e = np.exp(theta[:, state[0] - 1, state[1] - 1])
    return e / e.sum()

# %% wrong: always the start's logits
def softmax_policy(theta, state):
    e = np.exp(theta[0, 0])
    return e / e.sum()

# %% wrong: not normalised
def softmax_policy(theta, state):
    z = theta[state[0] - 1, state[1] - 1]
    return np.exp(z - z.max())

# %% wrong: the logits
def softmax_policy(theta, state):
    return theta[state[0] - 1, state[1] - 1]

# %% wrong: normalised without exp
def softmax_policy(theta, state):
    z = np.abs(theta[state[0] - 1, state[1] - 1]) + 1e-8
    return z / z.sum()

# %% wrong: shifted to positive, then normalised
def softmax_policy(theta, state):
    z = theta[state[0] - 1, state[1] - 1]
    z = z - z.min() + 1e-8
    return z / z.sum()

# %% wrong: log probabilities
def softmax_policy(theta, state):
    z = theta[state[0] - 1, state[1] - 1]
    return z - np.logaddexp.reduce(z)

# %% wrong: sigmoid of each
def softmax_policy(theta, state):
    return 1 / (1 + np.exp(-theta[state[0] - 1, state[1] - 1]))

# %% wrong: sigmoids, normalised
def softmax_policy(theta, state):
    p = 1 / (1 + np.exp(-theta[state[0] - 1, state[1] - 1]))
    return p / p.sum()

# %% wrong: greedy
def softmax_policy(theta, state):
    return np.eye(4)[theta[state[0] - 1, state[1] - 1].argmax()]

# %% wrong: epsilon-greedy
def softmax_policy(theta, state):
    p = np.full(4, 0.025)
    p[theta[state[0] - 1, state[1] - 1].argmax()] += 0.9
    return p

# %% wrong: a sampled action
def softmax_policy(theta, state):
    e = np.exp(theta[state[0] - 1, state[1] - 1])
    return np.random.default_rng(0).choice(4, p=e / e.sum())

# %% wrong: temperature of one half
def softmax_policy(theta, state):
    z = theta[state[0] - 1, state[1] - 1] / 0.5
    e = np.exp(z - z.max())
    return e / e.sum()

# %% wrong: temperature of two
def softmax_policy(theta, state):
    e = np.exp(theta[state[0] - 1, state[1] - 1] / 2)
    return e / e.sum()

# %% wrong: sign of the logits
def softmax_policy(theta, state):
    e = np.exp(-theta[state[0] - 1, state[1] - 1])
    return e / e.sum()

# %% wrong: powers of two
def softmax_policy(theta, state):
    e = 2.0 ** theta[state[0] - 1, state[1] - 1]
    return e / e.sum()

# %% wrong: squares of the exponentials
def softmax_policy(theta, state):
    e = np.exp(theta[state[0] - 1, state[1] - 1])
    return e / np.sqrt((e**2).sum())

# %% wrong: logits clipped to [-10, 10]
def softmax_policy(theta, state):
    e = np.exp(np.clip(theta[state[0] - 1, state[1] - 1], -10, 10))
    return e / e.sum()

# %% wrong: a floor under the probabilities
def softmax_policy(theta, state):
    e = np.exp(theta[state[0] - 1, state[1] - 1])
    p = np.maximum(e / e.sum(), 0.01)
    return p / p.sum()

# %% wrong: mixed with the uniform policy
def softmax_policy(theta, state):
    e = np.exp(theta[state[0] - 1, state[1] - 1])
    return 0.95 * e / e.sum() + 0.05 / 4

# %% wrong: rounded
def softmax_policy(theta, state):
    e = np.exp(theta[state[0] - 1, state[1] - 1])
    return np.round(e / e.sum(), 2)

# %% wrong: actions in another order
def softmax_policy(theta, state):
    e = np.exp(theta[state[0] - 1, state[1] - 1][[0, 3, 1, 2]])
    return e / e.sum()

# %% wrong: sorted
def softmax_policy(theta, state):
    e = np.exp(np.sort(theta[state[0] - 1, state[1] - 1]))
    return e / e.sum()

# %% wrong: reversed
def softmax_policy(theta, state):
    e = np.exp(theta[state[0] - 1, state[1] - 1][::-1])
    return e / e.sum()

# %% wrong: the fourth probability missing
def softmax_policy(theta, state):
    e = np.exp(theta[state[0] - 1, state[1] - 1])
    return (e / e.sum())[:3]

# %% wrong: a column
def softmax_policy(theta, state):
    e = np.exp(theta[state[0] - 1, state[1] - 1])
    return (e / e.sum())[:, None]

# %% wrong: a dictionary
def softmax_policy(theta, state):
    e = np.exp(theta[state[0] - 1, state[1] - 1])
    return dict(zip(ACTIONS, e / e.sum()))

# %% wrong: the probability of the best action
def softmax_policy(theta, state):
    e = np.exp(theta[state[0] - 1, state[1] - 1])
    return (e / e.sum()).max()

# %% wrong: shifts theta in place
def softmax_policy(theta, state):
    z = theta[state[0] - 1, state[1] - 1]
    z -= z.max()
    e = np.exp(z)
    return e / e.sum()

# %% wrong: exponentiates theta in place
def softmax_policy(theta, state):
    z = theta[state[0] - 1, state[1] - 1]
    np.exp(z, out=z)
    z /= z.sum()
    return z.copy()

# %% wrong: one buffer for all results
probabilities = np.zeros(4)

def softmax_policy(theta, state):
    e = np.exp(theta[state[0] - 1, state[1] - 1])
    probabilities[:] = e / e.sum()
    return probabilities

# %% wrong: remembers the first table
cache = {}

def softmax_policy(theta, state):
    key = (int(state[0]), int(state[1]))
    if key not in cache:
        e = np.exp(theta[key[0] - 1, key[1] - 1])
        cache[key] = e / e.sum()
    return cache[key]

# %% wrong: half precision
def softmax_policy(theta, state):
    e = np.exp(theta[state[0] - 1, state[1] - 1].astype(np.float16))
    return e / e.sum()

# %% wrong: divides by the number of actions
def softmax_policy(theta, state):
    return np.exp(theta[state[0] - 1, state[1] - 1]) / 4

# %% wrong: softmax of the softmax
def softmax_policy(theta, state):
    e = np.exp(theta[state[0] - 1, state[1] - 1])
    e = np.exp(e / e.sum())
    return e / e.sum()

# %% wrong: standardised logits
def softmax_policy(theta, state):
    z = theta[state[0] - 1, state[1] - 1]
    e = np.exp((z - z.mean()) / (z.std() + 1e-8))
    return e / e.sum()

# %% wrong: the shift is subtracted from the exponentials
def softmax_policy(theta, state):
    z = theta[state[0] - 1, state[1] - 1]
    e = np.exp(z) - z.max()
    return e / e.sum()

# %% wrong: logits clipped to [-20, 20]
def softmax_policy(theta, state):
    e = np.exp(np.clip(theta[state[0] - 1, state[1] - 1], -20, 20))
    return e / e.sum()
