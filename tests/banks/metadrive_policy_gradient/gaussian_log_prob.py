# Answers to gaussian_log_prob: the log-density of independent normal numbers, added up over the dimensions.

# %% right: the formula
def gaussian_log_prob(mean, log_std, actions):
    z = (actions - mean) / log_std.exp()
    return (-0.5 * z**2 - log_std - 0.5 * np.log(2 * np.pi)).sum(dim=-1)


# %% right: torch.distributions.Normal
def gaussian_log_prob(mean, log_std, actions):
    return torch.distributions.Normal(mean, log_std.exp()).log_prob(actions).sum(-1)


# %% right: Independent
def gaussian_log_prob(mean, log_std, actions):
    normal = torch.distributions.Normal(mean, torch.exp(log_std).expand_as(mean))
    return torch.distributions.Independent(normal, 1).log_prob(actions)


# %% right: the sum with the constant taken out
def gaussian_log_prob(mean, log_std, actions):
    variance = torch.exp(2 * log_std)
    squares = ((actions - mean) ** 2 / variance).sum(dim=1)
    logs = log_std.sum(dim=-1)
    return -0.5 * squares - logs - 0.5 * mean.shape[1] * float(np.log(2 * np.pi))


# %% right: a loop over the dimensions
def gaussian_log_prob(mean, log_std, actions):
    log_std = log_std.expand(mean.shape)
    total = torch.zeros(mean.shape[0], dtype=mean.dtype)
    for d in range(mean.shape[1]):
        z = (actions[:, d] - mean[:, d]) * torch.exp(-log_std[:, d])
        total = total - 0.5 * z.square() - log_std[:, d] - 0.9189385332046727
    return total


# %% right: gaussian_nll_loss
def gaussian_log_prob(mean, log_std, actions):
    variance = (2 * log_std).exp().expand(mean.shape)
    loss = nn.functional.gaussian_nll_loss(mean, actions, variance, full=True, reduction="none", eps=1e-12)
    return -loss.sum(-1)


# %% right: einsum
def gaussian_log_prob(mean, log_std, actions):
    import math

    z = (actions - mean) * (-log_std).exp()
    squares = torch.einsum("bd,bd->b", z, z)
    return -squares / 2 - (log_std + math.log(2 * math.pi) / 2).expand_as(mean).sum(1)


# %% right: a multivariate normal
def gaussian_log_prob(mean, log_std, actions):
    scale = torch.diag_embed(log_std.exp().expand(mean.shape))
    return torch.distributions.MultivariateNormal(mean, scale_tril=scale).log_prob(actions)


# %% wrong: not summed
def gaussian_log_prob(mean, log_std, actions):
    return torch.distributions.Normal(mean, log_std.exp()).log_prob(actions)


# %% wrong: summed over the batch
def gaussian_log_prob(mean, log_std, actions):
    return torch.distributions.Normal(mean, log_std.exp()).log_prob(actions).sum(0)


# %% wrong: summed over everything
def gaussian_log_prob(mean, log_std, actions):
    return torch.distributions.Normal(mean, log_std.exp()).log_prob(actions).sum()


# %% wrong: the mean over the dimensions
def gaussian_log_prob(mean, log_std, actions):
    return torch.distributions.Normal(mean, log_std.exp()).log_prob(actions).mean(-1)


# %% wrong: log_std taken for the standard deviation
def gaussian_log_prob(mean, log_std, actions):
    std = log_std.abs() + 1e-6
    return torch.distributions.Normal(mean, std).log_prob(actions).sum(-1)


# %% wrong: log_std taken for the log-variance
def gaussian_log_prob(mean, log_std, actions):
    return torch.distributions.Normal(mean, (0.5 * log_std).exp()).log_prob(actions).sum(-1)


# %% wrong: the standard deviation squared once too often
def gaussian_log_prob(mean, log_std, actions):
    return torch.distributions.Normal(mean, (2 * log_std).exp()).log_prob(actions).sum(-1)


# %% wrong: without the constant
def gaussian_log_prob(mean, log_std, actions):
    z = (actions - mean) / log_std.exp()
    return (-0.5 * z**2 - log_std).sum(-1)


# %% wrong: the constant once for all dimensions
def gaussian_log_prob(mean, log_std, actions):
    z = (actions - mean) / log_std.exp()
    return (-0.5 * z**2 - log_std).sum(-1) - 0.5 * np.log(2 * np.pi)


# %% wrong: without log sigma
def gaussian_log_prob(mean, log_std, actions):
    z = (actions - mean) / log_std.exp()
    return (-0.5 * z**2 - 0.5 * np.log(2 * np.pi)).sum(-1)


# %% wrong: without the half
def gaussian_log_prob(mean, log_std, actions):
    z = (actions - mean) / log_std.exp()
    return (-(z**2) - log_std - 0.5 * np.log(2 * np.pi)).sum(-1)


# %% wrong: a plus instead of a minus
def gaussian_log_prob(mean, log_std, actions):
    z = (actions - mean) / log_std.exp()
    return (-0.5 * z**2 + log_std - 0.5 * np.log(2 * np.pi)).sum(-1)


# %% wrong: the negative log-likelihood
def gaussian_log_prob(mean, log_std, actions):
    return -torch.distributions.Normal(mean, log_std.exp()).log_prob(actions).sum(-1)


# %% wrong: the density
def gaussian_log_prob(mean, log_std, actions):
    return torch.distributions.Normal(mean, log_std.exp()).log_prob(actions).sum(-1).exp()


# %% wrong: log_std without a gradient
def gaussian_log_prob(mean, log_std, actions):
    return torch.distributions.Normal(mean, log_std.exp().detach()).log_prob(actions).sum(-1)


# %% wrong: no gradient at all
def gaussian_log_prob(mean, log_std, actions):
    with torch.no_grad():
        return torch.distributions.Normal(mean, log_std.exp()).log_prob(actions).sum(-1)


# %% wrong: log_std is (D,) only
def gaussian_log_prob(mean, log_std, actions):
    z = (actions - mean) / log_std.exp()
    return -0.5 * (z**2).sum(-1) - log_std.sum() - 0.5 * mean.shape[1] * np.log(2 * np.pi)


# %% wrong: log_std is (B, D) only
def gaussian_log_prob(mean, log_std, actions):
    total = 0
    for d in range(mean.shape[1]):
        total = total + torch.distributions.Normal(mean[:, d], log_std[:, d].exp()).log_prob(actions[:, d])
    return total


# %% wrong: a limit on log_std
def gaussian_log_prob(mean, log_std, actions):
    log_std = log_std.clamp(-1.0, 1.0)
    return torch.distributions.Normal(mean, log_std.exp()).log_prob(actions).sum(-1)


# %% wrong: the logarithm of a density that becomes zero
def gaussian_log_prob(mean, log_std, actions):
    std = log_std.exp()
    density = torch.exp(-0.5 * ((actions - mean) / std) ** 2) / (std * (2 * np.pi) ** 0.5)
    return density.log().sum(-1)


# %% wrong: squeezes everything
def gaussian_log_prob(mean, log_std, actions):
    return torch.distributions.Normal(mean, log_std.exp()).log_prob(actions).sum(-1).squeeze()


# %% wrong: only the first dimension
def gaussian_log_prob(mean, log_std, actions):
    return torch.distributions.Normal(mean, log_std.exp()).log_prob(actions)[:, 0]


# %% wrong: changes the actions
def gaussian_log_prob(mean, log_std, actions):
    actions -= mean.detach()
    return torch.distributions.Normal(mean - mean.detach(), log_std.exp()).log_prob(actions).sum(-1)
