# Answers to policy_entropy: entropy of softmax(logits) over the last axis.

# %% right: where the probability is zero, the term is zero
def policy_entropy(logits):
    log_p = torch.log_softmax(logits, dim=-1)
    p = log_p.exp()
    return -torch.where(p > 0, p * log_p, torch.zeros_like(p)).sum(-1)


# %% right: where, safe in the gradient as well
def policy_entropy(logits):
    log_p = torch.log_softmax(logits, dim=-1)
    possible = torch.isfinite(log_p)
    log_p = torch.where(possible, log_p, torch.zeros_like(log_p))
    return -(log_p.exp() * log_p * possible).sum(dim=-1)


# %% right: torch.distributions
def policy_entropy(logits):
    return torch.distributions.Categorical(logits=logits).entropy()


# %% right: torch.special.entr
def policy_entropy(logits):
    return torch.special.entr(torch.softmax(logits, dim=-1)).sum(dim=-1)


# %% right: xlogy
def policy_entropy(logits):
    p = torch.softmax(logits, -1)
    return -torch.xlogy(p, p).sum(-1)


# %% right: forbidden logits replaced by very low ones
def policy_entropy(logits):
    logits = torch.where(torch.isinf(logits), torch.full_like(logits, -1e9), logits)
    log_p = torch.nn.functional.log_softmax(logits, dim=-1)
    return -torch.sum(torch.exp(log_p) * log_p, dim=-1)


# %% right: the NaN replaced
def policy_entropy(logits):
    log_p = logits.log_softmax(-1)
    return -torch.nan_to_num(log_p.exp() * log_p, nan=0.0).sum(-1)


# %% right: log-sum-exp minus the mean logit
def policy_entropy(logits):
    low = torch.clamp(logits, min=-1e30)
    p = torch.softmax(logits, dim=-1)
    return torch.logsumexp(logits, dim=-1) - (p * low).sum(dim=-1)


# %% right: clamped logarithm, in float64
def policy_entropy(logits):
    p = logits.double().softmax(dim=-1)
    return -(p * p.clamp(min=1e-300).log()).sum(dim=-1)


# %% right: a loop over rows
def policy_entropy(logits):
    rows = logits.reshape(-1, logits.shape[-1])
    found = []
    for row in rows:
        row = row[row > -float("inf")]
        log_p = row - torch.logsumexp(row, 0)
        found.append(-(log_p.exp() * log_p).sum())
    return torch.stack(found).reshape(logits.shape[:-1])


# %% right: the logarithms as constants, which leaves the gradient as it is
def policy_entropy(logits):
    log_p = torch.log_softmax(logits, dim=-1).clamp(min=-1e30)
    return -(log_p.exp() * log_p.detach()).sum(-1)


# %% wrong: NaN for forbidden actions
def policy_entropy(logits):
    log_p = torch.log_softmax(logits, dim=-1)
    return -(log_p.exp() * log_p).sum(-1)


# %% wrong: the sign
def policy_entropy(logits):
    log_p = torch.log_softmax(logits, dim=-1).clamp(min=-1e30)
    return (log_p.exp() * log_p).sum(-1)


# %% wrong: a mean over the actions
def policy_entropy(logits):
    log_p = torch.log_softmax(logits, dim=-1).clamp(min=-1e30)
    return -(log_p.exp() * log_p).mean(-1)


# %% wrong: one number for the whole batch
def policy_entropy(logits):
    log_p = torch.log_softmax(logits, dim=-1).clamp(min=-1e30)
    return -(log_p.exp() * log_p).sum(-1).mean()


# %% wrong: the sum over everything
def policy_entropy(logits):
    log_p = torch.log_softmax(logits, dim=-1).clamp(min=-1e30)
    return -(log_p.exp() * log_p).sum()


# %% wrong: the softmax over the first axis
def policy_entropy(logits):
    log_p = torch.log_softmax(logits, dim=0).clamp(min=-1e30)
    return -(log_p.exp() * log_p).sum(-1)


# %% wrong: bits
def policy_entropy(logits):
    log_p = torch.log_softmax(logits, dim=-1).clamp(min=-1e30)
    return -(log_p.exp() * log_p).sum(-1) / np.log(2)


# %% wrong: logits taken for log-probabilities
def policy_entropy(logits):
    low = logits.clamp(min=-1e30)
    return -(logits.exp() * low).sum(-1)


# %% wrong: logits taken for probabilities
def policy_entropy(logits):
    return -torch.xlogy(logits.clamp(min=0), logits.clamp(min=0)).sum(-1)


# %% wrong: minus the log-probability of the likeliest action
def policy_entropy(logits):
    return -torch.log_softmax(logits, dim=-1).max(dim=-1).values


# %% wrong: no gradient
def policy_entropy(logits):
    return torch.distributions.Categorical(logits=logits.detach()).entropy()


# %% wrong: NumPy, which no gradient passes
def policy_entropy(logits):
    z = logits.detach().numpy().astype(float)
    p = np.exp(z - z.max(-1, keepdims=True))
    p /= p.sum(-1, keepdims=True)
    return -(p * np.log(np.where(p > 0, p, 1))).sum(-1)


# %% wrong: the probabilities are constants
def policy_entropy(logits):
    log_p = torch.log_softmax(logits, dim=-1).clamp(min=-1e30)
    return -(log_p.exp().detach() * log_p).sum(-1)


# %% wrong: a small number in the logarithm
def policy_entropy(logits):
    p = torch.softmax(logits, dim=-1)
    return -(p * torch.log(p + 1e-2)).sum(-1)


# %% wrong: exponentials that overflow
def policy_entropy(logits):
    p = logits.exp() / logits.exp().sum(-1, keepdim=True)
    return -torch.xlogy(p, p).sum(-1)


# %% wrong: forbidden actions get a share
def policy_entropy(logits):
    log_p = torch.log_softmax(logits.clamp(min=-3.0), dim=-1)
    return -(log_p.exp() * log_p).sum(-1)


# %% wrong: changes the logits in place
def policy_entropy(logits):
    with torch.no_grad():
        logits.clamp_(min=-1e30)
    log_p = torch.log_softmax(logits, dim=-1)
    return -(log_p.exp() * log_p).sum(-1)


# %% wrong: divided by its maximum
def policy_entropy(logits):
    log_p = torch.log_softmax(logits, dim=-1).clamp(min=-1e30)
    return -(log_p.exp() * log_p).sum(-1) / np.log(logits.shape[-1])


# %% wrong: the last axis is kept
def policy_entropy(logits):
    log_p = torch.log_softmax(logits, dim=-1).clamp(min=-1e30)
    return -(log_p.exp() * log_p).sum(-1, keepdim=True)
