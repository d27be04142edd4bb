# Answers to normalise_returns: mean 0 and standard deviation 1 over the live steps, 0 where padded.

# %% right: sums with the mask
def normalise_returns(returns, mask, eps=1e-6):
    n = mask.sum()
    mean = (returns * mask).sum() / n
    variance = ((returns - mean) ** 2 * mask).sum() / n
    return (returns - mean) / (variance.sqrt() + eps) * mask


# %% right: by index into zeros
def normalise_returns(returns, mask, eps=1e-6):
    live, result = mask.bool(), torch.zeros_like(returns)
    taken = returns[live]
    result[live] = (taken - taken.mean()) / (taken.std(unbiased=False) + eps)
    return result


# %% right: NumPy
def normalise_returns(returns, mask, eps=1e-6):
    returns, live = np.asarray(returns, dtype=float), np.asarray(mask) > 0
    taken = returns[live]
    return np.where(live, (returns - taken.mean()) / (taken.std() + eps), 0.0)


# %% right: masked arrays of NumPy
def normalise_returns(returns, mask, eps=1e-6):
    masked = np.ma.masked_array(returns.numpy().astype(float), mask.numpy() == 0)
    return ((masked - masked.mean()) / (masked.std() + eps)).filled(0.0)


# %% right: loops
def normalise_returns(returns, mask, eps=1e-6):
    rows = list(zip(returns.tolist(), mask.tolist()))
    taken = [g for gs, ms in rows for g, m in zip(gs, ms) if m]
    mean = sum(taken) / len(taken)
    std = (sum((g - mean) ** 2 for g in taken) / len(taken)) ** 0.5
    return [[(g - mean) / (std + eps) if m else 0.0 for g, m in zip(gs, ms)] for gs, ms in rows]


# %% right: masked_fill, and var_mean
def normalise_returns(returns, mask, eps=1e-6):
    variance, mean = torch.var_mean(torch.masked_select(returns, mask > 0), correction=0)
    return ((returns - mean) / (variance.sqrt() + eps)).masked_fill(mask == 0, 0.0)


# %% wrong: the broken one
def normalise_returns(returns, mask, eps=1e-6):
    n_steps = mask.sum()
    mean = (returns * mask).sum() / n_steps
    variance = ((returns - mean) ** 2 * mask).sum() / n_steps
    return (returns - mean) / (variance.sqrt() + eps)


# %% wrong: without the mask
def normalise_returns(returns, mask, eps=1e-6):
    return (returns - returns.mean()) / (returns.std(correction=0) + eps)


# %% wrong: the padding counts, and is taken out at the end
def normalise_returns(returns, mask, eps=1e-6):
    return (returns - returns.mean()) / (returns.std(correction=0) + eps) * mask


# %% wrong: the padding counts as zeros
def normalise_returns(returns, mask, eps=1e-6):
    kept = returns * mask
    return (kept - kept.mean()) / (kept.std(correction=0) + eps) * mask


# %% wrong: divided by the size of the array
def normalise_returns(returns, mask, eps=1e-6):
    mean = (returns * mask).mean()
    variance = ((returns - mean) ** 2 * mask).mean()
    return (returns - mean) / (variance.sqrt() + eps) * mask


# %% wrong: the mean of the live steps, the standard deviation of all
def normalise_returns(returns, mask, eps=1e-6):
    mean = returns[mask > 0].mean()
    return (returns - mean) / (returns.std(correction=0) + eps) * mask


# %% wrong: masked before the mean is subtracted
def normalise_returns(returns, mask, eps=1e-6):
    taken = returns[mask > 0]
    return (returns * mask - taken.mean()) / (taken.std(correction=0) + eps)


# %% wrong: the standard deviation of a sample
def normalise_returns(returns, mask, eps=1e-6):
    taken = returns[mask > 0]
    return (returns - taken.mean()) / (taken.std() + eps) * mask


# %% wrong: each episode by itself
def normalise_returns(returns, mask, eps=1e-6):
    n = mask.sum(dim=0)
    mean = (returns * mask).sum(dim=0) / n
    std = (((returns - mean) ** 2 * mask).sum(dim=0) / n).sqrt()
    return (returns - mean) / (std + eps) * mask


# %% wrong: each time step by itself
def normalise_returns(returns, mask, eps=1e-6):
    n = mask.sum(dim=1, keepdim=True).clamp(min=1)
    mean = (returns * mask).sum(dim=1, keepdim=True) / n
    std = (((returns - mean) ** 2 * mask).sum(dim=1, keepdim=True) / n).sqrt()
    return (returns - mean) / (std + eps) * mask


# %% wrong: divided by the variance
def normalise_returns(returns, mask, eps=1e-6):
    taken = returns[mask > 0]
    return (returns - taken.mean()) / (taken.var(correction=0) + eps) * mask


# %% wrong: no division
def normalise_returns(returns, mask, eps=1e-6):
    return (returns - returns[mask > 0].mean()) * mask


# %% wrong: no mean
def normalise_returns(returns, mask, eps=1e-6):
    return returns * mask / (returns[mask > 0].std(correction=0) + eps)


# %% wrong: eps under the root
def normalise_returns(returns, mask, eps=1e-6):
    taken = returns[mask > 0]
    return (returns - taken.mean()) / (taken.var(correction=0) + eps).sqrt() * mask


# %% wrong: the larger of the standard deviation and eps
def normalise_returns(returns, mask, eps=1e-6):
    taken = returns[mask > 0]
    return (returns - taken.mean()) / taken.std(correction=0).clamp(min=eps) * mask


# %% wrong: no eps
def normalise_returns(returns, mask, eps=1e-6):
    taken = returns[mask > 0]
    return (returns - taken.mean()) / taken.std(correction=0) * mask


# %% wrong: another eps by default
def normalise_returns(returns, mask, eps=1e-3):
    taken = returns[mask > 0]
    return (returns - taken.mean()) / (taken.std(correction=0) + eps) * mask


# %% wrong: zeros are taken for padding
def normalise_returns(returns, mask, eps=1e-6):
    live = returns * mask != 0
    taken = returns[live]
    return torch.where(live, (returns - taken.mean()) / (taken.std(correction=0) + eps), 0.0)


# %% wrong: the live steps as a vector
def normalise_returns(returns, mask, eps=1e-6):
    taken = returns[mask > 0]
    return (taken - taken.mean()) / (taken.std(correction=0) + eps)


# %% wrong: writes into the returns
def normalise_returns(returns, mask, eps=1e-6):
    taken = returns[mask > 0]
    returns -= taken.mean()
    returns /= taken.std(correction=0) + eps
    return returns * mask


# %% wrong: no return statement
def normalise_returns(returns, mask, eps=1e-6):
    taken = returns[mask > 0]
