# Answers to actor_loss: minus the mean of log_probs times (returns - values), values (B, 1), constants.

# %% right: squeezed
def actor_loss(log_probs, values, returns):
    return -(log_probs * (returns - values.squeeze(-1)).detach()).mean()


# %% right: everything as columns
def actor_loss(log_probs, values, returns):
    with torch.no_grad():
        advantages = returns[:, None] - values
    return -(log_probs[:, None] * advantages).mean()


# %% right: a scalar product
def actor_loss(log_probs, values, returns):
    advantages = returns.detach() - values.detach().flatten()
    return -torch.dot(log_probs, advantages) / len(log_probs)


# %% right: a loop
def actor_loss(log_probs, values, returns):
    total = 0.0
    for b in range(len(log_probs)):
        total = total - log_probs[b] * (returns[b].item() - values[b, 0].item())
    return total / len(log_probs)


# %% right: einsum
def actor_loss(log_probs, values, returns):
    advantages = (returns - values[:, 0]).detach()
    return -torch.einsum("b,b->", log_probs, advantages) / log_probs.shape[0]


# %% right: numbers of NumPy
def actor_loss(log_probs, values, returns):
    advantages = returns.detach().numpy() - values.detach().numpy()[:, 0]
    return (log_probs * torch.from_numpy(-advantages)).mean()


# %% wrong: the broken one
def actor_loss(log_probs, values, returns):
    advantages = returns.unsqueeze(1) - values.detach()
    return -(log_probs * advantages).mean()


# %% wrong: a matrix of differences
def actor_loss(log_probs, values, returns):
    advantages = returns - values.detach()
    return -(log_probs * advantages).mean()


# %% wrong: values as a row by unsqueeze
def actor_loss(log_probs, values, returns):
    advantages = returns - values.detach().unsqueeze(0)
    return -(log_probs * advantages).mean()


# %% wrong: only the returns are constants
def actor_loss(log_probs, values, returns):
    return -(log_probs * (returns.detach() - values.squeeze(1))).mean()


# %% wrong: only the values are constants
def actor_loss(log_probs, values, returns):
    return -(log_probs * (returns - values.squeeze(1).detach())).mean()


# %% wrong: nothing is a constant
def actor_loss(log_probs, values, returns):
    return -(log_probs * (returns - values.squeeze(1))).mean()


# %% wrong: a sum
def actor_loss(log_probs, values, returns):
    return -(log_probs * (returns - values.squeeze(1)).detach()).sum()


# %% wrong: the sign
def actor_loss(log_probs, values, returns):
    return (log_probs * (returns - values.squeeze(1)).detach()).mean()


# %% wrong: values minus returns
def actor_loss(log_probs, values, returns):
    return -(log_probs * (values.squeeze(1) - returns).detach()).mean()


# %% wrong: no critic
def actor_loss(log_probs, values, returns):
    return -(log_probs * returns.detach()).mean()


# %% wrong: the mean value as baseline
def actor_loss(log_probs, values, returns):
    return -(log_probs * (returns - values.mean()).detach()).mean()


# %% wrong: probabilities in the place of log-probabilities
def actor_loss(log_probs, values, returns):
    return -(log_probs.exp() * (returns - values.squeeze(1)).detach()).mean()


# %% wrong: normalised advantages
def actor_loss(log_probs, values, returns):
    advantages = (returns - values.squeeze(1)).detach()
    advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
    return -(log_probs * advantages).mean()


# %% wrong: with the critic's loss
def actor_loss(log_probs, values, returns):
    errors = returns.detach() - values.squeeze(1)
    return -(log_probs * errors.detach()).mean() + errors.square().mean()


# %% wrong: only positive advantages
def actor_loss(log_probs, values, returns):
    return -(log_probs * (returns - values.squeeze(1)).detach().clamp(min=0)).mean()


# %% wrong: one number per step
def actor_loss(log_probs, values, returns):
    return -log_probs * (returns - values.squeeze(1)).detach()


# %% wrong: a Python number
def actor_loss(log_probs, values, returns):
    return -(log_probs * (returns - values.squeeze(1)).detach()).mean().item()


# %% wrong: the log-probabilities are a constant, too
def actor_loss(log_probs, values, returns):
    return -(log_probs.detach() * (returns - values.squeeze(1)).detach()).mean()


# %% wrong: squeezes the wrong axis, fails for one step
def actor_loss(log_probs, values, returns):
    advantages = (returns - values.squeeze()).detach()
    assert advantages.shape == log_probs.shape and len(log_probs) > 1
    return -(log_probs * advantages).mean()


# %% wrong: in place
def actor_loss(log_probs, values, returns):
    loss = -(log_probs * (returns - values.squeeze(1)).detach()).mean()
    with torch.no_grad():
        returns.clamp_(max=2.0)
    return loss


# %% wrong: single precision fixed
def actor_loss(log_probs, values, returns):
    return -(log_probs.float() * (returns - values.squeeze(1)).detach().float()).mean()


# %% wrong: no return statement
def actor_loss(log_probs, values, returns):
    loss = -(log_probs * (returns - values.squeeze(1)).detach()).mean()
