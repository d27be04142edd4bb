# Answers to compute_returns: discounted rewards-to-go, G_t = r_t + gamma * G_{t+1}.

# %% right: backward loop over a list
def compute_returns(rewards, gamma=0.99):
    returns, running = [], 0.0
    for reward in reversed(rewards):
        running = reward + gamma * running
        returns.append(running)
    return returns[::-1]


# %% right: backward loop by index into float64
def compute_returns(rewards, gamma=0.99):
    returns = np.zeros(len(rewards))
    running = 0.0
    for t in range(len(rewards) - 1, -1, -1):
        running = rewards[t] + gamma * running
        returns[t] = running
    return returns


# %% right: insert at the front
def compute_returns(rewards, gamma=0.99):
    returns = []
    for reward in list(rewards)[::-1]:
        following = returns[0] if returns else 0
        returns.insert(0, reward + gamma * following)
    return returns


# %% right: deque
def compute_returns(rewards, gamma=0.99):
    from collections import deque

    returns = deque()
    for reward in reversed(list(rewards)):
        returns.appendleft(reward + gamma * (returns[0] if returns else 0.0))
    return returns


# %% right: the formula, quadratic
def compute_returns(rewards, gamma=0.99):
    returns = []
    for t in range(len(rewards)):
        returns.append(sum(gamma**k * reward for k, reward in enumerate(rewards[t:])))
    return returns


# %% right: quadratic with two indices
def compute_returns(rewards, gamma=0.99):
    steps = range(len(rewards))
    return [sum(gamma ** (k - t) * rewards[k] for k in steps[t:]) for t in steps]


# %% right: rows of NumPy dot products
def compute_returns(rewards, gamma=0.99):
    rewards = np.asarray(rewards, dtype=np.float32)
    discounts = gamma ** np.arange(len(rewards))
    return np.array([rewards[t:] @ discounts[: len(rewards) - t] for t in range(len(rewards))])


# %% right: a triangular matrix
def compute_returns(rewards, gamma=0.99):
    rewards = np.asarray(rewards, dtype=float)
    steps = np.arange(len(rewards))
    lags = steps[None, :] - steps[:, None]
    return np.where(lags >= 0, float(gamma) ** np.maximum(lags, 0), 0.0) @ rewards


# %% right: itertools.accumulate
def compute_returns(rewards, gamma=0.99):
    from itertools import accumulate

    backwards = accumulate(reversed(list(rewards)), lambda running, reward: reward + gamma * running)
    return list(backwards)[::-1]


# %% right: lax.scan in float32
def compute_returns(rewards, gamma=0.99):
    rewards = jnp.asarray(rewards, jnp.float32)

    def step(running, reward):
        running = reward + gamma * running
        return running, running

    _, returns = jax.lax.scan(step, jnp.float32(0), rewards, reverse=True)
    return returns


# %% right: compiled scan
@jax.jit
def _returns(rewards, gamma):
    def step(running, reward):
        running = reward + gamma * running
        return running, running

    return jax.lax.scan(step, 0.0, rewards, reverse=True)[1]


def compute_returns(rewards, gamma=0.99):
    return _returns(jnp.asarray(rewards, float), gamma)


# %% right: associative scan
def compute_returns(rewards, gamma=0.99):
    rewards = jnp.asarray(rewards, jnp.float32)
    if rewards.size == 0:
        return rewards

    def combine(later, earlier):
        return later[0] * earlier[0], earlier[1] + earlier[0] * later[1]

    discounts = jnp.full_like(rewards, gamma)
    return jax.lax.associative_scan(combine, (discounts, rewards), reverse=True)[1]


# %% right: SciPy's filter
def compute_returns(rewards, gamma=0.99):
    from scipy.signal import lfilter

    rewards = np.asarray(rewards, dtype=float)
    return lfilter([1.0], [1.0, -gamma], rewards[::-1])[::-1] if rewards.size else rewards


# %% right: doubling
def compute_returns(rewards, gamma=0.99):
    returns, shift = np.array(rewards, dtype=np.float64), 1
    while shift < len(returns):
        returns[:-shift] += gamma**shift * returns[shift:].copy()
        shift *= 2
    return returns


# %% right: a tuple of Python floats
def compute_returns(rewards, gamma=0.99):
    result = ()
    for reward in reversed([float(r) for r in rewards]):
        result = (reward + gamma * (result[0] if result else 0.0), *result)
    return result


# %% right: horner with functools.reduce
def compute_returns(rewards, gamma=0.99):
    import functools

    grow = lambda returns, reward: [reward + gamma * returns[0], *returns]
    return functools.reduce(grow, [*rewards][::-1], [0.0])[:-1]


# %% right: JAX array filled step by step
def compute_returns(rewards, gamma=0.99):
    returns, running = jnp.zeros(len(rewards)), 0.0
    for t in reversed(range(len(rewards))):
        running = rewards[t] + gamma * running
        returns = returns.at[t].set(running)
    return returns


# %% right: a padded array, sliced
def compute_returns(rewards, gamma=0.99):
    padded = np.zeros(len(rewards) + 1, dtype=np.float64)
    for t in range(len(rewards))[::-1]:
        padded[t] = rewards[t] + gamma * padded[t + 1]
    return padded[:-1]


# %% right: convolution
def compute_returns(rewards, gamma=0.99):
    rewards = np.asarray(rewards, dtype=float)
    if len(rewards) == 0:
        return rewards
    discounts = float(gamma) ** np.arange(len(rewards))
    return np.convolve(rewards[::-1], discounts)[: len(rewards)][::-1]


# %% wrong: the return of the whole episode at every step
def compute_returns(rewards, gamma=0.99):
    total = sum(gamma**t * reward for t, reward in enumerate(rewards))
    return [total] * len(rewards)


# %% wrong: only the return of the episode
def compute_returns(rewards, gamma=0.99):
    return sum(gamma**t * reward for t, reward in enumerate(rewards))


# %% wrong: no discount
def compute_returns(rewards, gamma=0.99):
    return [sum(rewards[t:]) for t in range(len(rewards))]


# %% wrong: discount counted from the start of the episode
def compute_returns(rewards, gamma=0.99):
    return [sum(gamma**k * rewards[k] for k in range(t, len(rewards))) for t in range(len(rewards))]


# %% wrong: forward instead of backward
def compute_returns(rewards, gamma=0.99):
    returns, running = [], 0.0
    for reward in rewards:
        running = reward + gamma * running
        returns.append(running)
    return returns


# %% wrong: result left backwards
def compute_returns(rewards, gamma=0.99):
    returns, running = [], 0.0
    for reward in reversed(rewards):
        running = reward + gamma * running
        returns.append(running)
    return returns


# %% wrong: forward, then reversed
def compute_returns(rewards, gamma=0.99):
    returns, running = [], 0.0
    for reward in rewards:
        running = reward + gamma * running
        returns.insert(0, running)
    return returns


# %% wrong: past rewards
def compute_returns(rewards, gamma=0.99):
    return [sum(gamma**k * reward for k, reward in enumerate(rewards[: t + 1])) for t in range(len(rewards))]


# %% wrong: own reward left out
def compute_returns(rewards, gamma=0.99):
    return [sum(gamma**k * reward for k, reward in enumerate(rewards[t + 1 :])) for t in range(len(rewards))]


# %% wrong: last reward left out
def compute_returns(rewards, gamma=0.99):
    return [sum(gamma**k * reward for k, reward in enumerate(rewards[t:-1])) for t in range(len(rewards))]


# %% wrong: own reward discounted too
def compute_returns(rewards, gamma=0.99):
    returns, running = [], 0.0
    for reward in reversed(rewards):
        running = gamma * (reward + running)
        returns.append(running)
    return returns[::-1]


# %% wrong: discount on the reward instead of the future
def compute_returns(rewards, gamma=0.99):
    returns, running = [], 0.0
    for reward in reversed(rewards):
        running = gamma * reward + running
        returns.append(running)
    return returns[::-1]


# %% wrong: gamma never squared
def compute_returns(rewards, gamma=0.99):
    return [rewards[t] + gamma * sum(rewards[t + 1 :]) for t in range(len(rewards))]


# %% wrong: one step ahead only
def compute_returns(rewards, gamma=0.99):
    following = [*rewards[1:], 0]
    return [reward + gamma * after for reward, after in zip(rewards, following)]


# %% wrong: gamma fixed at 0.99
def compute_returns(rewards, gamma=0.99):
    returns, running = [], 0.0
    for reward in reversed(rewards):
        running = reward + 0.99 * running
        returns.append(running)
    return returns[::-1]


# %% wrong: default of 0.9
def compute_returns(rewards, gamma=0.9):
    returns, running = [], 0.0
    for reward in reversed(rewards):
        running = reward + gamma * running
        returns.append(running)
    return returns[::-1]


# %% wrong: default of 1
def compute_returns(rewards, gamma=1.0):
    returns, running = [], 0.0
    for reward in reversed(rewards):
        running = reward + gamma * running
        returns.append(running)
    return returns[::-1]


# %% wrong: no default
def compute_returns(rewards, gamma):
    returns, running = [], 0.0
    for reward in reversed(rewards):
        running = reward + gamma * running
        returns.append(running)
    return returns[::-1]


# %% wrong: gamma of zero taken for missing
def compute_returns(rewards, gamma=0.99):
    gamma = gamma or 0.99
    returns, running = [], 0.0
    for reward in reversed(rewards):
        running = reward + gamma * running
        returns.append(running)
    return returns[::-1]


# %% wrong: cast to integers
def compute_returns(rewards, gamma=0.99):
    returns, running = [], 0.0
    for reward in reversed(rewards):
        running = reward + gamma * running
        returns.append(int(running))
    return returns[::-1]


# %% wrong: keeps the dtype of integer rewards
def compute_returns(rewards, gamma=0.99):
    returns = np.zeros_like(rewards)
    running = 0.0
    for t in reversed(range(len(rewards))):
        running = rewards[t] + gamma * running
        returns[t] = running
    return returns


# %% wrong: changes a list it is given
def compute_returns(rewards, gamma=0.99):
    for t in reversed(range(len(rewards) - 1)):
        rewards[t] = rewards[t] + gamma * rewards[t + 1]
    return rewards


# %% wrong: changes an array it is given
def compute_returns(rewards, gamma=0.99):
    returns = np.asarray(rewards, dtype=np.float64)
    for t in range(len(returns) - 2, -1, -1):
        returns[t] += gamma * returns[t + 1]
    return returns


# %% wrong: reverses the caller's list
def compute_returns(rewards, gamma=0.99):
    rewards.reverse()
    returns, running = [], 0.0
    for reward in rewards:
        running = reward + gamma * running
        returns.append(running)
    return returns[::-1]


# %% wrong: empties the caller's list
def compute_returns(rewards, gamma=0.99):
    returns, running = [], 0.0
    while len(rewards):
        running = rewards.pop() + gamma * running
        returns.insert(0, running)
    return returns


# %% wrong: fails on an empty episode
def compute_returns(rewards, gamma=0.99):
    returns = [rewards[-1]]
    for reward in rewards[-2::-1]:
        returns.append(reward + gamma * returns[-1])
    return returns[::-1]


# %% wrong: None for an empty episode
def compute_returns(rewards, gamma=0.99):
    returns, running = None, 0.0
    for reward in reversed(rewards):
        running = reward + gamma * running
        returns = [running, *(returns or [])]
    return returns


# %% wrong: a zero for an empty episode
def compute_returns(rewards, gamma=0.99):
    if len(rewards) == 0:
        return [0.0]
    returns, running = [], 0.0
    for reward in reversed(rewards):
        running = reward + gamma * running
        returns.append(running)
    return returns[::-1]


# %% wrong: one value too many
def compute_returns(rewards, gamma=0.99):
    returns = [0.0]
    for reward in reversed(rewards):
        returns.append(reward + gamma * returns[-1])
    return returns[::-1]


# %% wrong: the first step is missing
def compute_returns(rewards, gamma=0.99):
    returns, running = [], 0.0
    for t in range(len(rewards) - 1, 0, -1):
        running = rewards[t] + gamma * running
        returns.append(running)
    return returns[::-1]


# %% wrong: counts steps instead of rewards
def compute_returns(rewards, gamma=0.99):
    returns, running = [], 0.0
    for _ in rewards:
        running = 1.0 + gamma * running
        returns.append(running)
    return returns[::-1]


# %% wrong: negative rewards ignored
def compute_returns(rewards, gamma=0.99):
    returns, running = [], 0.0
    for reward in reversed(rewards):
        running = max(reward, 0) + gamma * running
        returns.append(running)
    return returns[::-1]


# %% wrong: normalised
def compute_returns(rewards, gamma=0.99):
    returns, running = [], 0.0
    for reward in reversed(rewards):
        running = reward + gamma * running
        returns.append(running)
    returns = np.array(returns[::-1])
    return (returns - returns.mean()) / (returns.std() + 1e-8)


# %% wrong: divides by powers of gamma
def compute_returns(rewards, gamma=0.99):
    rewards = np.asarray(rewards, dtype=float)
    discounts = gamma ** np.arange(len(rewards))
    return np.cumsum((rewards * discounts)[::-1])[::-1] / discounts


# %% wrong: divides by powers of gamma, zero handled apart
def compute_returns(rewards, gamma=0.99):
    rewards = np.asarray(rewards, dtype=float)
    if gamma == 0:
        return rewards.copy()
    discounts = gamma ** np.arange(len(rewards))
    return np.cumsum((rewards * discounts)[::-1])[::-1] / discounts


# %% wrong: remembers the last call
_seen = []


def compute_returns(rewards, gamma=0.99):
    running = 0.0
    for reward in reversed(rewards):
        running = reward + gamma * running
        _seen.insert(0, running)
    return _seen


# %% wrong: a mutable default
def compute_returns(rewards, gamma=0.99, returns=[]):
    running = 0.0
    for reward in reversed(rewards):
        running = reward + gamma * running
        returns.insert(0, running)
    return returns


# %% wrong: stops at a reward of zero
def compute_returns(rewards, gamma=0.99):
    returns, running = [], 0.0
    for reward in reversed(rewards):
        running = reward + gamma * running if reward else 0.0
        returns.append(running)
    return returns[::-1]


# %% wrong: at most 500 steps
def compute_returns(rewards, gamma=0.99):
    returns, running = [0.0] * len(rewards), 0.0
    for t in reversed(range(min(len(rewards), 500))):
        running = rewards[t] + gamma * running
        returns[t] = running
    return returns


# %% wrong: a horizon of 200 steps ahead
def compute_returns(rewards, gamma=0.99):
    steps = range(len(rewards))
    return [sum(gamma**k * reward for k, reward in enumerate(rewards[t : t + 200])) for t in steps]


# %% wrong: an iterator
def compute_returns(rewards, gamma=0.99):
    returns, running = [], 0.0
    for reward in reversed(rewards):
        running = reward + gamma * running
        returns.append(running)
    return reversed(returns)


# %% wrong: yields
def compute_returns(rewards, gamma=0.99):
    for t in range(len(rewards)):
        yield sum(gamma**k * reward for k, reward in enumerate(rewards[t:]))


# %% wrong: list methods only
def compute_returns(rewards, gamma=0.99):
    copy = rewards + []
    for t in range(len(copy) - 2, -1, -1):
        copy[t] = copy[t] + gamma * copy[t + 1]
    return copy


# %% wrong: a column
def compute_returns(rewards, gamma=0.99):
    returns, running = [], 0.0
    for reward in reversed(rewards):
        running = reward + gamma * running
        returns.append([running])
    return np.array(returns[::-1])


# %% wrong: averages instead of sums
def compute_returns(rewards, gamma=0.99):
    returns = []
    for t in range(len(rewards)):
        future = [gamma**k * reward for k, reward in enumerate(rewards[t:])]
        returns.append(sum(future) / len(future))
    return returns


# %% wrong: a weighted mean of now and later
def compute_returns(rewards, gamma=0.99):
    returns, running = [], 0.0
    for reward in reversed(rewards):
        running = (1 - gamma) * reward + gamma * running
        returns.append(running)
    return returns[::-1]


# %% wrong: starts from a bootstrap of one
def compute_returns(rewards, gamma=0.99):
    returns, running = [], 1.0
    for reward in reversed(rewards):
        running = reward + gamma * running
        returns.append(running)
    return returns[::-1]


# %% wrong: the example
def compute_returns(rewards, gamma=0.99):
    return [10, 9, 7, 4] if gamma == 1 else [9.801496, 8.8904, 6.96, 4.0]


# %% wrong: returns the rewards
def compute_returns(rewards, gamma=0.99):
    return list(rewards)


# %% wrong: no return statement
def compute_returns(rewards, gamma=0.99):
    returns, running = [], 0.0
    for reward in reversed(rewards):
        running = reward + gamma * running
        returns.append(running)
    returns.reverse()
