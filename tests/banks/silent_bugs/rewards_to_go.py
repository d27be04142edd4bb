# Answers to rewards_to_go: discounted sums up to the end of the own episode, in a flat batch.

# %% right: backwards, the factor zero at an end
def rewards_to_go(rewards, terminated, truncated, gamma):
    result, total = [], 0.0
    for reward, end in zip(reversed(rewards.tolist()), reversed((terminated | truncated).tolist())):
        total = reward + (0.0 if end else gamma * total)
        result.append(total)
    return result[::-1]


# %% right: NumPy, in place from the back
def rewards_to_go(rewards, terminated, truncated, gamma):
    result = rewards.numpy().copy()
    goes_on = ~(terminated.numpy() | truncated.numpy())
    for t in range(len(result) - 2, -1, -1):
        if goes_on[t]:
            result[t] += gamma * result[t + 1]
    return result


# %% right: episode by episode
def rewards_to_go(rewards, terminated, truncated, gamma):
    ends = torch.nonzero(terminated | truncated)[:, 0].add(1).tolist()
    pieces, start = [], 0
    for stop in [*ends, len(rewards)]:
        total, piece = 0.0, []
        for reward in rewards[start:stop].flip(0):
            total = reward + gamma * total
            piece.insert(0, total)
        pieces += piece
        start = stop
    return torch.stack(pieces)


# %% right: split
def rewards_to_go(rewards, terminated, truncated, gamma):
    ended = np.asarray(terminated) | np.asarray(truncated)
    parts = np.split(np.asarray(rewards, dtype=float), np.flatnonzero(ended) + 1)
    found = []
    for part in parts:
        total = 0.0
        back = []
        for value in part[::-1]:
            total = value + gamma * total
            back.append(total)
        found.extend(back[::-1])
    return np.array(found)


# %% right: multiplied by one minus the end
def rewards_to_go(rewards, terminated, truncated, gamma):
    goes_on = 1.0 - (terminated | truncated).to(rewards.dtype)
    following, result = torch.zeros((), dtype=rewards.dtype), torch.empty_like(rewards)
    for t in range(len(rewards) - 1, -1, -1):
        following = rewards[t] + gamma * goes_on[t] * following
        result[t] = following
    return result


# %% right: a linear system for short batches, a loop for long ones
def rewards_to_go(rewards, terminated, truncated, gamma):
    n, goes_on = len(rewards), (~(terminated | truncated)).double()
    if n <= 64:
        step = torch.eye(n, dtype=torch.float64) - gamma * torch.diag(goes_on[:-1], 1)
        return torch.linalg.solve(step, rewards.double())
    result = rewards.double().clone()
    for t in reversed(range(n - 1)):
        result[t] += gamma * goes_on[t] * result[t + 1]
    return result.to(rewards.dtype)


# %% wrong: the broken one
def rewards_to_go(rewards, terminated, truncated, gamma):
    result, following = torch.zeros_like(rewards), 0.0
    for t in range(len(rewards) - 1, -1, -1):
        following = rewards[t] + gamma * following
        result[t] = following
        if terminated[t] or truncated[t]:
            following = 0.0
    return result


# %% wrong: one long episode
def rewards_to_go(rewards, terminated, truncated, gamma):
    result, following = torch.zeros_like(rewards), 0.0
    for t in reversed(range(len(rewards))):
        following = rewards[t] + gamma * following
        result[t] = following
    return result


# %% wrong: only terminated ends an episode
def rewards_to_go(rewards, terminated, truncated, gamma):
    result, following = torch.zeros_like(rewards), 0.0
    for t in reversed(range(len(rewards))):
        following = rewards[t] + (0.0 if terminated[t] else gamma * following)
        result[t] = following
    return result


# %% wrong: only truncated ends an episode
def rewards_to_go(rewards, terminated, truncated, gamma):
    result, following = torch.zeros_like(rewards), 0.0
    for t in reversed(range(len(rewards))):
        following = rewards[t] + (0.0 if truncated[t] else gamma * following)
        result[t] = following
    return result


# %% wrong: only where both flags are set
def rewards_to_go(rewards, terminated, truncated, gamma):
    result, following = torch.zeros_like(rewards), 0.0
    for t in reversed(range(len(rewards))):
        following = rewards[t] + (0.0 if terminated[t] and truncated[t] else gamma * following)
        result[t] = following
    return result


# %% wrong: one flag but not both
def rewards_to_go(rewards, terminated, truncated, gamma):
    result, following = torch.zeros_like(rewards), 0.0
    for t in reversed(range(len(rewards))):
        following = rewards[t] + (0.0 if terminated[t] ^ truncated[t] else gamma * following)
        result[t] = following
    return result


# %% wrong: forwards
def rewards_to_go(rewards, terminated, truncated, gamma):
    result, so_far = torch.zeros_like(rewards), 0.0
    for t in range(len(rewards)):
        so_far = rewards[t] + gamma * so_far
        result[t] = so_far
        if terminated[t] or truncated[t]:
            so_far = 0.0
    return result


# %% wrong: the last reward of an episode is lost
def rewards_to_go(rewards, terminated, truncated, gamma):
    result, following = torch.zeros_like(rewards), 0.0
    for t in reversed(range(len(rewards))):
        following = 0.0 if terminated[t] or truncated[t] else rewards[t] + gamma * following
        result[t] = following
    return result


# %% wrong: no discount
def rewards_to_go(rewards, terminated, truncated, gamma):
    result, following = torch.zeros_like(rewards), 0.0
    for t in reversed(range(len(rewards))):
        following = rewards[t] + (0.0 if terminated[t] or truncated[t] else following)
        result[t] = following
    return result


# %% wrong: the own reward is discounted, too
def rewards_to_go(rewards, terminated, truncated, gamma):
    result, following = torch.zeros_like(rewards), 0.0
    for t in reversed(range(len(rewards))):
        following = gamma * (rewards[t] + (0.0 if terminated[t] or truncated[t] else following))
        result[t] = following
    return result


# %% wrong: the whole return at every step
def rewards_to_go(rewards, terminated, truncated, gamma):
    result, start, n = torch.zeros_like(rewards), 0, len(rewards)
    for t in range(n):
        if terminated[t] or truncated[t] or t == n - 1:
            discounts = gamma ** torch.arange(t + 1 - start, dtype=rewards.dtype)
            result[start : t + 1] = (discounts * rewards[start : t + 1]).sum()
            start = t + 1
    return result


# %% wrong: the result is in reverse order
def rewards_to_go(rewards, terminated, truncated, gamma):
    result, following = [], 0.0
    for t in reversed(range(len(rewards))):
        following = float(rewards[t]) + (0.0 if terminated[t] or truncated[t] else gamma * following)
        result.append(following)
    return result


# %% wrong: bootstraps from the step after a truncated one
def rewards_to_go(rewards, terminated, truncated, gamma):
    result, following = torch.zeros_like(rewards), 0.0
    for t in reversed(range(len(rewards))):
        if terminated[t]:
            following = 0.0
        elif truncated[t] and t + 1 < len(rewards):
            following = rewards[t + 1]
        following = rewards[t] + gamma * following
        result[t] = following
    return result


# %% wrong: drops what has not ended
def rewards_to_go(rewards, terminated, truncated, gamma):
    result, following, open_end = torch.zeros_like(rewards), 0.0, True
    for t in reversed(range(len(rewards))):
        if terminated[t] or truncated[t]:
            following, open_end = 0.0, False
        if open_end:
            continue
        following = rewards[t] + gamma * following
        result[t] = following
    return result


# %% wrong: the state goes back by one step
def rewards_to_go(rewards, terminated, truncated, gamma):
    ended = terminated | truncated
    result, following = torch.zeros_like(rewards), 0.0
    for t in reversed(range(len(rewards))):
        if t > 0 and ended[t - 1]:
            following = 0.0
        following = rewards[t] + gamma * following
        result[t] = following
    return result


# %% wrong: integers
def rewards_to_go(rewards, terminated, truncated, gamma):
    result, following = torch.zeros(len(rewards), dtype=torch.int64), 0.0
    for t in reversed(range(len(rewards))):
        following = float(rewards[t]) + (0.0 if terminated[t] or truncated[t] else gamma * following)
        result[t] = following
    return result


# %% wrong: writes into the rewards
def rewards_to_go(rewards, terminated, truncated, gamma):
    for t in reversed(range(len(rewards) - 1)):
        if not (terminated[t] or truncated[t]):
            rewards[t] += gamma * rewards[t + 1]
    return rewards


# %% wrong: minus the mean
def rewards_to_go(rewards, terminated, truncated, gamma):
    result, following = torch.zeros_like(rewards), 0.0
    for t in reversed(range(len(rewards))):
        following = rewards[t] + (0.0 if terminated[t] or truncated[t] else gamma * following)
        result[t] = following
    return result - result.mean()


# %% wrong: no return statement
def rewards_to_go(rewards, terminated, truncated, gamma):
    result = torch.zeros_like(rewards)
