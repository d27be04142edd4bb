# Answers to reward_to_go: the discounted rewards from each step on.

# %% right: a loop from the end over floats
def reward_to_go(rewards, gamma):
    returns, following = [], 0.0
    for reward in reversed(rewards.tolist()):
        following = reward + gamma * following
        returns.append(following)
    return torch.tensor(returns[::-1], dtype=rewards.dtype)


# %% right: filled in place from the end
def reward_to_go(rewards, gamma):
    returns = rewards.clone()
    for t in range(len(rewards) - 2, -1, -1):
        returns[t] += gamma * returns[t + 1]
    return returns


# %% right: a matrix of discounts
def reward_to_go(rewards, gamma):
    steps = torch.arange(len(rewards))
    distance = steps[None, :] - steps[:, None]
    discounts = torch.where(distance >= 0, float(gamma) ** distance.clamp(min=0), 0.0)
    return discounts.to(rewards.dtype) @ rewards


# %% right: a matrix of discounts, upper triangle
def reward_to_go(rewards, gamma):
    steps = torch.arange(len(rewards), dtype=torch.float64)
    powers = torch.pow(float(gamma), (steps - steps[:, None]).clamp(min=0))
    return powers.triu() @ rewards.double()


# %% right: a filter
def reward_to_go(rewards, gamma):
    from scipy.signal import lfilter

    flipped = rewards.numpy()[::-1].astype(float)
    return torch.from_numpy(lfilter([1.0], [1.0, -float(gamma)], flipped)[::-1].copy())


# %% right: accumulate, as a list
def reward_to_go(rewards, gamma):
    from itertools import accumulate

    backwards = accumulate(reversed(rewards.tolist()), lambda following, r: r + gamma * following)
    return list(backwards)[::-1]


# %% right: doubling
def reward_to_go(rewards, gamma):
    returns, reach = rewards.double().clone(), 1
    while reach < len(rewards):
        shifted = torch.zeros_like(returns)
        shifted[:-reach] = returns[reach:]
        returns = returns + float(gamma) ** reach * shifted
        reach *= 2
    return returns.float()


# %% right: deque of tensors
def reward_to_go(rewards, gamma):
    from collections import deque

    returns, following = deque(), torch.zeros(())
    for r in rewards.flip(0):
        following = r + gamma * following
        returns.appendleft(following)
    return torch.stack(list(returns))


# %% right: NumPy
def reward_to_go(rewards, gamma):
    r = np.array(rewards)
    out = np.zeros(len(r))
    out[-1] = r[-1]
    for t in reversed(range(len(r) - 1)):
        out[t] = r[t] + gamma * out[t + 1]
    return out


# %% wrong: the total return, repeated
def reward_to_go(rewards, gamma):
    discounts = gamma ** torch.arange(len(rewards))
    return (discounts * rewards).sum().expand(len(rewards))


# %% wrong: without the discount
def reward_to_go(rewards, gamma):
    return rewards.flip(0).cumsum(0).flip(0)


# %% wrong: discounted from the start of the episode
def reward_to_go(rewards, gamma):
    discounted = gamma ** torch.arange(len(rewards)) * rewards
    return discounted.flip(0).cumsum(0).flip(0)


# %% wrong: divided by a power of gamma
def reward_to_go(rewards, gamma):
    discounts = gamma ** torch.arange(len(rewards))
    return (discounts * rewards).flip(0).cumsum(0).flip(0) / discounts


# %% wrong: the past instead of the future
def reward_to_go(rewards, gamma):
    returns, past = [], 0.0
    for reward in rewards.tolist():
        past = reward + gamma * past
        returns.append(past)
    return torch.tensor(returns)


# %% wrong: in the order of the loop
def reward_to_go(rewards, gamma):
    returns, following = [], 0.0
    for reward in reversed(rewards.tolist()):
        following = reward + gamma * following
        returns.append(following)
    return torch.tensor(returns)


# %% wrong: without the step's own reward
def reward_to_go(rewards, gamma):
    returns, following = [], 0.0
    for reward in reversed(rewards.tolist()):
        returns.append(following)
        following = reward + gamma * following
    return torch.tensor(returns[::-1])


# %% wrong: the step's own reward is discounted as well
def reward_to_go(rewards, gamma):
    returns, following = [], 0.0
    for reward in reversed(rewards.tolist()):
        following = gamma * (reward + following)
        returns.append(following)
    return torch.tensor(returns[::-1])


# %% wrong: the last step gets nothing
def reward_to_go(rewards, gamma):
    returns = torch.zeros(len(rewards))
    for t in reversed(range(len(rewards) - 1)):
        returns[t] = rewards[t] + gamma * returns[t + 1]
    return returns


# %% wrong: integers
def reward_to_go(rewards, gamma):
    returns, following = [], 0.0
    for reward in reversed(rewards.tolist()):
        following = reward + gamma * following
        returns.append(int(following))
    return torch.tensor(returns[::-1])


# %% wrong: changes the rewards
def reward_to_go(rewards, gamma):
    for t in range(len(rewards) - 2, -1, -1):
        rewards[t] += gamma * rewards[t + 1]
    return rewards


# %% wrong: gamma of 0.99 whatever is given
def reward_to_go(rewards, gamma):
    returns, following = [], 0.0
    for reward in reversed(rewards.tolist()):
        following = reward + 0.99 * following
        returns.append(following)
    return torch.tensor(returns[::-1])


# %% wrong: gamma of zero taken for the default
def reward_to_go(rewards, gamma):
    gamma = gamma or 0.99
    returns, following = [], 0.0
    for reward in reversed(rewards.tolist()):
        following = reward + gamma * following
        returns.append(following)
    return torch.tensor(returns[::-1])


# %% wrong: normalised
def reward_to_go(rewards, gamma):
    returns, following = [], 0.0
    for reward in reversed(rewards.tolist()):
        following = reward + gamma * following
        returns.append(following)
    returns = torch.tensor(returns[::-1])
    return (returns - returns.mean()) / (returns.std() + 1e-8)


# %% wrong: looks one step ahead only
def reward_to_go(rewards, gamma):
    following = torch.cat([rewards[1:], torch.zeros(1)])
    return rewards + gamma * following


# %% wrong: recursive
def reward_to_go(rewards, gamma):
    if len(rewards) == 0:
        return torch.zeros(0)
    rest = reward_to_go(rewards[1:], gamma)
    following = rest[0] if len(rest) else 0.0
    return torch.cat([(rewards[0] + gamma * following).reshape(1), rest])


# %% wrong: a column
def reward_to_go(rewards, gamma):
    returns, following = [], 0.0
    for reward in reversed(rewards.tolist()):
        following = reward + gamma * following
        returns.append([following])
    return torch.tensor(returns[::-1])
