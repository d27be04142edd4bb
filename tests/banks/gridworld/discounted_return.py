"""Answers to `discounted_return`."""
# %% right: sum of powers
def discounted_return(rewards, gamma):
    return sum(gamma**t * r for t, r in enumerate(rewards))

# %% right: backwards
def discounted_return(rewards, gamma):
    G = 0.0
    for r in reversed(rewards):
        G = r + gamma * G
    return G

# %% right: a running discount
def discounted_return(rewards, gamma):
    total, discount = 0.0, 1.0
    for r in rewards:
        total += discount * r
        discount *= gamma
    return total

# %% right: dot product, a NumPy scalar
def discounted_return(rewards, gamma):
    rewards = np.asarray(rewards, dtype=np.float64)
    return np.dot(np.power(gamma, np.arange(len(rewards)), dtype=float), rewards)

# %% right: float32
def discounted_return(rewards, gamma):
    rewards = np.array(rewards, dtype=np.float32)
    discounts = np.float32(gamma) ** np.arange(len(rewards), dtype=np.float32)
    return (discounts * rewards).sum(dtype=np.float32)

# %% right: cumulative product
def discounted_return(rewards, gamma):
    discounts = np.cumprod([1.0] + [gamma] * len(rewards))[:-1]
    return float((discounts * rewards).sum())

# %% right: functools.reduce
from functools import reduce

def discounted_return(rewards, gamma):
    return reduce(lambda G, r: r + gamma * G, rewards[::-1], 0)

# %% right: accumulate, and an early return for lists
from itertools import accumulate

def discounted_return(rewards, gamma):
    if not rewards:
        return 0
    *_, G = accumulate(reversed(rewards), lambda G, r: r + gamma * G)
    return G

# %% right: polynomial in gamma
def discounted_return(rewards, gamma):
    return np.polyval(rewards[::-1], gamma)

# %% right: exact summation
import math

def discounted_return(rewards, gamma):
    return math.fsum(gamma**t * rewards[t] for t in range(len(rewards)))

# %% right: a copy that is used up
def discounted_return(rewards, gamma):
    left, G = rewards.copy(), 0.0
    while left:
        G = left.pop() + gamma * G
    return G

# %% right: a linear filter
from scipy.signal import lfilter

def discounted_return(rewards, gamma):
    if len(rewards) == 0:
        return 0.0
    return lfilter([1.0], [1.0, -gamma], np.asarray(rewards, dtype=float)[::-1])[-1]

# %% right: quadratic, through reward-to-go
def discounted_return(rewards, gamma):
    to_go = [0.0] * (len(rewards) + 1)
    for t in range(len(rewards) - 1, -1, -1):
        to_go[t] = rewards[t] + gamma * to_go[t + 1]
    return to_go[0]

# %% right: a zero-dimensional array
def discounted_return(rewards, gamma):
    t = np.arange(len(rewards))
    return np.asarray(np.sum(np.array(rewards, dtype=float) * float(gamma) ** t))

# %% wrong: nothing returned
def discounted_return(rewards, gamma):
    G = 0.0
    for r in reversed(rewards):
        G = r + gamma * G

# %% wrong: gamma ignored
def discounted_return(rewards, gamma):
    return float(sum(rewards))

# %% wrong: gamma fixed to 0.99
def discounted_return(rewards, gamma):
    gamma = 0.99
    return sum(gamma**t * r for t, r in enumerate(rewards))

# %% wrong: discounted from the first reward on
def discounted_return(rewards, gamma):
    return sum(gamma ** (t + 1) * r for t, r in enumerate(rewards))

# %% wrong: enumerated from 1
def discounted_return(rewards, gamma):
    return sum(gamma**t * r for t, r in enumerate(rewards, start=1))

# %% wrong: order reversed
def discounted_return(rewards, gamma):
    G = 0.0
    for r in rewards:
        G = r + gamma * G
    return G

# %% wrong: polynomial with the coefficients the wrong way round
def discounted_return(rewards, gamma):
    return np.polyval(rewards, gamma)

# %% wrong: reward-to-go of every step
def discounted_return(rewards, gamma):
    G, result = 0.0, []
    for r in reversed(rewards):
        G = r + gamma * G
        result.insert(0, G)
    return result

# %% wrong: a list of discounted rewards
def discounted_return(rewards, gamma):
    return [gamma**t * r for t, r in enumerate(rewards)]

# %% wrong: mean instead of sum
def discounted_return(rewards, gamma):
    return float(np.mean([gamma**t * r for t, r in enumerate(rewards)]))

# %% wrong: mean, with care for the empty episode
def discounted_return(rewards, gamma):
    if len(rewards) == 0:
        return 0.0
    return float(np.mean([gamma**t * r for t, r in enumerate(rewards)]))

# %% wrong: divided by the sum of the weights
def discounted_return(rewards, gamma):
    if len(rewards) == 0:
        return 0.0
    weights = float(gamma) ** np.arange(len(rewards))
    return float(weights @ np.asarray(rewards) / weights.sum())

# %% wrong: returns inside the loop
def discounted_return(rewards, gamma):
    G = 0.0
    for t, r in enumerate(rewards):
        G += gamma**t * r
        return G
    return G

# %% wrong: the last reward left out
def discounted_return(rewards, gamma):
    return sum(gamma**t * rewards[t] for t in range(len(rewards) - 1))

# %% wrong: the first reward left out
def discounted_return(rewards, gamma):
    return sum(gamma**t * rewards[t] for t in range(1, len(rewards)))

# %% wrong: gamma times t
def discounted_return(rewards, gamma):
    return sum(gamma * t * r for t, r in enumerate(rewards))

# %% wrong: one factor gamma for all later rewards
def discounted_return(rewards, gamma):
    return sum((gamma if t else 1) * r for t, r in enumerate(rewards))

# %% wrong: discount squared
def discounted_return(rewards, gamma):
    return sum(gamma ** (2 * t) * r for t, r in enumerate(rewards))

# %% wrong: exponential instead of power
def discounted_return(rewards, gamma):
    return sum(np.exp(-gamma * t) * r for t, r in enumerate(rewards))

# %% wrong: hyperbolic discount
def discounted_return(rewards, gamma):
    return sum(r / (1 + (1 - gamma) * t) for t, r in enumerate(rewards))

# %% wrong: the sum times gamma to the length
def discounted_return(rewards, gamma):
    return sum(rewards) * gamma ** len(rewards)

# %% wrong: discount as a logarithm, undefined at gamma = 0
def discounted_return(rewards, gamma):
    rewards = np.asarray(rewards, dtype=float)
    return float((np.exp(np.arange(len(rewards)) * np.log(gamma)) * rewards).sum())

# %% wrong: divides by gamma
def discounted_return(rewards, gamma):
    return sum(gamma ** (t + 1) * r for t, r in enumerate(rewards)) / gamma

# %% wrong: fails for an empty episode
def discounted_return(rewards, gamma):
    G = rewards[-1]
    for r in rewards[-2::-1]:
        G = r + gamma * G
    return G

# %% wrong: None for an empty episode
def discounted_return(rewards, gamma):
    if len(rewards) > 0:
        return sum(gamma**t * r for t, r in enumerate(rewards))

# %% wrong: an empty list for an empty episode
def discounted_return(rewards, gamma):
    if len(rewards) == 0:
        return []
    return sum(gamma**t * r for t, r in enumerate(rewards))

# %% wrong: NaN for an empty episode
def discounted_return(rewards, gamma):
    if len(rewards) == 0:
        return float("nan")
    return sum(gamma**t * r for t, r in enumerate(rewards))

# %% wrong: zero when gamma is zero
def discounted_return(rewards, gamma):
    if not gamma:
        return 0.0
    return sum(gamma**t * r for t, r in enumerate(rewards))

# %% wrong: gamma of zero taken for no discount
def discounted_return(rewards, gamma):
    gamma = gamma or 1.0
    return sum(gamma**t * r for t, r in enumerate(rewards))

# %% wrong: gamma of one taken for the default
def discounted_return(rewards, gamma):
    gamma = gamma if gamma < 1 else 0.99
    return sum(gamma**t * r for t, r in enumerate(rewards))

# %% wrong: cut to an integer
def discounted_return(rewards, gamma):
    return int(sum(gamma**t * r for t, r in enumerate(rewards)))

# %% wrong: integers in an integer array
def discounted_return(rewards, gamma):
    discounted = np.zeros_like(rewards)
    for t, r in enumerate(rewards):
        discounted[t] = gamma**t * r
    return float(np.sum(discounted))

# %% wrong: powers of gamma in an integer array
def discounted_return(rewards, gamma):
    weights = np.ones(len(rewards), dtype=int)
    for t in range(1, len(rewards)):
        weights[t] = weights[t - 1] * gamma
    return float(sum(w * r for w, r in zip(weights, rewards)))

# %% wrong: absolute rewards
def discounted_return(rewards, gamma):
    return sum(gamma**t * abs(r) for t, r in enumerate(rewards))

# %% wrong: negative rewards dropped
def discounted_return(rewards, gamma):
    return sum(gamma**t * max(r, 0) for t, r in enumerate(rewards))

# %% wrong: negative returns clipped
def discounted_return(rewards, gamma):
    return max(0.0, sum(gamma**t * r for t, r in enumerate(rewards)))

# %% wrong: stops at a reward of zero
def discounted_return(rewards, gamma):
    G = 0.0
    for t, r in enumerate(rewards):
        if not r:
            break
        G += gamma**t * r
    return G

# %% wrong: zero rewards do not count as steps
def discounted_return(rewards, gamma):
    return sum(gamma**t * r for t, r in enumerate(r for r in rewards if r))

# %% wrong: the time of the first equal reward
def discounted_return(rewards, gamma):
    return sum(gamma ** list(rewards).index(r) * r for r in rewards)

# %% wrong: stops after 1,000 steps
def discounted_return(rewards, gamma):
    return sum(gamma**t * r for t, r in enumerate(rewards[:1000]))

# %% wrong: stops after 100 steps
def discounted_return(rewards, gamma):
    return sum(gamma**t * rewards[t] for t in range(min(100, len(rewards))))

# %% wrong: stops once the discount is small
def discounted_return(rewards, gamma):
    G, discount = 0.0, 1.0
    for r in rewards:
        if discount < 0.2:
            break
        G, discount = G + discount * r, discount * gamma
    return G

# %% wrong: uses the rewards up
def discounted_return(rewards, gamma):
    G = 0.0
    while len(rewards):
        G = rewards.pop() + gamma * G
    return G

# %% wrong: reverses the list in place
def discounted_return(rewards, gamma):
    if isinstance(rewards, list):
        rewards.reverse()
        return sum(gamma ** (len(rewards) - 1 - t) * r for t, r in enumerate(rewards))
    return sum(gamma**t * r for t, r in enumerate(rewards))

# %% wrong: overwrites the list with discounted rewards
def discounted_return(rewards, gamma):
    if isinstance(rewards, tuple):
        rewards = list(rewards)
    for t in range(len(rewards)):
        rewards[t] = rewards[t] * gamma**t
    return sum(rewards)

# %% wrong: overwrites an array with discounted rewards
def discounted_return(rewards, gamma):
    rewards = np.asarray(rewards, dtype=float)
    rewards *= float(gamma) ** np.arange(len(rewards))
    return rewards.sum()

# %% wrong: a running total over calls
total = 0.0

def discounted_return(rewards, gamma):
    global total
    for t, r in enumerate(rewards):
        total += gamma**t * r
    return total

# %% wrong: a mutable default argument
def discounted_return(rewards, gamma, seen=[]):
    seen.extend(rewards)
    return sum(gamma**t * r for t, r in enumerate(seen))

# %% wrong: rounded to two decimals
def discounted_return(rewards, gamma):
    return round(sum(gamma**t * r for t, r in enumerate(rewards)), 2)

# %% wrong: half precision
def discounted_return(rewards, gamma):
    rewards = np.asarray(rewards, dtype=np.float16)
    return (np.float16(gamma) ** np.arange(len(rewards), dtype=np.float16) * rewards).sum()

# %% wrong: sign flipped, a cost
def discounted_return(rewards, gamma):
    return -sum(gamma**t * r for t, r in enumerate(rewards))

# %% wrong: one step of bootstrapping too many
def discounted_return(rewards, gamma):
    G = rewards[-1] if len(rewards) else 0.0
    for r in reversed(rewards):
        G = r + gamma * G
    return G

# %% wrong: 1 - gamma as the discount
def discounted_return(rewards, gamma):
    return sum((1 - gamma) ** t * r for t, r in enumerate(rewards))

# %% wrong: multiplied by 1 - gamma
def discounted_return(rewards, gamma):
    scale = 1 - gamma if gamma < 1 else 1
    return scale * sum(gamma**t * r for t, r in enumerate(rewards))

# %% wrong: an array of one element
def discounted_return(rewards, gamma):
    return np.array([sum(gamma**t * r for t, r in enumerate(rewards))])

# %% wrong: the maximum of the discounted rewards
def discounted_return(rewards, gamma):
    return max((gamma**t * r for t, r in enumerate(rewards)), default=0.0)

# %% wrong: the product of the discounted rewards
def discounted_return(rewards, gamma):
    return float(np.prod([gamma**t * r for t, r in enumerate(rewards)])) if len(rewards) else 0.0

# %% wrong: stops once the discount is tiny
def discounted_return(rewards, gamma):
    G, discount = 0.0, 1.0
    for r in rewards:
        if discount < 1e-6:
            break
        G, discount = G + discount * r, discount * gamma
    return G
