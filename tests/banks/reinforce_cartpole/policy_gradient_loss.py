# Answers to policy_gradient_loss: -returns * log pi(action), under grad, vmap and jit.

# %% right: softmax, index, weighted log-probability
def policy_gradient_loss(action, logits, returns):
    probs = jax.nn.softmax(logits)
    return -compute_weighted_log_prob(probs[action], returns)


# %% right: log_softmax
def policy_gradient_loss(action, logits, returns):
    return -returns * jax.nn.log_softmax(logits)[action]


# %% right: logsumexp
def policy_gradient_loss(action, logits, returns):
    return returns * (jax.nn.logsumexp(logits) - logits[action])


# %% right: one-hot
def policy_gradient_loss(action, logits, returns):
    chosen = jax.nn.one_hot(action, logits.shape[-1])
    return -returns * jnp.sum(chosen * jax.nn.log_softmax(logits))


# %% right: dot product with a comparison
def policy_gradient_loss(action, logits, returns):
    chosen = (jnp.arange(logits.shape[0]) == action).astype(jnp.float32)
    return -jnp.dot(chosen, jax.nn.log_softmax(logits)) * returns


# %% right: Optax cross-entropy
def policy_gradient_loss(action, logits, returns):
    return returns * optax.softmax_cross_entropy_with_integer_labels(logits, action)


# %% right: Optax cross-entropy with one-hot labels
def policy_gradient_loss(action, logits, returns):
    labels = jax.nn.one_hot(action, len(logits))
    return returns * optax.softmax_cross_entropy(logits, labels)


# %% right: exponentials by hand
def policy_gradient_loss(action, logits, returns):
    weights = jnp.exp(logits - jnp.max(logits))
    return -returns * jnp.log(weights[action] / jnp.sum(weights))


# %% right: plain exponentials
def policy_gradient_loss(action, logits, returns):
    return -returns * jnp.log(jnp.exp(logits[action]) / jnp.exp(logits).sum())


# %% right: constant returns
def policy_gradient_loss(action, logits, returns):
    log_probs = logits - jax.scipy.special.logsumexp(logits, axis=-1, keepdims=True)
    return -(jax.lax.stop_gradient(returns) * jnp.take(log_probs, action))


# %% right: dynamic index
def policy_gradient_loss(action, logits, returns):
    log_prob = jax.lax.dynamic_index_in_dim(jax.nn.log_softmax(logits), action, keepdims=False)
    return jnp.negative(jnp.multiply(returns, log_prob))


# %% right: compiled
@jax.jit
def policy_gradient_loss(action, logits, returns):
    return -returns * jnp.log(jax.nn.softmax(logits) + 1e-9)[action]


# %% right: take_along_axis
def policy_gradient_loss(action, logits, returns):
    log_probs = jax.nn.log_softmax(jnp.asarray(logits), axis=-1)
    chosen = jnp.take_along_axis(log_probs, jnp.asarray(action)[None], axis=-1)
    return -returns * chosen.squeeze(-1)


# %% right: where and sum
def policy_gradient_loss(action, logits, returns):
    log_probs = jax.nn.log_softmax(logits)
    return -jnp.where(jnp.arange(log_probs.size) == action, returns * log_probs, 0.0).sum()


# %% right: negative return times the log-probability, step by step
def policy_gradient_loss(action, logits, returns):
    all_action_probs = jax.nn.softmax(logits)
    action_prob = all_action_probs[action]
    weighted_log_prob = compute_weighted_log_prob(action_prob, returns)
    loss = -1.0 * weighted_log_prob
    return loss


# %% right: differences of logits
def policy_gradient_loss(action, logits, returns):
    return returns * jnp.log(jnp.sum(jnp.exp(logits - logits[action])))


# %% right: its gradient written by hand
@jax.custom_vjp
def policy_gradient_loss(action, logits, returns):
    return -returns * jax.nn.log_softmax(logits)[action]


def _forward(action, logits, returns):
    return policy_gradient_loss(action, logits, returns), (action, logits, returns)


def _backward(residuals, cotangent):
    action, logits, returns = residuals
    score = jax.nn.one_hot(action, logits.shape[0]) - jax.nn.softmax(logits)
    return None, -cotangent * returns * score, -cotangent * jax.nn.log_softmax(logits)[action]


policy_gradient_loss.defvjp(_forward, _backward)


# %% wrong: sign
def policy_gradient_loss(action, logits, returns):
    return returns * jax.nn.log_softmax(logits)[action]


# %% wrong: sign, through the weighted log-probability
def policy_gradient_loss(action, logits, returns):
    return compute_weighted_log_prob(jax.nn.softmax(logits)[action], returns)


# %% wrong: no logarithm
def policy_gradient_loss(action, logits, returns):
    return -returns * jax.nn.softmax(logits)[action]


# %% wrong: the raw logit
def policy_gradient_loss(action, logits, returns):
    return -returns * logits[action]


# %% wrong: logarithm of the raw logit
def policy_gradient_loss(action, logits, returns):
    return -returns * jnp.log(logits[action])


# %% wrong: weighted log-probability of the raw logit
def policy_gradient_loss(action, logits, returns):
    return -compute_weighted_log_prob(logits[action], returns)


# %% wrong: always action 0
def policy_gradient_loss(action, logits, returns):
    return -returns * jax.nn.log_softmax(logits)[0]


# %% wrong: always action 1
def policy_gradient_loss(action, logits, returns):
    return -returns * jax.nn.log_softmax(logits)[1]


# %% wrong: the greedy action
def policy_gradient_loss(action, logits, returns):
    return -returns * jnp.max(jax.nn.log_softmax(logits))


# %% wrong: mean over the actions
def policy_gradient_loss(action, logits, returns):
    return -returns * jnp.mean(jax.nn.log_softmax(logits))


# %% wrong: sum over the actions
def policy_gradient_loss(action, logits, returns):
    return -returns * jnp.sum(jax.nn.log_softmax(logits))


# %% wrong: all actions
def policy_gradient_loss(action, logits, returns):
    return -returns * jax.nn.log_softmax(logits)


# %% wrong: softmax twice
def policy_gradient_loss(action, logits, returns):
    return -returns * jax.nn.log_softmax(jax.nn.softmax(logits))[action]


# %% wrong: sigmoid
def policy_gradient_loss(action, logits, returns):
    return -returns * jax.nn.log_sigmoid(logits)[action]


# %% wrong: two actions only
def policy_gradient_loss(action, logits, returns):
    chosen = jax.nn.one_hot(action, 2)
    return -returns * jnp.sum(chosen * jax.nn.log_softmax(logits)[:2])


# %% wrong: two actions only, by the difference of logits
def policy_gradient_loss(action, logits, returns):
    sign = 2 * action - 1
    return -returns * jax.nn.log_sigmoid(sign * (logits[1] - logits[0]))


# %% wrong: branches on the action
def policy_gradient_loss(action, logits, returns):
    log_probs = jax.nn.log_softmax(logits)
    if action == 0:
        return -returns * log_probs[0]
    return -returns * log_probs[int(action)]


# %% wrong: action through int
def policy_gradient_loss(action, logits, returns):
    return -returns * jax.nn.log_softmax(logits)[int(action)]


# %% wrong: the result through float
def policy_gradient_loss(action, logits, returns):
    return float(-returns * jax.nn.log_softmax(logits)[action])


# %% wrong: NumPy
def policy_gradient_loss(action, logits, returns):
    logits = np.asarray(logits)
    return -returns * (logits[action] - np.log(np.exp(logits).sum()))


# %% wrong: SciPy
def policy_gradient_loss(action, logits, returns):
    from scipy.special import log_softmax

    return -returns * log_softmax(np.asarray(logits))[action]


# %% wrong: gradient of the logits stopped
def policy_gradient_loss(action, logits, returns):
    return -returns * jax.nn.log_softmax(jax.lax.stop_gradient(logits))[action]


# %% wrong: the log-probability as a constant
def policy_gradient_loss(action, logits, returns):
    return -returns * jax.lax.stop_gradient(jax.nn.log_softmax(logits)[action])


# %% wrong: the normaliser as a constant
def policy_gradient_loss(action, logits, returns):
    return -returns * (logits[action] - jax.lax.stop_gradient(jax.nn.logsumexp(logits)))


# %% wrong: p over its own constant
def policy_gradient_loss(action, logits, returns):
    prob = jax.nn.softmax(logits)[action]
    return -returns * prob / jax.lax.stop_gradient(prob)


# %% wrong: returns cast to integers
def policy_gradient_loss(action, logits, returns):
    return -jnp.asarray(returns).astype(jnp.int32) * jax.nn.log_softmax(logits)[action]


# %% wrong: size of the returns
def policy_gradient_loss(action, logits, returns):
    return -jnp.abs(returns) * jax.nn.log_softmax(logits)[action]


# %% wrong: negative returns ignored
def policy_gradient_loss(action, logits, returns):
    return -jax.nn.relu(returns) * jax.nn.log_softmax(logits)[action]


# %% wrong: returns left out
def policy_gradient_loss(action, logits, returns):
    return -jax.nn.log_softmax(logits)[action]


# %% wrong: returns squared
def policy_gradient_loss(action, logits, returns):
    return -(returns**2) * jax.nn.log_softmax(logits)[action]


# %% wrong: returns scaled
def policy_gradient_loss(action, logits, returns):
    return -returns / 500 * jax.nn.log_softmax(logits)[action]


# %% wrong: returns clipped
def policy_gradient_loss(action, logits, returns):
    return -jnp.clip(returns, -10, 10) * jax.nn.log_softmax(logits)[action]


# %% wrong: divided by the number of actions
def policy_gradient_loss(action, logits, returns):
    chosen = jax.nn.one_hot(action, len(logits))
    return -jnp.mean(returns * chosen * jax.nn.log_softmax(logits))


# %% wrong: base ten
def policy_gradient_loss(action, logits, returns):
    return -returns * jnp.log10(jax.nn.softmax(logits)[action])


# %% wrong: base two
def policy_gradient_loss(action, logits, returns):
    return -returns * jnp.log2(jax.nn.softmax(logits)[action])


# %% wrong: a large constant in the logarithm
def policy_gradient_loss(action, logits, returns):
    return -returns * jnp.log(jax.nn.softmax(logits)[action] + 1e-2)


# %% wrong: exponentials that are not normalised
def policy_gradient_loss(action, logits, returns):
    return -returns * jnp.log(jnp.exp(logits)[action])


# %% wrong: divided by the sum of the logits
def policy_gradient_loss(action, logits, returns):
    return -returns * jnp.log(logits[action] / jnp.sum(logits))


# %% wrong: divided by the sum of the other exponentials
def policy_gradient_loss(action, logits, returns):
    weights = jnp.exp(logits)
    return -returns * jnp.log(weights[action] / (weights.sum() - weights[action]))


# %% wrong: off by one
def policy_gradient_loss(action, logits, returns):
    return -returns * jax.nn.log_softmax(logits)[action - 1]


# %% wrong: actions counted from 1, clamped
def policy_gradient_loss(action, logits, returns):
    return -returns * jax.nn.log_softmax(logits)[jnp.minimum(action + 1, logits.shape[0] - 1)]


# %% wrong: inverse probability weight on top
def policy_gradient_loss(action, logits, returns):
    log_prob = jax.nn.log_softmax(logits)[action]
    return -returns * log_prob / jax.lax.stop_gradient(jnp.exp(log_prob))


# %% wrong: expectation over the policy
def policy_gradient_loss(action, logits, returns):
    return -returns * jnp.sum(jax.nn.softmax(logits) * jax.nn.log_softmax(logits))


# %% wrong: probability times log-probability
def policy_gradient_loss(action, logits, returns):
    log_prob = jax.nn.log_softmax(logits)[action]
    return -returns * jnp.exp(log_prob) * log_prob


# %% wrong: an entropy bonus nobody asked for
def policy_gradient_loss(action, logits, returns):
    log_probs = jax.nn.log_softmax(logits)
    entropy = -jnp.sum(jnp.exp(log_probs) * log_probs)
    return -returns * log_probs[action] - 0.01 * entropy


# %% wrong: squared error
def policy_gradient_loss(action, logits, returns):
    return (returns - logits[action]) ** 2


# %% wrong: a batch of one expected
def policy_gradient_loss(action, logits, returns):
    return -jnp.mean(returns * jax.nn.log_softmax(logits)[:, action])


# %% wrong: an array of one number
def policy_gradient_loss(action, logits, returns):
    return jnp.atleast_1d(-returns * jax.nn.log_softmax(logits)[action])


# %% wrong: a dimension kept
def policy_gradient_loss(action, logits, returns):
    log_probs = logits - jax.nn.logsumexp(logits, keepdims=True)
    return -returns * jax.lax.dynamic_slice(log_probs, (action,), (1,))


# %% wrong: loss and gradient
def policy_gradient_loss(action, logits, returns):
    log_prob = jax.nn.log_softmax(logits)[action]
    return -returns * log_prob, log_prob


# %% wrong: the gradient instead of the loss
def policy_gradient_loss(action, logits, returns):
    return -returns * (jax.nn.one_hot(action, logits.shape[0]) - jax.nn.softmax(logits))


# %% wrong: minus applied to the probability
def policy_gradient_loss(action, logits, returns):
    return compute_weighted_log_prob(-jax.nn.softmax(logits)[action], returns)


# %% wrong: minus inside the softmax
def policy_gradient_loss(action, logits, returns):
    return -returns * jax.nn.log_softmax(-logits)[action]


# %% wrong: samples its own action
def policy_gradient_loss(action, logits, returns):
    own = jax.random.categorical(jax.random.PRNGKey(0), logits)
    return -returns * jax.nn.log_softmax(logits)[own]


# %% wrong: the number of the visible check
def policy_gradient_loss(action, logits, returns):
    return 3.1326165


# %% wrong: no return statement
def policy_gradient_loss(action, logits, returns):
    loss = -returns * jax.nn.log_softmax(logits)[action]


# %% wrong: arguments in the other order
def policy_gradient_loss(logits, action, returns):
    return -returns * jax.nn.log_softmax(logits)[action]
