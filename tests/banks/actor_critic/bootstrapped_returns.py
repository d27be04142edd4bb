# Answers to bootstrapped_returns: discounted returns of a fragment, with bootstrapping.

# %% right: one number per environment, torch.where
def bootstrapped_returns(rewards, next_values, terminated, truncated, gamma):
    following, rows = next_values[-1], []
    for t in range(len(rewards) - 1, -1, -1):
        following = torch.where(truncated[t], next_values[t], following)
        following = rewards[t] + gamma * following * ~terminated[t]
        rows.insert(0, following)
    return torch.stack(rows)


# %% right: plain loops over steps and environments, nested lists
def bootstrapped_returns(rewards, next_values, terminated, truncated, gamma):
    T, N = len(rewards), len(rewards[0])
    r, v = rewards.tolist(), next_values.tolist()
    returns = [[0.0] * N for _ in range(T)]
    for i in range(N):
        for t in reversed(range(T)):
            if terminated[t][i]:
                returns[t][i] = r[t][i]
            elif truncated[t][i] or t == T - 1:
                returns[t][i] = r[t][i] + gamma * v[t][i]
            else:
                returns[t][i] = r[t][i] + gamma * returns[t + 1][i]
    return returns


# %% right: NumPy in float64
def bootstrapped_returns(rewards, next_values, terminated, truncated, gamma):
    r, v = np.asarray(rewards, dtype=np.float64), np.asarray(next_values, dtype=np.float64)
    stop, cut = np.asarray(terminated), np.array(truncated)
    cut[-1] = True
    G = np.zeros_like(r)
    after = np.zeros(r.shape[1])
    for t in range(r.shape[0])[::-1]:
        after = np.where(stop[t], 0.0, np.where(cut[t], v[t], after))
        G[t] = after = r[t] + gamma * after
    return G


# %% right: two terms, one for each kind of continuation
def bootstrapped_returns(rewards, next_values, terminated, truncated, gamma):
    alive = (~terminated).float()
    bootstrap = truncated.float()
    returns = torch.zeros(len(rewards) + 1, rewards.shape[1])
    returns[-1] = next_values[-1]
    for t in reversed(range(len(rewards))):
        mixed = bootstrap[t] * next_values[t] + (1 - bootstrap[t]) * returns[t + 1]
        returns[t] = rewards[t] + gamma * alive[t] * mixed
    return returns[:-1]


# %% right: boolean indices
def bootstrapped_returns(rewards, next_values, terminated, truncated, gamma):
    out = rewards.clone().double()
    running = next_values[-1].clone().double()
    for t in reversed(range(rewards.size(0))):
        running[truncated[t]] = next_values[t][truncated[t]].double()
        running[terminated[t]] = 0.0
        running = out[t] + gamma * running
        out[t] = running
    return out


# %% right: rewards that hold the bootstrap, then a discounted sum that stops at ends
def bootstrapped_returns(rewards, next_values, terminated, truncated, gamma):
    cut = truncated.clone()
    cut[-1] = True
    cut &= ~terminated
    augmented = rewards + gamma * cut * next_values
    goes_on = (~(cut | terminated)).to(rewards.dtype)
    total = torch.zeros_like(rewards[0])
    rows = []
    for reward, flag in zip(augmented.flip(0), goes_on.flip(0)):
        total = reward + gamma * flag * total
        rows.append(total)
    return torch.stack(rows[::-1])


# %% right: a linear system for each environment
def bootstrapped_returns(rewards, next_values, terminated, truncated, gamma):
    r, v = rewards.double().numpy(), next_values.double().numpy()
    stop, cut = terminated.numpy(), truncated.numpy().copy()
    cut[-1] = True
    T, N = r.shape
    columns = []
    for i in range(N):
        b = r[:, i] + gamma * v[:, i] * (cut[:, i] & ~stop[:, i])
        link = gamma * ~(cut[:, i] | stop[:, i])
        columns.append(np.linalg.solve(np.eye(T) - np.diag(link[:-1], k=1), b))
    return np.stack(columns, axis=1)


# %% right: via the advantages with lambda = 1 and values of zero
def bootstrapped_returns(rewards, next_values, terminated, truncated, gamma):
    cut = truncated.clone()
    cut[-1] = True
    values = next_values * (cut & ~terminated)
    total, rows = 0.0, []
    for t in reversed(range(len(rewards))):
        open_ = (~(cut[t] | terminated[t])).float()
        total = rewards[t] + gamma * values[t] + gamma * open_ * total
        rows.append(total)
    return torch.stack(list(reversed(rows)))


# %% wrong: no bootstrapping at the last row
def bootstrapped_returns(rewards, next_values, terminated, truncated, gamma):
    following, rows = torch.zeros_like(rewards[0]), []
    for t in reversed(range(len(rewards))):
        following = torch.where(truncated[t], next_values[t], following)
        following = rewards[t] + gamma * following * ~terminated[t]
        rows.insert(0, following)
    return torch.stack(rows)


# %% wrong: a time limit treated as failure
def bootstrapped_returns(rewards, next_values, terminated, truncated, gamma):
    following, rows = next_values[-1], []
    for t in reversed(range(len(rewards))):
        following = rewards[t] + gamma * following * ~(terminated[t] | truncated[t])
        rows.insert(0, following)
    return torch.stack(rows)


# %% wrong: a failure treated as a time limit
def bootstrapped_returns(rewards, next_values, terminated, truncated, gamma):
    following, rows = next_values[-1], []
    for t in reversed(range(len(rewards))):
        following = torch.where(terminated[t] | truncated[t], next_values[t], following)
        following = rewards[t] + gamma * following
        rows.insert(0, following)
    return torch.stack(rows)


# %% wrong: truncated wins over terminated
def bootstrapped_returns(rewards, next_values, terminated, truncated, gamma):
    following, rows = next_values[-1], []
    for t in reversed(range(len(rewards))):
        following = torch.where(terminated[t], torch.zeros_like(following), following)
        following = torch.where(truncated[t], next_values[t], following)
        following = rewards[t] + gamma * following
        rows.insert(0, following)
    return torch.stack(rows)


# %% wrong: the last row always bootstraps
def bootstrapped_returns(rewards, next_values, terminated, truncated, gamma):
    returns = rewards.clone()
    returns[-1] = rewards[-1] + gamma * next_values[-1]
    for t in reversed(range(len(rewards) - 1)):
        following = torch.where(truncated[t], next_values[t], returns[t + 1])
        returns[t] = rewards[t] + gamma * following * ~terminated[t]
    return returns


# %% wrong: truncation ignored
def bootstrapped_returns(rewards, next_values, terminated, truncated, gamma):
    following, rows = next_values[-1], []
    for t in reversed(range(len(rewards))):
        following = rewards[t] + gamma * following * ~terminated[t]
        rows.insert(0, following)
    return torch.stack(rows)


# %% wrong: ends ignored
def bootstrapped_returns(rewards, next_values, terminated, truncated, gamma):
    following, rows = next_values[-1], []
    for t in reversed(range(len(rewards))):
        following = rewards[t] + gamma * following
        rows.insert(0, following)
    return torch.stack(rows)


# %% wrong: one step ahead only
def bootstrapped_returns(rewards, next_values, terminated, truncated, gamma):
    return rewards + gamma * next_values * ~terminated


# %% wrong: the bootstrap is not discounted
def bootstrapped_returns(rewards, next_values, terminated, truncated, gamma):
    cut = truncated.clone()
    cut[-1] = True
    cut &= ~terminated
    augmented = rewards + cut * next_values
    following, rows = torch.zeros_like(rewards[0]), []
    for t in reversed(range(len(rewards))):
        following = augmented[t] + gamma * following * ~(cut[t] | terminated[t])
        rows.insert(0, following)
    return torch.stack(rows)


# %% wrong: the flags of any environment end all of them
def bootstrapped_returns(rewards, next_values, terminated, truncated, gamma):
    following, rows = next_values[-1], []
    for t in reversed(range(len(rewards))):
        if truncated[t].any():
            following = next_values[t]
        if terminated[t].any():
            following = torch.zeros_like(following)
        following = rewards[t] + gamma * following
        rows.insert(0, following)
    return torch.stack(rows)


# %% wrong: the flags of the step before
def bootstrapped_returns(rewards, next_values, terminated, truncated, gamma):
    following, rows = next_values[-1], []
    for t in reversed(range(len(rewards))):
        following = torch.where(truncated[t - 1], next_values[t], following)
        following = rewards[t] + gamma * following * ~terminated[t - 1]
        rows.insert(0, following)
    return torch.stack(rows)


# %% wrong: bootstraps with the value of the row after
def bootstrapped_returns(rewards, next_values, terminated, truncated, gamma):
    later = torch.cat([next_values[1:], next_values[-1:]])
    following, rows = next_values[-1], []
    for t in reversed(range(len(rewards))):
        following = torch.where(truncated[t], later[t], following)
        following = rewards[t] + gamma * following * ~terminated[t]
        rows.insert(0, following)
    return torch.stack(rows)


# %% wrong: left backwards
def bootstrapped_returns(rewards, next_values, terminated, truncated, gamma):
    following, rows = next_values[-1], []
    for t in reversed(range(len(rewards))):
        following = torch.where(truncated[t], next_values[t], following)
        following = rewards[t] + gamma * following * ~terminated[t]
        rows.append(following)
    return torch.stack(rows)


# %% wrong: adds up into the rewards it was given
def bootstrapped_returns(rewards, next_values, terminated, truncated, gamma):
    following = next_values[-1]
    for t in reversed(range(len(rewards))):
        following = torch.where(truncated[t], next_values[t], following)
        following = following * ~terminated[t]
        rewards[t] += gamma * following
        following = rewards[t]
    return rewards


# %% wrong: marks the last row in the flags it was given
def bootstrapped_returns(rewards, next_values, terminated, truncated, gamma):
    truncated[-1] = True
    following, rows = next_values[-1], []
    for t in reversed(range(len(rewards))):
        following = torch.where(truncated[t], next_values[t], following)
        following = rewards[t] + gamma * following * ~terminated[t]
        rows.insert(0, following)
    return torch.stack(rows)


# %% wrong: gamma fixed at 0.99
def bootstrapped_returns(rewards, next_values, terminated, truncated, gamma):
    following, rows = next_values[-1], []
    for t in reversed(range(len(rewards))):
        following = torch.where(truncated[t], next_values[t], following)
        following = rewards[t] + 0.99 * following * ~terminated[t]
        rows.insert(0, following)
    return torch.stack(rows)


# %% wrong: the terminated step loses its reward
def bootstrapped_returns(rewards, next_values, terminated, truncated, gamma):
    following, rows = next_values[-1], []
    for t in reversed(range(len(rewards))):
        following = torch.where(truncated[t], next_values[t], following)
        following = (rewards[t] + gamma * following) * ~terminated[t]
        rows.insert(0, following)
    return torch.stack(rows)


# %% wrong: recursion
def bootstrapped_returns(rewards, next_values, terminated, truncated, gamma):
    def from_step(t):
        rest = [] if t == len(rewards) - 1 else from_step(t + 1)
        following = rest[0] if rest else next_values[t]
        following = torch.where(truncated[t], next_values[t], following)
        return [rewards[t] + gamma * following * ~terminated[t], *rest]

    return torch.stack(from_step(0))


# %% wrong: powers of gamma, divided again
def bootstrapped_returns(rewards, next_values, terminated, truncated, gamma):
    cut = truncated.clone()
    cut[-1] = True
    cut &= ~terminated
    augmented = rewards + gamma * cut * next_values
    powers = gamma ** torch.arange(len(rewards))[:, None]
    ends = (cut | terminated).float()
    episode = ends.flip(0).cumsum(0).flip(0)
    sums = (augmented * powers).flip(0).cumsum(0).flip(0)
    after = torch.zeros_like(sums)
    for e in range(1, int(episode.max()) + 1):
        later = torch.where(episode < e, augmented * powers, torch.zeros_like(augmented)).sum(0)
        after = torch.where(episode == e, later.expand_as(after), after)
    return (sums - after) / powers


# %% wrong: a mean over the environments
def bootstrapped_returns(rewards, next_values, terminated, truncated, gamma):
    following, rows = next_values[-1], []
    for t in reversed(range(len(rewards))):
        following = torch.where(truncated[t], next_values[t], following)
        following = rewards[t] + gamma * following * ~terminated[t]
        rows.insert(0, following.mean())
    return torch.stack(rows)


# %% wrong: in place into one row
def bootstrapped_returns(rewards, next_values, terminated, truncated, gamma):
    following, rows = next_values[-1].clone(), []
    for t in reversed(range(len(rewards))):
        following[truncated[t]] = next_values[t][truncated[t]]
        following[terminated[t]] = 0.0
        following *= gamma
        following += rewards[t]
        rows.insert(0, following)
    return torch.stack(rows)
