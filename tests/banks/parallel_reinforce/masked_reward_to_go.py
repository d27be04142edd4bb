# Answers to masked_reward_to_go: G_t = m_t (r_t + gamma G_{t+1}) for each column.


# %% right: backwards, a row at a time
def masked_reward_to_go(rewards, mask, gamma):
    returns = torch.zeros_like(rewards)
    following = torch.zeros_like(rewards[0])
    for t in reversed(range(len(rewards))):
        following = mask[t] * (rewards[t] + gamma * following)
        returns[t] = following
    return returns


# %% right: a list of rows, stacked
def masked_reward_to_go(rewards, mask, gamma):
    rows, running = [], 0
    for reward, live in zip(rewards.flip(0), mask.flip(0)):
        running = live * reward + gamma * running
        rows.append(running)
    return torch.stack(rows).flip(0) * mask


# %% right: column by column in Python
def masked_reward_to_go(rewards, mask, gamma):
    table = [[0.0] * rewards.shape[1] for _ in rewards]
    for i in range(rewards.shape[1]):
        following = 0.0
        for t in range(int(mask[:, i].sum()) - 1, -1, -1):
            following = float(rewards[t, i]) + gamma * following
            table[t][i] = following
    return torch.tensor(table)


# %% right: NumPy and SciPy's filter
def masked_reward_to_go(rewards, mask, gamma):
    from scipy.signal import lfilter

    live = (rewards * mask).numpy().astype(float)
    return torch.from_numpy(lfilter([1.0], [1.0, -gamma], live[::-1], axis=0)[::-1].copy()).to(rewards.dtype)


# %% right: a product with a triangular matrix
def masked_reward_to_go(rewards, mask, gamma):
    steps = torch.arange(len(rewards))
    lags = steps[None, :] - steps[:, None]
    weights = torch.where(lags >= 0, float(gamma) ** lags.clamp(min=0).double(), 0.0)
    return (weights @ (rewards * mask).double()).to(rewards.dtype)


# %% right: doubling
def masked_reward_to_go(rewards, mask, gamma):
    returns, shift = rewards * mask, 1
    while shift < len(returns):
        later = torch.zeros_like(returns)
        later[:-shift] = returns[shift:]
        returns, shift = returns + gamma**shift * later, 2 * shift
    return returns


# %% right: masked where, in place on a copy
def masked_reward_to_go(rewards, mask, gamma):
    returns = rewards.clone()
    returns[mask == 0] = 0.0
    for t in range(rewards.shape[0] - 2, -1, -1):
        returns[t] += gamma * returns[t + 1]
    return returns


# %% right: NumPy arrays out, in float64
def masked_reward_to_go(rewards, mask, gamma):
    rewards, mask = np.array(rewards, dtype=float), np.array(mask, dtype=bool)
    returns = np.zeros((len(rewards) + 1, rewards.shape[1]))
    for t in range(len(rewards))[::-1]:
        returns[t] = np.where(mask[t], rewards[t] + gamma * returns[t + 1], 0)
    return returns[:-1]


# %% right: one padding row below
def masked_reward_to_go(rewards, mask, gamma):
    padded = torch.cat([rewards * mask, torch.zeros(1, rewards.shape[1], dtype=rewards.dtype)])
    for t in range(len(rewards) - 1, -1, -1):
        padded[t] = padded[t] + gamma * padded[t + 1]
    return padded[: len(rewards)]


# %% wrong: no mask at all
def masked_reward_to_go(rewards, mask, gamma):
    returns, following = torch.zeros_like(rewards), 0.0
    for t in reversed(range(len(rewards))):
        following = rewards[t] + gamma * following
        returns[t] = following
    return returns


# %% wrong: masked only at the end
def masked_reward_to_go(rewards, mask, gamma):
    returns, following = torch.zeros_like(rewards), 0.0
    for t in reversed(range(len(rewards))):
        following = rewards[t] + gamma * following
        returns[t] = following
    return returns * mask


# %% wrong: inverted mask
def masked_reward_to_go(rewards, mask, gamma):
    returns, following = torch.zeros_like(rewards), 0.0
    for t in reversed(range(len(rewards))):
        following = (1 - mask[t]) * (rewards[t] + gamma * following)
        returns[t] = following
    return returns


# %% wrong: the padding's own reward is kept
def masked_reward_to_go(rewards, mask, gamma):
    returns, following = torch.zeros_like(rewards), torch.zeros_like(rewards[0])
    for t in reversed(range(len(rewards))):
        following = rewards[t] + gamma * mask[t] * following
        returns[t] = following
    return returns


# %% wrong: the last live reward is left out
def masked_reward_to_go(rewards, mask, gamma):
    returns, following = torch.zeros_like(rewards), torch.zeros_like(rewards[0])
    goes_on = torch.cat([mask[1:], torch.zeros_like(mask[:1])])
    for t in reversed(range(len(rewards))):
        following = goes_on[t] * (rewards[t] + gamma * following)
        returns[t] = following
    return returns


# %% wrong: the whole return at every step
def masked_reward_to_go(rewards, mask, gamma):
    discounts = float(gamma) ** torch.arange(len(rewards), dtype=rewards.dtype)[:, None]
    return (discounts * rewards * mask).sum(dim=0) * mask


# %% wrong: forwards
def masked_reward_to_go(rewards, mask, gamma):
    returns, past = torch.zeros_like(rewards), 0.0
    for t in range(len(rewards)):
        past = mask[t] * (rewards[t] + gamma * past)
        returns[t] = past
    return returns


# %% wrong: left backwards
def masked_reward_to_go(rewards, mask, gamma):
    rows, running = [], 0.0
    for reward in (rewards * mask).flip(0):
        running = reward + gamma * running
        rows.append(running)
    return torch.stack(rows)


# %% wrong: no discount
def masked_reward_to_go(rewards, mask, gamma):
    live = rewards * mask
    return live.flip(0).cumsum(0).flip(0)


# %% wrong: discounted from the start of the episode
def masked_reward_to_go(rewards, mask, gamma):
    discounts = float(gamma) ** torch.arange(len(rewards), dtype=rewards.dtype)[:, None]
    return (discounts * rewards * mask).flip(0).cumsum(0).flip(0)


# %% wrong: divides by powers of gamma
def masked_reward_to_go(rewards, mask, gamma):
    discounts = float(gamma) ** torch.arange(len(rewards), dtype=rewards.dtype)[:, None]
    return (discounts * rewards * mask).flip(0).cumsum(0).flip(0) / discounts


# %% wrong: divides by powers of gamma, zero handled apart
def masked_reward_to_go(rewards, mask, gamma):
    if gamma == 0:
        return rewards * mask
    discounts = float(gamma) ** torch.arange(len(rewards), dtype=torch.float64)[:, None]
    returns = (discounts * rewards * mask).flip(0).cumsum(0).flip(0) / discounts
    return returns.to(rewards.dtype)


# %% wrong: own reward discounted too
def masked_reward_to_go(rewards, mask, gamma):
    returns, following = torch.zeros_like(rewards), 0.0
    for t in reversed(range(len(rewards))):
        following = gamma * mask[t] * (rewards[t] + following)
        returns[t] = following
    return returns


# %% wrong: one step ahead only
def masked_reward_to_go(rewards, mask, gamma):
    live = rewards * mask
    following = torch.cat([live[1:], torch.zeros_like(live[:1])])
    return live + gamma * following


# %% wrong: gamma fixed at 0.9
def masked_reward_to_go(rewards, mask, gamma):
    returns, following = torch.zeros_like(rewards), 0.0
    for t in reversed(range(len(rewards))):
        following = mask[t] * (rewards[t] + 0.9 * following)
        returns[t] = following
    return returns


# %% wrong: a discount of zero taken for missing
def masked_reward_to_go(rewards, mask, gamma):
    gamma = gamma or 0.99
    returns, following = torch.zeros_like(rewards), 0.0
    for t in reversed(range(len(rewards))):
        following = mask[t] * (rewards[t] + gamma * following)
        returns[t] = following
    return returns


# %% wrong: along the environments
def masked_reward_to_go(rewards, mask, gamma):
    returns, following = torch.zeros_like(rewards), 0.0
    for i in reversed(range(rewards.shape[1])):
        following = mask[:, i] * (rewards[:, i] + gamma * following)
        returns[:, i] = following
    return returns


# %% wrong: transposed
def masked_reward_to_go(rewards, mask, gamma):
    returns, following = torch.zeros_like(rewards), 0.0
    for t in reversed(range(len(rewards))):
        following = mask[t] * (rewards[t] + gamma * following)
        returns[t] = following
    return returns.T


# %% wrong: the sum over environments
def masked_reward_to_go(rewards, mask, gamma):
    returns, following = torch.zeros(len(rewards)), 0.0
    for t in reversed(range(len(rewards))):
        following = (mask[t] * rewards[t]).sum() + gamma * following
        returns[t] = following
    return returns


# %% wrong: changes the rewards
def masked_reward_to_go(rewards, mask, gamma):
    rewards *= mask
    for t in range(len(rewards) - 2, -1, -1):
        rewards[t] += gamma * rewards[t + 1]
    return rewards


# %% wrong: writes zeros into the rewards
def masked_reward_to_go(rewards, mask, gamma):
    rewards[mask == 0] = 0
    returns, following = torch.zeros_like(rewards), 0.0
    for t in reversed(range(len(rewards))):
        following = rewards[t] + gamma * following
        returns[t] = following
    return returns


# %% wrong: integers
def masked_reward_to_go(rewards, mask, gamma):
    returns = torch.zeros(rewards.shape, dtype=torch.int64)
    following = torch.zeros_like(rewards[0])
    for t in reversed(range(len(rewards))):
        following = mask[t] * (rewards[t] + gamma * following)
        returns[t] = following.to(torch.int64)
    return returns


# %% wrong: cut off where the first episode ends
def masked_reward_to_go(rewards, mask, gamma):
    live = rewards * mask * mask.prod(dim=1, keepdim=True)
    returns, following = torch.zeros_like(rewards), 0.0
    for t in reversed(range(len(rewards))):
        following = live[t] + gamma * following
        returns[t] = following
    return returns


# %% wrong: only as many rows as all episodes have
def masked_reward_to_go(rewards, mask, gamma):
    length = int(mask.sum(dim=0).min())
    returns, following = torch.zeros(length, rewards.shape[1]), 0.0
    for t in reversed(range(length)):
        following = rewards[t] + gamma * following
        returns[t] = following
    return returns


# %% wrong: normalised
def masked_reward_to_go(rewards, mask, gamma):
    returns, following = torch.zeros_like(rewards), 0.0
    for t in reversed(range(len(rewards))):
        following = mask[t] * (rewards[t] + gamma * following)
        returns[t] = following
    return mask * (returns - returns.mean()) / (returns.std() + 1e-8)


# %% wrong: recursive
def masked_reward_to_go(rewards, mask, gamma):
    live = rewards * mask
    if len(live) == 1:
        return live
    later = masked_reward_to_go(rewards[1:], mask[1:], gamma)
    return torch.cat([live[:1] + gamma * later[:1], later])


# %% wrong: at most 500 steps
def masked_reward_to_go(rewards, mask, gamma):
    returns, following = torch.zeros_like(rewards), 0.0
    for t in reversed(range(min(500, len(rewards)))):
        following = mask[t] * (rewards[t] + gamma * following)
        returns[t] = following
    return returns


# %% wrong: rewards of zero end an episode
def masked_reward_to_go(rewards, mask, gamma):
    returns, following = torch.zeros_like(rewards), 0.0
    for t in reversed(range(len(rewards))):
        following = (rewards[t] > 0) * mask[t] * (rewards[t] + gamma * following)
        returns[t] = following
    return returns


# %% wrong: the rewards, masked
def masked_reward_to_go(rewards, mask, gamma):
    return rewards * mask


# %% wrong: the example
def masked_reward_to_go(rewards, mask, gamma):
    return torch.tensor([[6.0], [5.0], [3.0], [0.0]])
