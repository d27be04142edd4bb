# Answers to categorical_log_prob: the logarithm of the softmax of each row at the row's action.

# %% right: log_softmax and gather
def categorical_log_prob(logits, actions):
    log_probs = torch.log_softmax(logits, dim=-1)
    return log_probs.gather(-1, actions[:, None]).squeeze(-1)


# %% right: indexing with two tensors
def categorical_log_prob(logits, actions):
    log_probs = nn.functional.log_softmax(logits, dim=1)
    return log_probs[torch.arange(len(actions)), actions]


# %% right: logit minus logsumexp
def categorical_log_prob(logits, actions):
    taken = logits[range(len(actions)), actions]
    return taken - torch.logsumexp(logits, dim=-1)


# %% right: torch.distributions
def categorical_log_prob(logits, actions):
    return torch.distributions.Categorical(logits=logits).log_prob(actions)


# %% right: cross entropy
def categorical_log_prob(logits, actions):
    return -nn.functional.cross_entropy(logits, actions, reduction="none")


# %% right: one-hot
def categorical_log_prob(logits, actions):
    chosen = nn.functional.one_hot(actions, logits.shape[-1]).to(logits.dtype)
    return (chosen * torch.log_softmax(logits, -1)).sum(-1)


# %% right: the logarithm of the softmax
def categorical_log_prob(logits, actions):
    probs = torch.softmax(logits, dim=-1)
    return probs.gather(1, actions.unsqueeze(1))[:, 0].log()


# %% right: a softmax by hand, shifted
def categorical_log_prob(logits, actions):
    weights = torch.exp(logits - logits.max(dim=-1, keepdim=True).values)
    probs = weights / weights.sum(dim=-1, keepdim=True)
    return torch.log(probs[torch.arange(logits.size(0)), actions])


# %% right: a loop over the rows
def categorical_log_prob(logits, actions):
    rows = [torch.log_softmax(row, 0)[action] for row, action in zip(logits, actions)]
    return torch.stack(rows)


# %% right: one log-softmax of the differences
def categorical_log_prob(logits, actions):
    differences = logits - logits.gather(1, actions.view(-1, 1))
    return -differences.exp().sum(1).log()


# %% wrong: the logit itself
def categorical_log_prob(logits, actions):
    return logits.gather(-1, actions[:, None]).squeeze(-1)


# %% wrong: the probability
def categorical_log_prob(logits, actions):
    return torch.softmax(logits, -1).gather(-1, actions[:, None]).squeeze(-1)


# %% wrong: softmax over the batch
def categorical_log_prob(logits, actions):
    return torch.log_softmax(logits, dim=0).gather(-1, actions[:, None]).squeeze(-1)


# %% wrong: the sign of a cross entropy
def categorical_log_prob(logits, actions):
    return nn.functional.cross_entropy(logits, actions, reduction="none")


# %% wrong: the mean over the batch
def categorical_log_prob(logits, actions):
    return -nn.functional.cross_entropy(logits, actions)


# %% wrong: a column
def categorical_log_prob(logits, actions):
    return torch.log_softmax(logits, -1).gather(-1, actions[:, None])


# %% wrong: squeezes everything
def categorical_log_prob(logits, actions):
    return torch.log_softmax(logits, -1).gather(-1, actions[:, None]).squeeze()


# %% wrong: all columns of all actions
def categorical_log_prob(logits, actions):
    return torch.log_softmax(logits, -1)[:, actions]


# %% wrong: the likeliest action
def categorical_log_prob(logits, actions):
    return torch.log_softmax(logits, -1).max(dim=-1).values


# %% wrong: logarithm to the base 2
def categorical_log_prob(logits, actions):
    return torch.log2(torch.softmax(logits, -1)).gather(-1, actions[:, None]).squeeze(-1)


# %% wrong: without a gradient
def categorical_log_prob(logits, actions):
    with torch.no_grad():
        return torch.log_softmax(logits, -1).gather(-1, actions[:, None]).squeeze(-1)


# %% wrong: detached
def categorical_log_prob(logits, actions):
    return torch.log_softmax(logits.detach(), -1)[torch.arange(len(actions)), actions]


# %% wrong: Python floats
def categorical_log_prob(logits, actions):
    rows = [torch.log_softmax(row, 0)[action].item() for row, action in zip(logits, actions)]
    return torch.tensor(rows)


# %% wrong: normaliser without a gradient
def categorical_log_prob(logits, actions):
    taken = logits.gather(-1, actions[:, None]).squeeze(-1)
    return taken - torch.logsumexp(logits, -1).detach()


# %% wrong: clipped probabilities
def categorical_log_prob(logits, actions):
    probs = torch.softmax(logits, -1).clamp(min=0.01)
    return probs.log().gather(-1, actions[:, None]).squeeze(-1)


# %% wrong: a small number added to the probability
def categorical_log_prob(logits, actions):
    probs = torch.softmax(logits, -1) + 1e-3
    return probs.log().gather(-1, actions[:, None]).squeeze(-1)


# %% wrong: logits taken for probabilities
def categorical_log_prob(logits, actions):
    return torch.log(logits.abs() + 1e-8).gather(-1, actions[:, None]).squeeze(-1)


# %% wrong: softmax twice
def categorical_log_prob(logits, actions):
    return torch.log_softmax(torch.softmax(logits, -1), -1).gather(-1, actions[:, None]).squeeze(-1)


# %% wrong: actions counted from one
def categorical_log_prob(logits, actions):
    return torch.log_softmax(logits, -1).gather(-1, (actions[:, None] - 1) % logits.shape[-1]).squeeze(-1)


# %% wrong: divided by the number of actions
def categorical_log_prob(logits, actions):
    return torch.log_softmax(logits, -1).gather(-1, actions[:, None]).squeeze(-1) / logits.shape[-1]
