# Answers to compute_weighted_log_prob: episode_return * log(action_prob), differentiable in JAX.

# %% right: one line
def compute_weighted_log_prob(action_prob, episode_return):
    return episode_return * jnp.log(action_prob)


# %% right: two steps with names
def compute_weighted_log_prob(action_prob, episode_return):
    log_prob = jnp.log(action_prob)
    weighted_log_prob = log_prob * episode_return
    return weighted_log_prob


# %% right: lax primitives
def compute_weighted_log_prob(action_prob, episode_return):
    return jax.lax.mul(jax.lax.log(jnp.asarray(action_prob, float)), jnp.asarray(episode_return, float))


# %% right: base two and back
def compute_weighted_log_prob(action_prob, episode_return):
    return episode_return * jnp.log2(action_prob) * jnp.log(2.0)


# %% right: guarded against zero
def compute_weighted_log_prob(action_prob, episode_return):
    return episode_return * jnp.log(jnp.maximum(action_prob, 1e-12))


# %% right: a tiny constant against zero
def compute_weighted_log_prob(action_prob, episode_return):
    return episode_return * jnp.log(action_prob + 1e-8)


# %% right: clipped into the open unit interval
def compute_weighted_log_prob(action_prob, episode_return):
    return episode_return * jnp.log(jnp.clip(action_prob, 1e-10, 1.0))


# %% right: the return is a constant
def compute_weighted_log_prob(action_prob, episode_return):
    return jax.lax.stop_gradient(episode_return) * jnp.log(action_prob)


# %% right: compiled
@jax.jit
def compute_weighted_log_prob(action_prob, episode_return):
    return jnp.multiply(jnp.log(action_prob), episode_return)


# %% right: minus the logarithm of the inverse
def compute_weighted_log_prob(action_prob, episode_return):
    return -episode_return * jnp.log(1.0 / action_prob)


# %% right: log1p of p minus one
def compute_weighted_log_prob(action_prob, episode_return):
    return episode_return * jnp.log1p(action_prob - 1.0)


# %% right: zero return answered early
def compute_weighted_log_prob(action_prob, episode_return):
    if episode_return == 0:
        return 0.0 * action_prob
    return episode_return * jnp.log(action_prob)


# %% right: xlogy
def compute_weighted_log_prob(action_prob, episode_return):
    return jax.scipy.special.xlogy(episode_return, action_prob)


# %% right: its derivative written by hand
@jax.custom_jvp
def compute_weighted_log_prob(action_prob, episode_return):
    return episode_return * jnp.log(action_prob)


@compute_weighted_log_prob.defjvp
def _derivative(primals, tangents):
    (p, g), (dp, dg) = primals, tangents
    return g * jnp.log(p), g * dp / p + dg * jnp.log(p)


# %% right: a lambda with NumPy float64 outside of tracing
compute_weighted_log_prob = lambda action_prob, episode_return: (
    episode_return * np.log(np.float64(action_prob))
    if isinstance(action_prob, (float, np.floating))
    else episode_return * jnp.log(action_prob)
)


# %% wrong: no logarithm
def compute_weighted_log_prob(action_prob, episode_return):
    return episode_return * action_prob


# %% wrong: the return is left out
def compute_weighted_log_prob(action_prob, episode_return):
    return jnp.log(action_prob)


# %% wrong: sign flipped
def compute_weighted_log_prob(action_prob, episode_return):
    return -episode_return * jnp.log(action_prob)


# %% wrong: logarithm of the return
def compute_weighted_log_prob(action_prob, episode_return):
    return action_prob * jnp.log(episode_return)


# %% wrong: logarithm of the product
def compute_weighted_log_prob(action_prob, episode_return):
    return jnp.log(action_prob * episode_return)


# %% wrong: sum instead of product
def compute_weighted_log_prob(action_prob, episode_return):
    return jnp.log(action_prob) + episode_return


# %% wrong: base ten
def compute_weighted_log_prob(action_prob, episode_return):
    return episode_return * jnp.log10(action_prob)


# %% wrong: base two
def compute_weighted_log_prob(action_prob, episode_return):
    return episode_return * jnp.log2(action_prob)


# %% wrong: log1p of the probability
def compute_weighted_log_prob(action_prob, episode_return):
    return episode_return * jnp.log1p(action_prob)


# %% wrong: p log p
def compute_weighted_log_prob(action_prob, episode_return):
    return episode_return * action_prob * jnp.log(action_prob)


# %% wrong: math.log stops the gradient
def compute_weighted_log_prob(action_prob, episode_return):
    import math

    return episode_return * math.log(action_prob)


# %% wrong: np.log is unknown to JAX
def compute_weighted_log_prob(action_prob, episode_return):
    return episode_return * np.log(np.asarray(action_prob))


# %% wrong: leaves JAX through float
def compute_weighted_log_prob(action_prob, episode_return):
    return float(episode_return * jnp.log(action_prob))


# %% wrong: item
def compute_weighted_log_prob(action_prob, episode_return):
    return (episode_return * jnp.log(action_prob)).item()


# %% wrong: gradient stopped
def compute_weighted_log_prob(action_prob, episode_return):
    return episode_return * jax.lax.stop_gradient(jnp.log(action_prob))


# %% wrong: return cast to an integer
def compute_weighted_log_prob(action_prob, episode_return):
    return int(episode_return) * jnp.log(action_prob)


# %% wrong: return cast to int32
def compute_weighted_log_prob(action_prob, episode_return):
    return jnp.asarray(episode_return).astype("int32") * jnp.log(action_prob)


# %% wrong: size of the return only
def compute_weighted_log_prob(action_prob, episode_return):
    return jnp.abs(episode_return) * jnp.log(action_prob)


# %% wrong: negative returns ignored
def compute_weighted_log_prob(action_prob, episode_return):
    return jnp.maximum(episode_return, 0.0) * jnp.log(action_prob)


# %% wrong: return clipped
def compute_weighted_log_prob(action_prob, episode_return):
    return jnp.clip(episode_return, -100.0, 100.0) * jnp.log(action_prob)


# %% wrong: return squared
def compute_weighted_log_prob(action_prob, episode_return):
    return episode_return**2 * jnp.log(action_prob)


# %% wrong: return scaled to 500
def compute_weighted_log_prob(action_prob, episode_return):
    return episode_return / 500.0 * jnp.log(action_prob)


# %% wrong: power inside the logarithm underflows
def compute_weighted_log_prob(action_prob, episode_return):
    return jnp.log(action_prob**episode_return)


# %% wrong: a large constant against zero
def compute_weighted_log_prob(action_prob, episode_return):
    return episode_return * jnp.log(action_prob + 1e-2)


# %% wrong: probability clipped at a hundredth
def compute_weighted_log_prob(action_prob, episode_return):
    return episode_return * jnp.log(jnp.clip(action_prob, 0.01, 0.99))


# %% wrong: an array of one number
def compute_weighted_log_prob(action_prob, episode_return):
    return jnp.array([episode_return * jnp.log(action_prob)])


# %% wrong: at least one dimension
def compute_weighted_log_prob(action_prob, episode_return):
    return jnp.atleast_1d(episode_return * jnp.log(action_prob))


# %% wrong: a pair
def compute_weighted_log_prob(action_prob, episode_return):
    log_prob = jnp.log(action_prob)
    return log_prob, episode_return * log_prob


# %% wrong: no return statement
def compute_weighted_log_prob(action_prob, episode_return):
    weighted_log_prob = episode_return * jnp.log(action_prob)


# %% wrong: prints instead
def compute_weighted_log_prob(action_prob, episode_return):
    print(episode_return * jnp.log(action_prob))


# %% wrong: the number of the visible check
def compute_weighted_log_prob(action_prob, episode_return):
    return -22.314354


# %% wrong: rounded
def compute_weighted_log_prob(action_prob, episode_return):
    return jnp.round(episode_return * jnp.log(action_prob), 2)


# %% wrong: logit instead of logarithm
def compute_weighted_log_prob(action_prob, episode_return):
    return episode_return * (jnp.log(action_prob) - jnp.log(1 - action_prob))


# %% wrong: logarithm of the other action
def compute_weighted_log_prob(action_prob, episode_return):
    return episode_return * jnp.log(1 - action_prob)


# %% wrong: a straight line instead of the logarithm
def compute_weighted_log_prob(action_prob, episode_return):
    return episode_return * (action_prob - 1)


# %% wrong: exponential
def compute_weighted_log_prob(action_prob, episode_return):
    return episode_return * jnp.exp(action_prob)


# %% wrong: logarithm of a softmax of a scalar
def compute_weighted_log_prob(action_prob, episode_return):
    return episode_return * jnp.log(jax.nn.softmax(jnp.atleast_1d(action_prob)))[0]


# %% wrong: value right, gradient of the probability instead
def compute_weighted_log_prob(action_prob, episode_return):
    constant = jax.lax.stop_gradient(jnp.log(action_prob) - action_prob)
    return episode_return * (constant + action_prob)


# %% wrong: undefined name
def compute_weighted_log_prob(action_prob, episode_return):
    return episode_return * log(action_prob)


# %% wrong: arguments in the other order
def compute_weighted_log_prob(episode_return, action_prob):
    return episode_return * jnp.log(action_prob)
