# Answers to total_return: the discounted return of the whole episode, once for each step.

# %% right: powers from arange
def total_return(rewards, gamma):
    discounts = gamma ** torch.arange(len(rewards), dtype=rewards.dtype)
    return (discounts * rewards).sum().expand(len(rewards))


# %% right: a loop from the end
def total_return(rewards, gamma):
    total = 0.0
    for reward in reversed(rewards.tolist()):
        total = reward + gamma * total
    return torch.full_like(rewards, total)


# %% right: a loop from the start with a running discount
def total_return(rewards, gamma):
    total, discount = torch.zeros((), dtype=rewards.dtype), 1.0
    for reward in rewards:
        total = total + discount * reward
        discount *= gamma
    return total.repeat(rewards.shape[0])


# %% right: a list of Python floats
def total_return(rewards, gamma):
    total = sum(gamma**k * float(r) for k, r in enumerate(rewards))
    return [total] * len(rewards)


# %% right: NumPy in float64
def total_return(rewards, gamma):
    r = rewards.numpy().astype(np.float64)
    return np.full(len(r), np.dot(np.power(float(gamma), np.arange(len(r))), r))


# %% right: a matrix of ones
def total_return(rewards, gamma):
    discounts = torch.cat([torch.ones(1), torch.full((len(rewards) - 1,), float(gamma))]).cumprod(0)
    return torch.ones(len(rewards), len(rewards)) @ (discounts * rewards.float())


# %% right: a polynomial in gamma
def total_return(rewards, gamma):
    return np.full(len(rewards), np.polynomial.polynomial.polyval(gamma, np.asarray(rewards, float)))


# %% right: the first reward-to-go, repeated
def total_return(rewards, gamma):
    following, out = 0, []
    for r in torch.flip(rewards, [0]):
        following = r + gamma * following
        out.append(following)
    return torch.stack(out)[-1:].repeat(len(out))


# %% wrong: the rewards-to-go
def total_return(rewards, gamma):
    returns, following = [], 0.0
    for reward in reversed(rewards.tolist()):
        following = reward + gamma * following
        returns.append(following)
    return torch.tensor(returns[::-1])


# %% wrong: a single number
def total_return(rewards, gamma):
    return (gamma ** torch.arange(len(rewards)) * rewards).sum()


# %% wrong: not discounted
def total_return(rewards, gamma):
    return rewards.sum().expand(len(rewards))


# %% wrong: the discount begins at the first reward
def total_return(rewards, gamma):
    discounts = gamma ** (torch.arange(len(rewards)) + 1)
    return (discounts * rewards).sum().expand(len(rewards))


# %% wrong: discounted from the end
def total_return(rewards, gamma):
    discounts = gamma ** torch.arange(len(rewards)).flip(0)
    return (discounts * rewards).sum().expand(len(rewards))


# %% wrong: the last reward is left out
def total_return(rewards, gamma):
    total = sum(gamma**k * rewards[k] for k in range(len(rewards) - 1))
    return torch.full((len(rewards),), float(total))


# %% wrong: the first reward is left out
def total_return(rewards, gamma):
    total = sum(gamma**k * rewards[k] for k in range(1, len(rewards)))
    return torch.full((len(rewards),), float(total))


# %% wrong: the mean instead of the sum
def total_return(rewards, gamma):
    discounts = gamma ** torch.arange(len(rewards))
    return (discounts * rewards).mean().expand(len(rewards))


# %% wrong: gamma of 0.99 whatever is given
def total_return(rewards, gamma):
    discounts = 0.99 ** torch.arange(len(rewards))
    return (discounts * rewards).sum().expand(len(rewards))


# %% wrong: gamma of zero taken for no discount
def total_return(rewards, gamma):
    gamma = gamma or 1.0
    discounts = gamma ** torch.arange(len(rewards))
    return (discounts * rewards).sum().expand(len(rewards))


# %% wrong: a discount that multiplies k
def total_return(rewards, gamma):
    discounts = 1 - (1 - gamma) * torch.arange(len(rewards))
    return (discounts * rewards).sum().expand(len(rewards))


# %% wrong: discounted terms, not summed
def total_return(rewards, gamma):
    return gamma ** torch.arange(len(rewards)) * rewards


# %% wrong: rounded to integers
def total_return(rewards, gamma):
    total = int((gamma ** torch.arange(len(rewards)) * rewards).sum())
    return torch.full((len(rewards),), total)


# %% wrong: changes the rewards
def total_return(rewards, gamma):
    rewards *= gamma ** torch.arange(len(rewards))
    return rewards.sum().expand(len(rewards))


# %% wrong: weighted once more at each step
def total_return(rewards, gamma):
    steps = torch.arange(len(rewards))
    return gamma**steps * (gamma**steps * rewards).sum()


# %% wrong: recursive
def total_return(rewards, gamma):
    def value(k):
        return 0.0 if k == len(rewards) else float(rewards[k]) + gamma * value(k + 1)

    return torch.full((len(rewards),), value(0))


# %% wrong: one row too many
def total_return(rewards, gamma):
    discounts = gamma ** torch.arange(len(rewards))
    return (discounts * rewards).sum().repeat(len(rewards), 1)
