# Answers to importance_weights: min(pi / mu, max_weight), constants.

# %% right: no gradient is recorded
def importance_weights(log_pi, log_mu, max_weight=1.0):
    with torch.no_grad():
        return torch.exp(log_pi - log_mu).clamp(max=max_weight)


# %% right: detached at the end, torch.minimum
def importance_weights(log_pi, log_mu, max_weight=1.0):
    ratio = torch.exp(log_pi - log_mu)
    return torch.minimum(ratio, torch.full_like(ratio, max_weight)).detach()


# %% right: NumPy
def importance_weights(log_pi, log_mu, max_weight=1.0):
    difference = log_pi.detach().numpy() - log_mu.detach().numpy()
    with np.errstate(over="ignore"):
        return np.minimum(np.exp(difference), max_weight)


# %% right: the bound in logarithms
def importance_weights(log_pi, log_mu, max_weight=1.0):
    difference = (log_pi - log_mu).detach()
    return difference.clamp(max=float(np.log(max_weight))).exp()


# %% right: where
def importance_weights(log_pi, log_mu, max_weight=1.0):
    ratio = (log_pi.detach() - log_mu.detach()).exp()
    return torch.where(ratio > max_weight, torch.tensor(float(max_weight)), ratio)


# %% right: decorated
@torch.no_grad()
def importance_weights(log_pi, log_mu, max_weight=1.0):
    return log_mu.sub(log_pi).neg().exp().clamp_(max=max_weight)


# %% right: through .data, in float64
def importance_weights(log_pi, log_mu, max_weight=1.0):
    ratio = torch.exp(log_pi.data.double() - log_mu.data.double())
    ratio[ratio > max_weight] = max_weight
    return ratio


# %% wrong: mu over pi
def importance_weights(log_pi, log_mu, max_weight=1.0):
    return (log_mu - log_pi).detach().exp().clamp(max=max_weight)


# %% wrong: not bounded
def importance_weights(log_pi, log_mu, max_weight=1.0):
    return (log_pi - log_mu).detach().exp()


# %% wrong: always bounded by one
def importance_weights(log_pi, log_mu, max_weight=1.0):
    return (log_pi - log_mu).detach().exp().clamp(max=1.0)


# %% wrong: a gradient flows
def importance_weights(log_pi, log_mu, max_weight=1.0):
    return (log_pi - log_mu).exp().clamp(max=max_weight)


# %% wrong: a gradient flows through log_pi
def importance_weights(log_pi, log_mu, max_weight=1.0):
    return (log_pi - log_mu.detach()).exp().clamp(max=max_weight)


# %% wrong: a gradient flows through log_mu
def importance_weights(log_pi, log_mu, max_weight=1.0):
    return (log_pi.detach() - log_mu).exp().clamp(max=max_weight)


# %% wrong: the logarithm of the weight
def importance_weights(log_pi, log_mu, max_weight=1.0):
    return (log_pi - log_mu).detach().clamp(max=max_weight)


# %% wrong: the ratio of the logarithms
def importance_weights(log_pi, log_mu, max_weight=1.0):
    return (log_pi / log_mu).detach().clamp(max=max_weight)


# %% wrong: the difference of the probabilities
def importance_weights(log_pi, log_mu, max_weight=1.0):
    return (log_pi.exp() - log_mu.exp()).detach().clamp(max=max_weight)


# %% wrong: a quotient of probabilities that underflow
def importance_weights(log_pi, log_mu, max_weight=1.0):
    return (log_pi.exp() / log_mu.exp()).detach().clamp(max=max_weight)


# %% wrong: the bound is on the difference of the logarithms
def importance_weights(log_pi, log_mu, max_weight=1.0):
    return (log_pi - log_mu).detach().clamp(max=max_weight).exp()


# %% wrong: max instead of min
def importance_weights(log_pi, log_mu, max_weight=1.0):
    return (log_pi - log_mu).detach().exp().clamp(min=max_weight)


# %% wrong: bounded on both sides, as PPO's ratio
def importance_weights(log_pi, log_mu, max_weight=1.0):
    return (log_pi - log_mu).detach().exp().clamp(min=1 / max_weight if max_weight > 1 else 0, max=max_weight)


# %% wrong: scaled to the bound
def importance_weights(log_pi, log_mu, max_weight=1.0):
    ratio = (log_pi - log_mu).detach().exp()
    return max_weight * ratio.clamp(max=1.0)


# %% wrong: normalised to a mean of one
def importance_weights(log_pi, log_mu, max_weight=1.0):
    ratio = (log_pi - log_mu).detach().exp().clamp(max=max_weight)
    return ratio / ratio.mean()


# %% wrong: multiplied along the rows
def importance_weights(log_pi, log_mu, max_weight=1.0):
    return (log_pi - log_mu).detach().cumsum(0).exp().clamp(max=max_weight)


# %% wrong: default of ten
def importance_weights(log_pi, log_mu, max_weight=10.0):
    return (log_pi - log_mu).detach().exp().clamp(max=max_weight)


# %% wrong: changes log_mu in place
def importance_weights(log_pi, log_mu, max_weight=1.0):
    return log_mu.detach().sub_(log_pi.detach()).neg_().exp_().clamp_(max=max_weight)


# %% wrong: keeps differences away from large numbers
def importance_weights(log_pi, log_mu, max_weight=1.0):
    return (log_pi - log_mu).detach().clamp(-0.5, 20.0).exp().clamp(max=max_weight)
