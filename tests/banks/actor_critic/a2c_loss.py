# Answers to a2c_loss: policy gradient with advantages, squared error of the critic, entropy.

# %% right: three named parts
def a2c_loss(log_pi, values, returns, entropy, rho, value_coef=0.25, entropy_coef=0.01):
    returns, rho = returns.detach(), rho.detach()
    advantage = (returns - values).detach()
    policy_loss = -(rho * log_pi * advantage).mean()
    value_loss = ((returns - values) ** 2).mean()
    return policy_loss + value_coef * value_loss - entropy_coef * entropy.mean()


# %% right: mse_loss
def a2c_loss(log_pi, values, returns, entropy, rho, value_coef=0.25, entropy_coef=0.01):
    target = returns.detach()
    score = (log_pi * (target - values.detach()) * rho.detach()).mean()
    critic = torch.nn.functional.mse_loss(values, target)
    return -score + value_coef * critic - entropy_coef * entropy.mean()


# %% right: an objective, negated
def a2c_loss(log_pi, values, returns, entropy, rho, value_coef=0.25, entropy_coef=0.01):
    with torch.no_grad():
        weight = rho * (returns - values)
        target = returns.clone()
    objective = (weight * log_pi).mean() + entropy_coef * entropy.mean()
    return value_coef * (values - target).pow(2).mean() - objective


# %% right: sums divided by the number of steps
def a2c_loss(log_pi, values, returns, entropy, rho, value_coef=0.25, entropy_coef=0.01):
    n = log_pi.numel()
    G, w = returns.data, rho.data
    total = -(w * log_pi * (G - values.data)).sum()
    total = total + value_coef * torch.sum((G - values) ** 2)
    total = total - entropy_coef * torch.sum(entropy)
    return total / n


# %% right: one mean over all three parts
def a2c_loss(log_pi, values, returns, entropy, rho, value_coef=0.25, entropy_coef=0.01):
    errors = returns.detach() - values
    per_step = -rho.detach() * log_pi * errors.detach() + value_coef * errors.square() - entropy_coef * entropy
    return per_step.mean()


# %% right: in float64, a row at a time
def a2c_loss(log_pi, values, returns, entropy, rho, value_coef=0.25, entropy_coef=0.01):
    rows = []
    for lp, v, g, h, w in zip(*(x.double() for x in (log_pi, values, returns.detach(), entropy, rho.detach()))):
        rows.append((-w * lp * (g - v.detach()) + value_coef * (g - v) ** 2 - entropy_coef * h).mean())
    return sum(rows) / len(rows)


# %% wrong: the advantage is no constant
def a2c_loss(log_pi, values, returns, entropy, rho, value_coef=0.25, entropy_coef=0.01):
    errors = returns.detach() - values
    policy = -(rho.detach() * log_pi * errors).mean()
    return policy + value_coef * (errors**2).mean() - entropy_coef * entropy.mean()


# %% wrong: the critic gets no gradient
def a2c_loss(log_pi, values, returns, entropy, rho, value_coef=0.25, entropy_coef=0.01):
    errors = returns.detach() - values.detach()
    policy = -(rho.detach() * log_pi * errors).mean()
    return policy + value_coef * (errors**2).mean() - entropy_coef * entropy.mean()


# %% wrong: the returns are no constant in the critic's part
def a2c_loss(log_pi, values, returns, entropy, rho, value_coef=0.25, entropy_coef=0.01):
    errors = returns - values
    policy = -(rho.detach() * log_pi * errors.detach()).mean()
    return policy + value_coef * (errors**2).mean() - entropy_coef * entropy.mean()


# %% wrong: rho is no constant
def a2c_loss(log_pi, values, returns, entropy, rho, value_coef=0.25, entropy_coef=0.01):
    errors = returns.detach() - values
    policy = -(rho * log_pi * errors.detach()).mean()
    return policy + value_coef * (errors**2).mean() - entropy_coef * entropy.mean()


# %% wrong: the sign of the policy's part
def a2c_loss(log_pi, values, returns, entropy, rho, value_coef=0.25, entropy_coef=0.01):
    errors = returns.detach() - values
    policy = (rho.detach() * log_pi * errors.detach()).mean()
    return policy + value_coef * (errors**2).mean() - entropy_coef * entropy.mean()


# %% wrong: entropy is punished
def a2c_loss(log_pi, values, returns, entropy, rho, value_coef=0.25, entropy_coef=0.01):
    errors = returns.detach() - values
    policy = -(rho.detach() * log_pi * errors.detach()).mean()
    return policy + value_coef * (errors**2).mean() + entropy_coef * entropy.mean()


# %% wrong: the critic's error is rewarded
def a2c_loss(log_pi, values, returns, entropy, rho, value_coef=0.25, entropy_coef=0.01):
    errors = returns.detach() - values
    policy = -(rho.detach() * log_pi * errors.detach()).mean()
    return policy - value_coef * (errors**2).mean() - entropy_coef * entropy.mean()


# %% wrong: everything negated
def a2c_loss(log_pi, values, returns, entropy, rho, value_coef=0.25, entropy_coef=0.01):
    errors = returns.detach() - values
    policy = (rho.detach() * log_pi * errors.detach()).mean()
    return policy - value_coef * (errors**2).mean() + entropy_coef * entropy.mean()


# %% wrong: sums instead of means
def a2c_loss(log_pi, values, returns, entropy, rho, value_coef=0.25, entropy_coef=0.01):
    errors = returns.detach() - values
    policy = -(rho.detach() * log_pi * errors.detach()).sum()
    return policy + value_coef * (errors**2).sum() - entropy_coef * entropy.sum()


# %% wrong: summed over time, averaged over environments
def a2c_loss(log_pi, values, returns, entropy, rho, value_coef=0.25, entropy_coef=0.01):
    errors = returns.detach() - values
    parts = -rho.detach() * log_pi * errors.detach() + value_coef * errors**2 - entropy_coef * entropy
    return parts.sum(dim=0).mean()


# %% wrong: rho weights the critic's part as well
def a2c_loss(log_pi, values, returns, entropy, rho, value_coef=0.25, entropy_coef=0.01):
    errors = returns.detach() - values
    policy = -(rho.detach() * log_pi * errors.detach()).mean()
    critic = (rho.detach() * errors**2).mean()
    return policy + value_coef * critic - entropy_coef * entropy.mean()


# %% wrong: rho left out
def a2c_loss(log_pi, values, returns, entropy, rho, value_coef=0.25, entropy_coef=0.01):
    errors = returns.detach() - values
    policy = -(log_pi * errors.detach()).mean()
    return policy + value_coef * (errors**2).mean() - entropy_coef * entropy.mean()


# %% wrong: returns as the weight, no advantage
def a2c_loss(log_pi, values, returns, entropy, rho, value_coef=0.25, entropy_coef=0.01):
    errors = returns.detach() - values
    policy = -(rho.detach() * log_pi * returns.detach()).mean()
    return policy + value_coef * (errors**2).mean() - entropy_coef * entropy.mean()


# %% wrong: half the squared error
def a2c_loss(log_pi, values, returns, entropy, rho, value_coef=0.25, entropy_coef=0.01):
    errors = returns.detach() - values
    policy = -(rho.detach() * log_pi * errors.detach()).mean()
    return policy + value_coef * 0.5 * (errors**2).mean() - entropy_coef * entropy.mean()


# %% wrong: absolute errors
def a2c_loss(log_pi, values, returns, entropy, rho, value_coef=0.25, entropy_coef=0.01):
    errors = returns.detach() - values
    policy = -(rho.detach() * log_pi * errors.detach()).mean()
    return policy + value_coef * errors.abs().mean() - entropy_coef * entropy.mean()


# %% wrong: the square of the mean error
def a2c_loss(log_pi, values, returns, entropy, rho, value_coef=0.25, entropy_coef=0.01):
    errors = returns.detach() - values
    policy = -(rho.detach() * log_pi * errors.detach()).mean()
    return policy + value_coef * errors.mean() ** 2 - entropy_coef * entropy.mean()


# %% wrong: fixed coefficients
def a2c_loss(log_pi, values, returns, entropy, rho, value_coef=0.25, entropy_coef=0.01):
    errors = returns.detach() - values
    policy = -(rho.detach() * log_pi * errors.detach()).mean()
    return policy + 0.25 * (errors**2).mean() - 0.01 * entropy.mean()


# %% wrong: other defaults
def a2c_loss(log_pi, values, returns, entropy, rho, value_coef=0.5, entropy_coef=0.01):
    errors = returns.detach() - values
    policy = -(rho.detach() * log_pi * errors.detach()).mean()
    return policy + value_coef * (errors**2).mean() - entropy_coef * entropy.mean()


# %% wrong: the coefficients the other way round
def a2c_loss(log_pi, values, returns, entropy, rho, value_coef=0.25, entropy_coef=0.01):
    errors = returns.detach() - values
    policy = -(rho.detach() * log_pi * errors.detach()).mean()
    return policy + entropy_coef * (errors**2).mean() - value_coef * entropy.mean()


# %% wrong: advantages normalised
def a2c_loss(log_pi, values, returns, entropy, rho, value_coef=0.25, entropy_coef=0.01):
    errors = returns.detach() - values
    advantage = errors.detach()
    advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
    policy = -(rho.detach() * log_pi * advantage).mean()
    return policy + value_coef * (errors**2).mean() - entropy_coef * entropy.mean()


# %% wrong: no entropy
def a2c_loss(log_pi, values, returns, entropy, rho, value_coef=0.25, entropy_coef=0.01):
    errors = returns.detach() - values
    return -(rho.detach() * log_pi * errors.detach()).mean() + value_coef * (errors**2).mean()


# %% wrong: a plain number
def a2c_loss(log_pi, values, returns, entropy, rho, value_coef=0.25, entropy_coef=0.01):
    errors = returns - values
    loss = -(rho * log_pi * errors).mean() + value_coef * (errors**2).mean() - entropy_coef * entropy.mean()
    return loss.item()
