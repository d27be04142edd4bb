# Answers to sample_action: one action drawn from Categorical(softmax(logits)), driven by the key.

# %% right: jax.random.categorical
def sample_action(random_key, logits):
    return jax.random.categorical(random_key, logits)


# %% right: a Python int
def sample_action(random_key, logits):
    return int(jax.random.categorical(random_key, logits))


# %% right: normalised first
def sample_action(random_key, logits):
    action = jax.random.categorical(random_key, jax.nn.log_softmax(logits))
    return action


# %% right: softmax and its logarithm
def sample_action(random_key, logits):
    probs = jax.nn.softmax(logits)
    return jax.random.categorical(random_key, jnp.log(probs))


# %% right: jax.random.choice
def sample_action(random_key, logits):
    return jax.random.choice(random_key, logits.shape[0], p=jax.nn.softmax(logits))


# %% right: choice among a range
def sample_action(random_key, logits):
    return jax.random.choice(random_key, jnp.arange(len(logits)), p=jax.nn.softmax(logits))


# %% right: Gumbel maximum
def sample_action(random_key, logits):
    return jnp.argmax(logits + jax.random.gumbel(random_key, logits.shape))


# %% right: Gumbel noise by hand
def sample_action(random_key, logits):
    uniform = jax.random.uniform(random_key, (len(logits),), minval=1e-12)
    return jnp.argmax(logits - jnp.log(-jnp.log(uniform))).astype(jnp.int32)


# %% right: exponential race
def sample_action(random_key, logits):
    waiting = jax.random.exponential(random_key, logits.shape)
    return jnp.argmin(waiting / jax.nn.softmax(logits))


# %% right: inverse of the distribution function
def sample_action(random_key, logits):
    cumulative = jnp.cumsum(jax.nn.softmax(logits))
    position = jnp.searchsorted(cumulative, jax.random.uniform(random_key))
    return jnp.minimum(position, len(logits) - 1)


# %% right: counts the thresholds passed
def sample_action(random_key, logits):
    cumulative = jnp.cumsum(jax.nn.softmax(logits))[:-1]
    return jnp.sum(jax.random.uniform(random_key) > cumulative)


# %% right: a loop over the actions
def sample_action(random_key, logits):
    remaining = float(jax.random.uniform(random_key))
    probs = np.asarray(jax.nn.softmax(logits))
    for action, prob in enumerate(probs):
        remaining -= prob
        if remaining < 0:
            return action
    return len(probs) - 1


# %% right: NumPy generator seeded by the key
def sample_action(random_key, logits):
    rng = np.random.default_rng(np.asarray(random_key))
    probs = np.exp(np.asarray(logits, dtype=np.float64) - np.max(logits))
    return rng.choice(len(probs), p=probs / probs.sum())


# %% right: NumPy generator seeded by the key as integers
def sample_action(random_key, logits):
    rng = np.random.default_rng([int(word) for word in random_key])
    probs = np.exp(np.asarray(logits, dtype=np.float64))
    return int(rng.choice(len(probs), p=probs / probs.sum()))


# %% right: multinomial of one draw
def sample_action(random_key, logits):
    rng = np.random.default_rng(np.asarray(random_key).tolist())
    probs = np.asarray(jax.nn.softmax(logits), dtype=np.float64)
    return np.argmax(rng.multinomial(1, probs / probs.sum()))


# %% right: a new key split off first
def sample_action(random_key, logits):
    key, _ = jax.random.split(random_key)
    return jax.random.categorical(key, logits, axis=-1)


# %% right: a batch of one
def sample_action(random_key, logits):
    return jax.random.categorical(random_key, logits[None, :])[0]


# %% right: one draw, taken out of its array
def sample_action(random_key, logits):
    return jax.random.categorical(random_key, logits, shape=(1,)).squeeze()


# %% right: compiled
@jax.jit
def sample_action(random_key, logits):
    return jax.random.categorical(random_key, logits - jax.nn.logsumexp(logits))


# %% right: a small integer dtype
def sample_action(random_key, logits):
    return jax.random.categorical(random_key, jnp.asarray(logits)).astype(jnp.uint8)


# %% right: one word of entropy folded in
def sample_action(random_key, logits):
    return jax.random.categorical(jax.random.fold_in(random_key, 7), logits)


# %% right: item
def sample_action(random_key, logits):
    return jax.random.categorical(random_key, logits).item()


# %% right: random.choices seeded by the key
def sample_action(random_key, logits):
    import random

    generator = random.Random(int(random_key[0]) * 2**32 + int(random_key[1]))
    return generator.choices(range(len(logits)), weights=np.exp(np.asarray(logits)).tolist())[0]


# %% wrong: always 1
def sample_action(random_key, logits):
    return 1


# %% wrong: always 0
def sample_action(random_key, logits):
    return jnp.array(0)


# %% wrong: greedy
def sample_action(random_key, logits):
    return jnp.argmax(logits)


# %% wrong: greedy over probabilities
def sample_action(random_key, logits):
    return int(jnp.argmax(jax.nn.softmax(logits)))


# %% wrong: uniform
def sample_action(random_key, logits):
    return jax.random.randint(random_key, (), 0, logits.shape[0])


# %% wrong: uniform choice
def sample_action(random_key, logits):
    return jax.random.choice(random_key, len(logits))


# %% wrong: categorical of the probabilities
def sample_action(random_key, logits):
    return jax.random.categorical(random_key, jax.nn.softmax(logits))


# %% wrong: softmax twice, by choice
def sample_action(random_key, logits):
    probs = jax.nn.softmax(jax.nn.softmax(logits))
    return jax.random.choice(random_key, len(logits), p=probs)


# %% wrong: too cold
def sample_action(random_key, logits):
    return jax.random.categorical(random_key, logits * 2)


# %% wrong: too hot
def sample_action(random_key, logits):
    return jax.random.categorical(random_key, logits / 2)


# %% wrong: half as cold again
def sample_action(random_key, logits):
    return jax.random.categorical(random_key, logits * 1.5)


# %% wrong: sign of the logits flipped
def sample_action(random_key, logits):
    return jax.random.categorical(random_key, -logits)


# %% wrong: logarithm of the logits
def sample_action(random_key, logits):
    return jax.random.categorical(random_key, jnp.log(logits))


# %% wrong: logarithm of the positive part of the logits
def sample_action(random_key, logits):
    return jax.random.categorical(random_key, jnp.log(jnp.maximum(logits, 1e-6)))


# %% wrong: exponentials as logits
def sample_action(random_key, logits):
    return jax.random.categorical(random_key, jnp.exp(logits))


# %% wrong: logits divided by their sum
def sample_action(random_key, logits):
    return jax.random.choice(random_key, len(logits), p=logits / logits.sum())


# %% wrong: logits shifted and divided by their sum
def sample_action(random_key, logits):
    probs = logits - logits.min()
    return jax.random.choice(random_key, len(logits), p=probs / probs.sum())


# %% wrong: sigmoids as probabilities
def sample_action(random_key, logits):
    probs = jax.nn.sigmoid(logits)
    return jax.random.choice(random_key, len(logits), p=probs / probs.sum())


# %% wrong: fixed key
def sample_action(random_key, logits):
    return jax.random.categorical(jax.random.PRNGKey(42), logits)


# %% wrong: NumPy's global generator
def sample_action(random_key, logits):
    probs = np.asarray(jax.nn.softmax(logits), dtype=np.float64)
    return int(np.random.choice(len(probs), p=probs / probs.sum()))


# %% wrong: a fresh NumPy generator without the key
def sample_action(random_key, logits):
    probs = np.asarray(jax.nn.softmax(logits), dtype=np.float64)
    return np.random.default_rng().choice(len(probs), p=probs / probs.sum())


# %% wrong: a fixed NumPy seed
def sample_action(random_key, logits):
    probs = np.asarray(jax.nn.softmax(logits), dtype=np.float64)
    return np.random.default_rng(0).choice(len(probs), p=probs / probs.sum())


# %% wrong: a key of its own that moves on
_own_key = jax.random.PRNGKey(0)


def sample_action(random_key, logits):
    global _own_key
    _own_key, key = jax.random.split(_own_key)
    return jax.random.categorical(key, logits)


# %% wrong: actions counted from 1
def sample_action(random_key, logits):
    return jax.random.categorical(random_key, logits) + 1


# %% wrong: actions counted from -1
def sample_action(random_key, logits):
    cumulative = jnp.cumsum(jax.nn.softmax(logits))
    return jnp.searchsorted(cumulative, jax.random.uniform(random_key)) - 1


# %% wrong: one-hot
def sample_action(random_key, logits):
    return jax.nn.one_hot(jax.random.categorical(random_key, logits), len(logits))


# %% wrong: probabilities
def sample_action(random_key, logits):
    return jax.nn.softmax(logits)


# %% wrong: the probability of the action
def sample_action(random_key, logits):
    return jax.nn.softmax(logits)[jax.random.categorical(random_key, logits)]


# %% wrong: the logit of the action
def sample_action(random_key, logits):
    return jax.random.choice(random_key, logits, p=jax.nn.softmax(logits))


# %% wrong: with its log-probability
def sample_action(random_key, logits):
    action = jax.random.categorical(random_key, logits)
    return action, jax.nn.log_softmax(logits)[action]


# %% wrong: an array of one action
def sample_action(random_key, logits):
    return jax.random.categorical(random_key, logits, shape=(1,))


# %% wrong: a list of one action
def sample_action(random_key, logits):
    return [int(jax.random.categorical(random_key, logits))]


# %% wrong: a float
def sample_action(random_key, logits):
    return float(jax.random.categorical(random_key, logits))


# %% wrong: a float32 array
def sample_action(random_key, logits):
    return jax.random.categorical(random_key, logits).astype(jnp.float32)


# %% wrong: a string
def sample_action(random_key, logits):
    return str(jax.random.categorical(random_key, logits))


# %% wrong: two actions only
def sample_action(random_key, logits):
    prob = jax.nn.softmax(logits)[1]
    return jax.random.bernoulli(random_key, prob).astype(jnp.int32)


# %% wrong: two actions only, by a threshold
def sample_action(random_key, logits):
    return int(jax.random.uniform(random_key) < jax.nn.softmax(logits)[1])


# %% wrong: Bernoulli of the wrong action
def sample_action(random_key, logits):
    return jax.random.bernoulli(random_key, jax.nn.softmax(logits)[0]).astype(int)


# %% wrong: the last action is never chosen
def sample_action(random_key, logits):
    return jax.random.categorical(random_key, logits[:-1])


# %% wrong: the first action is never chosen
def sample_action(random_key, logits):
    return jax.random.categorical(random_key, logits[1:]) + 1


# %% wrong: actions in reverse order
def sample_action(random_key, logits):
    return jax.random.categorical(random_key, logits[::-1])


# %% wrong: normal noise
def sample_action(random_key, logits):
    return jnp.argmax(logits + jax.random.normal(random_key, logits.shape))


# %% wrong: normal noise of the Gumbel distribution's variance
def sample_action(random_key, logits):
    return jnp.argmax(logits + 1.2825 * jax.random.normal(random_key, logits.shape))


# %% wrong: a little too cold
def sample_action(random_key, logits):
    return jax.random.categorical(random_key, logits / 0.9)


# %% wrong: logits rounded
def sample_action(random_key, logits):
    return jax.random.categorical(random_key, jnp.round(logits))


# %% wrong: uniform noise
def sample_action(random_key, logits):
    return jnp.argmax(logits + jax.random.uniform(random_key, logits.shape))


# %% wrong: Gumbel noise on probabilities
def sample_action(random_key, logits):
    return jnp.argmax(jax.nn.softmax(logits) + jax.random.gumbel(random_key, logits.shape))


# %% wrong: Gumbel noise subtracted
def sample_action(random_key, logits):
    return jnp.argmax(logits - jax.random.gumbel(random_key, logits.shape))


# %% wrong: probabilities times noise
def sample_action(random_key, logits):
    return jnp.argmax(jax.nn.softmax(logits) * jax.random.uniform(random_key, logits.shape))


# %% wrong: one noise for all actions
def sample_action(random_key, logits):
    return jnp.argmax(logits + jax.random.gumbel(random_key))


# %% wrong: mostly greedy
def sample_action(random_key, logits):
    choose, draw = jax.random.split(random_key)
    anything = jax.random.randint(draw, (), 0, len(logits))
    return jnp.where(jax.random.uniform(choose) < 0.1, anything, jnp.argmax(logits))


# %% wrong: a tenth of uniform exploration
def sample_action(random_key, logits):
    probs = 0.9 * jax.nn.softmax(logits) + 0.1 / len(logits)
    return jax.random.categorical(random_key, jnp.log(probs))


# %% wrong: logits clipped
def sample_action(random_key, logits):
    return jax.random.categorical(random_key, jnp.clip(logits, -1, 1))


# %% wrong: logits scaled to unit length
def sample_action(random_key, logits):
    return jax.random.categorical(random_key, logits / jnp.linalg.norm(logits))


# %% wrong: logits standardised
def sample_action(random_key, logits):
    return jax.random.categorical(random_key, (logits - logits.mean()) / (logits.std() + 1e-6))


# %% wrong: the larger of two draws
def sample_action(random_key, logits):
    return jax.random.categorical(random_key, logits, shape=(2,)).max()


# %% wrong: the cumulative sum as probabilities
def sample_action(random_key, logits):
    cumulative = jnp.cumsum(jax.nn.softmax(logits))
    return jax.random.choice(random_key, len(logits), p=cumulative / cumulative.sum())


# %% wrong: cumulative sum of the logits
def sample_action(random_key, logits):
    return jnp.searchsorted(jnp.cumsum(logits), jax.random.uniform(random_key))


# %% wrong: the key as an action
def sample_action(random_key, logits):
    return random_key[1] % len(logits)


# %% wrong: only the first word of the key
def sample_action(random_key, logits):
    return jax.random.categorical(jax.random.PRNGKey(random_key[0] % 4), logits)


# %% wrong: no return statement
def sample_action(random_key, logits):
    action = jax.random.categorical(random_key, logits)


# %% wrong: arguments in the other order
def sample_action(logits, random_key):
    return jax.random.categorical(random_key, logits)


# %% wrong: NumPy generator seeded by the key, too cold
def sample_action(random_key, logits):
    rng = np.random.default_rng(np.asarray(random_key))
    probs = np.exp(2 * np.asarray(logits, dtype=np.float64))
    return rng.choice(len(probs), p=probs / probs.sum())


# %% wrong: NumPy generator seeded by the key, softmax twice
def sample_action(random_key, logits):
    rng = np.random.default_rng(np.asarray(random_key))
    probs = np.exp(np.asarray(jax.nn.softmax(logits), dtype=np.float64))
    return rng.choice(len(probs), p=probs / probs.sum())


# %% wrong: NumPy generator seeded by the key, uniform
def sample_action(random_key, logits):
    return np.random.default_rng(np.asarray(random_key)).integers(len(logits))


# %% wrong: Python's hash of the logits as a seed
def sample_action(random_key, logits):
    rng = np.random.default_rng(abs(hash(tuple(np.asarray(logits).tolist()))))
    probs = np.asarray(jax.nn.softmax(logits), dtype=np.float64)
    return rng.choice(len(probs), p=probs / probs.sum())


# %% wrong: greedy when sure, else uniform
def sample_action(random_key, logits):
    probs = jax.nn.softmax(logits)
    anything = jax.random.randint(random_key, (), 0, len(logits))
    return jnp.where(probs.max() > 0.5, jnp.argmax(probs), anything)


# %% wrong: rejection with a fixed number of tries
def sample_action(random_key, logits):
    probs = jax.nn.softmax(logits)
    candidates = jax.random.randint(random_key, (3,), 0, len(logits))
    accepted = jax.random.uniform(random_key, (3,)) < probs[candidates] / probs.max()
    return candidates[jnp.argmax(accepted)]
