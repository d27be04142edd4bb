# Answers to group_advantages: each episode's masked return minus its group's mean, normalised if asked.

# %% right: reshape to groups
def group_advantages(rewards, mask, n_generations, normalize=False, eps=1e-6):
    returns = (rewards * mask).sum(0).view(-1, n_generations)
    adv = returns - returns.mean(-1, keepdim=True)
    if normalize:
        adv = adv / (returns.std(-1, unbiased=False, keepdim=True) + eps)
    return adv.view(-1)


# %% right: NumPy
def group_advantages(rewards, mask, n_generations, normalize=False, eps=1e-6):
    returns = (np.asarray(rewards) * np.asarray(mask)).sum(axis=0).reshape(-1, n_generations)
    advantages = returns - returns.mean(axis=1, keepdims=True)
    if normalize:
        advantages /= returns.std(axis=1, keepdims=True) + eps
    return advantages.ravel()


# %% right: loops and lists
def group_advantages(rewards, mask, n_generations, normalize=False, eps=1e-6):
    n_steps, n_episodes = rewards.shape
    returns = [float((rewards[:, i] * mask[:, i]).sum()) for i in range(n_episodes)]
    advantages = []
    for start in range(0, n_episodes, n_generations):
        group = returns[start : start + n_generations]
        mean = sum(group) / len(group)
        std = (sum((g - mean) ** 2 for g in group) / len(group)) ** 0.5
        for g in group:
            advantages.append((g - mean) / (std + eps) if normalize else g - mean)
    return advantages


# %% right: chunks
def group_advantages(rewards, mask, n_generations, normalize=False, eps=1e-6):
    returns = torch.where(mask > 0, rewards, torch.zeros_like(rewards)).sum(dim=0)
    parts = []
    for group in returns.split(n_generations):
        centred = group - group.mean()
        parts.append(centred / (centred.pow(2).mean().sqrt() + eps) if normalize else centred)
    return torch.cat(parts)


# %% right: repeat_interleave, and einsum for the returns
def group_advantages(rewards, mask, n_generations, normalize=False, eps=1e-6):
    returns = torch.einsum("tn,tn->n", rewards, mask)
    groups = returns.unflatten(0, (-1, n_generations))
    advantages = returns - groups.mean(dim=1).repeat_interleave(n_generations)
    if normalize:
        spread = groups.var(dim=1, correction=0).sqrt().repeat_interleave(n_generations)
        advantages = advantages / (spread + eps)
    return advantages


# %% right: columns of groups
def group_advantages(rewards, mask, n_generations, normalize=False, eps=1e-6):
    groups = (rewards.double() * mask.double()).sum(dim=0).reshape(-1, n_generations).T
    mean, scale = groups.mean(dim=0), 1.0
    if normalize:
        scale = torch.std(groups, dim=0, correction=0) + eps
    return ((groups - mean) / scale).T.reshape(-1).to(rewards.dtype)


# %% right: a matrix that averages
def group_advantages(rewards, mask, n_generations, normalize=False, eps=1e-6):
    n = rewards.shape[1]
    average = torch.kron(torch.eye(n // n_generations), torch.ones(n_generations, n_generations)) / n_generations
    average = average.to(rewards.dtype)
    returns = (rewards * mask).sum(dim=0)
    centred = returns - average @ returns
    return centred / ((average @ centred**2).sqrt() + eps) if normalize else centred


# %% right: a running total over the steps
def group_advantages(rewards, mask, n_generations, normalize=False, eps=1e-6):
    total = torch.zeros_like(rewards[0])
    for reward, live in zip(rewards, mask):
        total = total + reward * live
    groups = [total[i : i + n_generations] for i in range(0, len(total), n_generations)]
    centred = torch.stack([g - g.sum() / n_generations for g in groups])
    if normalize:
        centred = centred / (centred.square().mean(1, keepdim=True).sqrt() + eps)
    return centred.flatten()


# %% wrong: the mean of the batch
def group_advantages(rewards, mask, n_generations, normalize=False, eps=1e-6):
    returns = (rewards * mask).sum(0)
    adv = returns - returns.mean()
    if normalize:
        adv = adv / (returns.std(unbiased=False) + eps)
    return adv


# %% wrong: the standard deviation of a sample
def group_advantages(rewards, mask, n_generations, normalize=False, eps=1e-6):
    returns = (rewards * mask).sum(0).view(-1, n_generations)
    adv = returns - returns.mean(-1, keepdim=True)
    if normalize:
        adv = adv / (returns.std(-1, keepdim=True) + eps)
    return adv.view(-1)


# %% wrong: the standard deviation of the batch
def group_advantages(rewards, mask, n_generations, normalize=False, eps=1e-6):
    returns = (rewards * mask).sum(0).view(-1, n_generations)
    adv = returns - returns.mean(-1, keepdim=True)
    if normalize:
        adv = adv / (returns.std(unbiased=False) + eps)
    return adv.view(-1)


# %% wrong: the standard deviation of the batch's advantages
def group_advantages(rewards, mask, n_generations, normalize=False, eps=1e-6):
    returns = (rewards * mask).sum(0).view(-1, n_generations)
    adv = returns - returns.mean(-1, keepdim=True)
    if normalize:
        adv = adv / (adv.std(correction=0) + eps)
    return adv.view(-1)


# %% wrong: no mask
def group_advantages(rewards, mask, n_generations, normalize=False, eps=1e-6):
    returns = rewards.sum(0).view(-1, n_generations)
    adv = returns - returns.mean(-1, keepdim=True)
    if normalize:
        adv = adv / (returns.std(-1, correction=0, keepdim=True) + eps)
    return adv.view(-1)


# %% wrong: the mask the wrong way round
def group_advantages(rewards, mask, n_generations, normalize=False, eps=1e-6):
    returns = (rewards * (1 - mask)).sum(0).view(-1, n_generations)
    adv = returns - returns.mean(-1, keepdim=True)
    if normalize:
        adv = adv / (returns.std(-1, correction=0, keepdim=True) + eps)
    return adv.view(-1)


# %% wrong: groups are strided columns
def group_advantages(rewards, mask, n_generations, normalize=False, eps=1e-6):
    returns = (rewards * mask).sum(0).view(n_generations, -1)
    adv = returns - returns.mean(0, keepdim=True)
    if normalize:
        adv = adv / (returns.std(0, correction=0, keepdim=True) + eps)
    return adv.view(-1)


# %% wrong: n_generations taken as the number of groups
def group_advantages(rewards, mask, n_generations, normalize=False, eps=1e-6):
    returns = (rewards * mask).sum(0).view(n_generations, -1)
    adv = returns - returns.mean(1, keepdim=True)
    if normalize:
        adv = adv / (returns.std(1, correction=0, keepdim=True) + eps)
    return adv.view(-1)


# %% wrong: mean over the wrong axis
def group_advantages(rewards, mask, n_generations, normalize=False, eps=1e-6):
    returns = (rewards * mask).sum(0).view(-1, n_generations)
    adv = returns - returns.mean(0, keepdim=True)
    if normalize:
        adv = adv / (returns.std(0, correction=0, keepdim=True) + eps)
    return adv.view(-1)


# %% wrong: always normalised
def group_advantages(rewards, mask, n_generations, normalize=False, eps=1e-6):
    returns = (rewards * mask).sum(0).view(-1, n_generations)
    adv = returns - returns.mean(-1, keepdim=True)
    return (adv / (returns.std(-1, correction=0, keepdim=True) + eps)).view(-1)


# %% wrong: never normalised
def group_advantages(rewards, mask, n_generations, normalize=False, eps=1e-6):
    returns = (rewards * mask).sum(0).view(-1, n_generations)
    return (returns - returns.mean(-1, keepdim=True)).view(-1)


# %% wrong: divided by the variance
def group_advantages(rewards, mask, n_generations, normalize=False, eps=1e-6):
    returns = (rewards * mask).sum(0).view(-1, n_generations)
    adv = returns - returns.mean(-1, keepdim=True)
    if normalize:
        adv = adv / (returns.var(-1, correction=0, keepdim=True) + eps)
    return adv.view(-1)


# %% wrong: eps under the root
def group_advantages(rewards, mask, n_generations, normalize=False, eps=1e-6):
    returns = (rewards * mask).sum(0).view(-1, n_generations)
    adv = returns - returns.mean(-1, keepdim=True)
    if normalize:
        adv = adv / (returns.var(-1, correction=0, keepdim=True) + eps).sqrt()
    return adv.view(-1)


# %% wrong: the larger of std and eps
def group_advantages(rewards, mask, n_generations, normalize=False, eps=1e-6):
    returns = (rewards * mask).sum(0).view(-1, n_generations)
    adv = returns - returns.mean(-1, keepdim=True)
    if normalize:
        adv = adv / returns.std(-1, correction=0, keepdim=True).clamp(min=eps)
    return adv.view(-1)


# %% wrong: no eps
def group_advantages(rewards, mask, n_generations, normalize=False, eps=1e-6):
    returns = (rewards * mask).sum(0).view(-1, n_generations)
    adv = returns - returns.mean(-1, keepdim=True)
    if normalize:
        adv = adv / returns.std(-1, correction=0, keepdim=True)
    return adv.view(-1)


# %% wrong: an eps of its own
def group_advantages(rewards, mask, n_generations, normalize=False, eps=1e-6):
    returns = (rewards * mask).sum(0).view(-1, n_generations)
    adv = returns - returns.mean(-1, keepdim=True)
    if normalize:
        adv = adv / (returns.std(-1, correction=0, keepdim=True) + 1e-8)
    return adv.view(-1)


# %% wrong: another default of eps
def group_advantages(rewards, mask, n_generations, normalize=False, eps=1e-8):
    returns = (rewards * mask).sum(0).view(-1, n_generations)
    adv = returns - returns.mean(-1, keepdim=True)
    if normalize:
        adv = adv / (returns.std(-1, correction=0, keepdim=True) + eps)
    return adv.view(-1)


# %% wrong: the mean of the others (RLOO)
def group_advantages(rewards, mask, n_generations, normalize=False, eps=1e-6):
    returns = (rewards * mask).sum(0).view(-1, n_generations)
    others = (returns.sum(-1, keepdim=True) - returns) / (n_generations - 1)
    adv = returns - others
    if normalize:
        adv = adv / (returns.std(-1, correction=0, keepdim=True) + eps)
    return adv.view(-1)


# %% wrong: returns divided by the length
def group_advantages(rewards, mask, n_generations, normalize=False, eps=1e-6):
    returns = ((rewards * mask).sum(0) / mask.sum(0)).view(-1, n_generations)
    adv = returns - returns.mean(-1, keepdim=True)
    if normalize:
        adv = adv / (returns.std(-1, correction=0, keepdim=True) + eps)
    return adv.view(-1)


# %% wrong: only the last reward
def group_advantages(rewards, mask, n_generations, normalize=False, eps=1e-6):
    returns = rewards[-1].view(-1, n_generations)
    adv = returns - returns.mean(-1, keepdim=True)
    if normalize:
        adv = adv / (returns.std(-1, correction=0, keepdim=True) + eps)
    return adv.view(-1)


# %% wrong: one row per group
def group_advantages(rewards, mask, n_generations, normalize=False, eps=1e-6):
    returns = (rewards * mask).sum(0).view(-1, n_generations)
    adv = returns - returns.mean(-1, keepdim=True)
    if normalize:
        adv = adv / (returns.std(-1, correction=0, keepdim=True) + eps)
    return adv


# %% wrong: one advantage per step
def group_advantages(rewards, mask, n_generations, normalize=False, eps=1e-6):
    returns = (rewards * mask).sum(0).view(-1, n_generations)
    adv = returns - returns.mean(-1, keepdim=True)
    if normalize:
        adv = adv / (returns.std(-1, correction=0, keepdim=True) + eps)
    return adv.view(-1) * mask


# %% wrong: mean minus return
def group_advantages(rewards, mask, n_generations, normalize=False, eps=1e-6):
    returns = (rewards * mask).sum(0).view(-1, n_generations)
    adv = returns.mean(-1, keepdim=True) - returns
    if normalize:
        adv = adv / (returns.std(-1, correction=0, keepdim=True) + eps)
    return adv.view(-1)


# %% wrong: discounted
def group_advantages(rewards, mask, n_generations, normalize=False, eps=1e-6):
    discounts = 0.99 ** torch.arange(rewards.shape[0], dtype=rewards.dtype)[:, None]
    returns = (rewards * mask * discounts).sum(0).view(-1, n_generations)
    adv = returns - returns.mean(-1, keepdim=True)
    if normalize:
        adv = adv / (returns.std(-1, correction=0, keepdim=True) + eps)
    return adv.view(-1)


# %% wrong: no baseline
def group_advantages(rewards, mask, n_generations, normalize=False, eps=1e-6):
    returns = (rewards * mask).sum(0).view(-1, n_generations)
    if normalize:
        returns = returns / (returns.std(-1, correction=0, keepdim=True) + eps)
    return returns.view(-1)


# %% wrong: the spread of the rewards
def group_advantages(rewards, mask, n_generations, normalize=False, eps=1e-6):
    returns = (rewards * mask).sum(0).view(-1, n_generations)
    adv = returns - returns.mean(-1, keepdim=True)
    if normalize:
        adv = adv / (rewards[mask > 0].std(correction=0) + eps)
    return adv.view(-1)


# %% wrong: changes the rewards
def group_advantages(rewards, mask, n_generations, normalize=False, eps=1e-6):
    rewards *= mask
    returns = rewards.sum(0).view(-1, n_generations)
    returns -= returns.mean(-1, keepdim=True)
    if normalize:
        returns /= returns.std(-1, correction=0, keepdim=True) + eps
    rewards -= rewards.mean()
    return returns.view(-1)


# %% wrong: a group of two only
def group_advantages(rewards, mask, n_generations, normalize=False, eps=1e-6):
    returns = (rewards * mask).sum(0).view(-1, 2)
    adv = returns - returns.mean(-1, keepdim=True)
    if normalize:
        adv = adv / (returns.std(-1, correction=0, keepdim=True) + eps)
    return adv.view(-1)


# %% wrong: no return statement
def group_advantages(rewards, mask, n_generations, normalize=False, eps=1e-6):
    returns = (rewards * mask).sum(0).view(-1, n_generations)
    adv = returns - returns.mean(-1, keepdim=True)
