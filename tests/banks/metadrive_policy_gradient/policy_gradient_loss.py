# Answers to policy_gradient_loss: minus the mean of weight times log-probability, the weights constant.

# %% right: detach and mean
def policy_gradient_loss(log_probs, weights):
    return -(weights.detach() * log_probs).mean()


# %% right: a dot product
def policy_gradient_loss(log_probs, weights):
    return -torch.dot(weights.detach(), log_probs) / len(log_probs)


# %% right: no_grad for the weights
def policy_gradient_loss(log_probs, weights):
    with torch.no_grad():
        coefficients = -weights / weights.shape[0]
    return (coefficients * log_probs).sum()


# %% right: weights as data
def policy_gradient_loss(log_probs, weights):
    products = weights.data * -log_probs
    return torch.sum(products) / products.numel()


# %% right: einsum
def policy_gradient_loss(log_probs, weights):
    return torch.einsum("b,b->", log_probs, -weights.detach()).div(log_probs.size(0))


# %% right: a loop
def policy_gradient_loss(log_probs, weights):
    total = 0.0
    for log_prob, weight in zip(log_probs, weights.detach()):
        total = total - weight * log_prob
    return total / len(log_probs)


# %% right: weights through NumPy
def policy_gradient_loss(log_probs, weights):
    constants = torch.from_numpy(np.array(weights.detach().numpy()))
    return torch.mean(-constants * log_probs)


# %% wrong: the sign
def policy_gradient_loss(log_probs, weights):
    return (weights.detach() * log_probs).mean()


# %% wrong: the sum
def policy_gradient_loss(log_probs, weights):
    return -(weights.detach() * log_probs).sum()


# %% wrong: not reduced
def policy_gradient_loss(log_probs, weights):
    return -(weights.detach() * log_probs)


# %% wrong: shape (1,)
def policy_gradient_loss(log_probs, weights):
    return -(weights.detach() * log_probs).mean().reshape(1)


# %% wrong: the weights get a gradient
def policy_gradient_loss(log_probs, weights):
    return -(weights * log_probs).mean()


# %% wrong: the log-probabilities are detached
def policy_gradient_loss(log_probs, weights):
    return -(weights * log_probs.detach()).mean()


# %% wrong: both are detached
def policy_gradient_loss(log_probs, weights):
    return -(weights.detach() * log_probs.detach()).mean()


# %% wrong: a Python number
def policy_gradient_loss(log_probs, weights):
    return -(weights * log_probs).mean().item()


# %% wrong: the weights are normalised
def policy_gradient_loss(log_probs, weights):
    weights = weights.detach()
    weights = (weights - weights.mean()) / (weights.std() + 1e-8)
    return -(weights * log_probs).mean()


# %% wrong: the mean of the weights is subtracted
def policy_gradient_loss(log_probs, weights):
    weights = weights.detach()
    return -((weights - weights.mean()) * log_probs).mean()


# %% wrong: the product of the means
def policy_gradient_loss(log_probs, weights):
    return -weights.detach().mean() * log_probs.mean()


# %% wrong: probabilities instead of their logarithms
def policy_gradient_loss(log_probs, weights):
    return -(weights.detach() * log_probs.exp()).mean()


# %% wrong: divided by the sum of the weights
def policy_gradient_loss(log_probs, weights):
    weights = weights.detach()
    return -(weights * log_probs).sum() / weights.sum()


# %% wrong: negative weights are left out
def policy_gradient_loss(log_probs, weights):
    return -(weights.detach().clamp(min=0) * log_probs).mean()


# %% wrong: the absolute values of the log-probabilities
def policy_gradient_loss(log_probs, weights):
    return (weights.detach() * log_probs.abs()).mean()


# %% wrong: the square of the loss
def policy_gradient_loss(log_probs, weights):
    return ((weights.detach() * log_probs) ** 2).mean()


# %% wrong: divided by four
def policy_gradient_loss(log_probs, weights):
    return -(weights.detach() * log_probs).sum() / 4


# %% wrong: divided by B - 1
def policy_gradient_loss(log_probs, weights):
    return -(weights.detach() * log_probs).sum() / max(len(log_probs) - 1, 1)


# %% wrong: detaches the weights in place
def policy_gradient_loss(log_probs, weights):
    weights.requires_grad_(False)
    return -(weights * log_probs).mean()


# %% wrong: takes the weights off the log-probabilities
def policy_gradient_loss(log_probs, weights):
    return -(log_probs - weights.detach()).mean()


# %% wrong: changes the weights
def policy_gradient_loss(log_probs, weights):
    weights.data.neg_()
    return (weights.detach() * log_probs).mean()
