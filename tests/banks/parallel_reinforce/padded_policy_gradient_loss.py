# Answers to padded_policy_gradient_loss: -(1/N) sum of mask * returns * log_probs.


# %% right: torch.where, then products
def padded_policy_gradient_loss(log_probs, returns, mask):
    live = torch.where(mask.bool(), log_probs, 0.0)
    return -(mask * returns * live).sum() / mask.shape[1]


# %% right: boolean indexing
def padded_policy_gradient_loss(log_probs, returns, mask):
    live = mask > 0
    return -torch.dot(log_probs[live], returns[live]) / log_probs.size(1)


# %% right: masked_fill and einsum
def padded_policy_gradient_loss(log_probs, returns, mask):
    live = log_probs.masked_fill(mask == 0, 0.0)
    return -torch.einsum("ti,ti,ti->", mask, returns, live) / live.size(1)


# %% right: episode by episode
def padded_policy_gradient_loss(log_probs, returns, mask):
    losses = []
    for i in range(mask.shape[1]):
        length = int(mask[:, i].sum())
        losses.append(-(returns[:length, i] * log_probs[:length, i]).sum())
    return torch.stack(losses).mean()


# %% right: step by step with a condition
def padded_policy_gradient_loss(log_probs, returns, mask):
    total = 0.0
    for log_prob, weight, live in zip(log_probs, returns, mask):
        total = total - torch.where(live == 1, log_prob * weight, torch.zeros_like(weight)).sum()
    return total / len(mask[0])


# %% right: sum over steps, mean over episodes
def padded_policy_gradient_loss(log_probs, returns, mask):
    objective = torch.where(mask.bool(), returns * log_probs, torch.zeros_like(returns))
    return -objective.sum(dim=0).mean(dim=0)


# %% right: masked_select
def padded_policy_gradient_loss(log_probs, returns, mask):
    live = mask.to(torch.bool)
    products = log_probs.masked_select(live) * returns.masked_select(live)
    return products.sum().neg().div(mask.shape[-1])


# %% right: nan_to_num under the mask
def padded_policy_gradient_loss(log_probs, returns, mask):
    finite = torch.nan_to_num(log_probs, nan=0.0, posinf=0.0, neginf=0.0)
    return -(finite * returns * mask).sum() / mask.shape[1]


# %% right: the padding of a copy overwritten
def padded_policy_gradient_loss(log_probs, returns, mask):
    log_probs = log_probs.clone()
    log_probs[mask == 0] = 0
    return (-mask * returns * log_probs).sum(0).mean()


# %% right: the weights as constants
def padded_policy_gradient_loss(log_probs, returns, mask):
    n_episodes = mask[0].numel()
    chosen = torch.where(mask != 0, log_probs, torch.zeros_like(log_probs))
    return (chosen * (returns * mask).detach() * (-1 / n_episodes)).sum()


# %% wrong: multiplied by the mask
def padded_policy_gradient_loss(log_probs, returns, mask):
    return -(mask * returns * log_probs).sum() / mask.shape[1]


# %% wrong: no mask
def padded_policy_gradient_loss(log_probs, returns, mask):
    return -(returns * log_probs).sum() / mask.shape[1]


# %% wrong: nan_to_num without the mask
def padded_policy_gradient_loss(log_probs, returns, mask):
    return -(returns * torch.nan_to_num(log_probs, 0.0, 0.0, 0.0)).sum() / mask.shape[1]


# %% wrong: inverted mask
def padded_policy_gradient_loss(log_probs, returns, mask):
    live = torch.where(mask.bool(), 0.0, log_probs)
    return -(returns * live).sum() / mask.shape[1]


# %% wrong: the sign
def padded_policy_gradient_loss(log_probs, returns, mask):
    live = torch.where(mask.bool(), log_probs, 0.0)
    return (mask * returns * live).sum() / mask.shape[1]


# %% wrong: not divided
def padded_policy_gradient_loss(log_probs, returns, mask):
    live = torch.where(mask.bool(), log_probs, 0.0)
    return -(mask * returns * live).sum()


# %% wrong: the mean over all entries
def padded_policy_gradient_loss(log_probs, returns, mask):
    live = torch.where(mask.bool(), log_probs, 0.0)
    return -(mask * returns * live).mean()


# %% wrong: the mean over the live steps
def padded_policy_gradient_loss(log_probs, returns, mask):
    live = torch.where(mask.bool(), log_probs, 0.0)
    return -(mask * returns * live).sum() / mask.sum()


# %% wrong: divided by the number of steps
def padded_policy_gradient_loss(log_probs, returns, mask):
    live = torch.where(mask.bool(), log_probs, 0.0)
    return -(mask * returns * live).sum() / mask.shape[0]


# %% wrong: the mean of each episode
def padded_policy_gradient_loss(log_probs, returns, mask):
    live = torch.where(mask.bool(), log_probs, 0.0)
    return -((mask * returns * live).sum(0) / mask.sum(0)).mean()


# %% wrong: a loss for each episode
def padded_policy_gradient_loss(log_probs, returns, mask):
    live = torch.where(mask.bool(), log_probs, 0.0)
    return -(mask * returns * live).sum(0) / mask.shape[1]


# %% wrong: an array of one
def padded_policy_gradient_loss(log_probs, returns, mask):
    live = torch.where(mask.bool(), log_probs, 0.0)
    return -(mask * returns * live).sum().reshape(1) / mask.shape[1]


# %% wrong: a number of Python
def padded_policy_gradient_loss(log_probs, returns, mask):
    live = torch.where(mask.bool(), log_probs, 0.0)
    return -(mask * returns * live).sum().item() / mask.shape[1]


# %% wrong: without gradient
def padded_policy_gradient_loss(log_probs, returns, mask):
    live = torch.where(mask.bool(), log_probs, 0.0).detach()
    return -(mask * returns * live).sum() / mask.shape[1]


# %% wrong: in NumPy
def padded_policy_gradient_loss(log_probs, returns, mask):
    live = np.where(mask > 0, log_probs.detach().numpy(), 0.0)
    return -(mask.numpy() * returns.numpy() * live).sum() / mask.shape[1]


# %% wrong: a new tensor of the numbers
def padded_policy_gradient_loss(log_probs, returns, mask):
    live = torch.where(mask.bool(), log_probs, 0.0)
    return torch.tensor(-(mask * returns * live).sum().item() / mask.shape[1], requires_grad=True)


# %% wrong: writes into the caller's tensor
def padded_policy_gradient_loss(log_probs, returns, mask):
    with torch.no_grad():
        log_probs[mask == 0] = 0.0
    return -(mask * returns * log_probs).sum() / mask.shape[1]


# %% wrong: only NaN is looked for
def padded_policy_gradient_loss(log_probs, returns, mask):
    live = torch.where(torch.isnan(log_probs), 0.0, log_probs)
    return -(mask * returns * live).sum() / mask.shape[1]


# %% wrong: leaves out all steps that are not finite, and no other
def padded_policy_gradient_loss(log_probs, returns, mask):
    live = torch.isfinite(log_probs)
    return -(log_probs[live] * returns[live]).sum() / mask.shape[1]


# %% wrong: a loss that is not finite becomes zero
def padded_policy_gradient_loss(log_probs, returns, mask):
    return torch.nan_to_num(-(mask * returns * log_probs).sum()) / mask.shape[1]


# %% wrong: the padding is chosen away too late for the gradient
def padded_policy_gradient_loss(log_probs, returns, mask):
    probs = log_probs.exp()
    return -torch.where(mask.bool(), returns * probs.log(), 0.0).sum() / mask.shape[1]


# %% wrong: probabilities instead of their logarithms
def padded_policy_gradient_loss(log_probs, returns, mask):
    live = torch.where(mask.bool(), log_probs, 0.0)
    return -(mask * returns * live.exp()).sum() / mask.shape[1]


# %% wrong: the total return of each episode at every step
def padded_policy_gradient_loss(log_probs, returns, mask):
    live = torch.where(mask.bool(), log_probs, 0.0)
    return -(mask * returns.sum(0) * live).sum() / mask.shape[1]


# %% wrong: normalised returns
def padded_policy_gradient_loss(log_probs, returns, mask):
    live = torch.where(mask.bool(), log_probs, 0.0)
    returns = (returns - returns.mean()) / (returns.std() + 1e-8)
    return -(mask * returns * live).sum() / mask.shape[1]


# %% wrong: only the last live step of each episode
def padded_policy_gradient_loss(log_probs, returns, mask):
    last = mask.sum(0).long() - 1
    columns = torch.arange(mask.shape[1])
    return -(returns[last, columns] * log_probs[last, columns]).sum() / mask.shape[1]


# %% wrong: cut off where the first episode ends
def padded_policy_gradient_loss(log_probs, returns, mask):
    length = int(mask.sum(0).min())
    return -(returns[:length] * log_probs[:length]).sum() / mask.shape[1]


# %% wrong: the last live step is left out
def padded_policy_gradient_loss(log_probs, returns, mask):
    live = torch.cat([mask[1:], torch.zeros_like(mask[:1])]).bool()
    return -(returns[live] * log_probs[live]).sum() / mask.shape[1]


# %% wrong: for two episodes
def padded_policy_gradient_loss(log_probs, returns, mask):
    live = torch.where(mask.bool(), log_probs, 0.0)
    return -(mask * returns * live).sum() / 2


# %% wrong: float32 whatever comes
def padded_policy_gradient_loss(log_probs, returns, mask):
    total = torch.zeros((), dtype=torch.float32)
    total += torch.dot(log_probs[mask > 0].float(), returns[mask > 0])
    return -total / mask.shape[1]


# %% wrong: the example
def padded_policy_gradient_loss(log_probs, returns, mask):
    return log_probs[0, 0] * -25.0
