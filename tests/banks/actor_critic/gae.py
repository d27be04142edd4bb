# Answers to gae: generalised advantage estimates of N environments.

# %% right: errors first, then backwards
def gae(rewards, values, next_values, terminated, truncated, gamma, lam):
    delta = rewards + gamma * next_values * (1 - terminated.float()) - values
    decay = gamma * lam * (1 - (terminated | truncated).float())
    advantages = torch.zeros_like(rewards)
    advantages[-1] = delta[-1]
    for t in range(len(rewards) - 2, -1, -1):
        advantages[t] = delta[t] + decay[t] * advantages[t + 1]
    return advantages


# %% right: plain loops, nested lists
def gae(rewards, values, next_values, terminated, truncated, gamma, lam):
    r, v, w = rewards.tolist(), values.tolist(), next_values.tolist()
    T, N = len(r), len(r[0])
    result = [[0.0] * N for _ in range(T)]
    for i in range(N):
        running = 0.0
        for t in reversed(range(T)):
            delta = r[t][i] - v[t][i]
            if not terminated[t][i]:
                delta += gamma * w[t][i]
            if terminated[t][i] or truncated[t][i]:
                running = 0.0
            running = delta + gamma * lam * running
            result[t][i] = running
    return result


# %% right: NumPy in float64
def gae(rewards, values, next_values, terminated, truncated, gamma, lam):
    r, v, w = (np.asarray(x, dtype=np.float64) for x in (rewards, values, next_values))
    stop, cut = np.asarray(terminated), np.asarray(truncated)
    A, last = np.empty_like(r), 0.0
    for t in range(len(r))[::-1]:
        delta = r[t] + gamma * np.where(stop[t], 0.0, w[t]) - v[t]
        last = delta + gamma * lam * np.where(stop[t] | cut[t], 0.0, last)
        A[t] = last
    return A


# %% right: torch.where and a list of rows
def gae(rewards, values, next_values, terminated, truncated, gamma, lam):
    zero = torch.zeros_like(rewards[0])
    rows, A = [], zero
    for t in reversed(range(rewards.shape[0])):
        target = rewards[t] + gamma * torch.where(terminated[t], zero, next_values[t])
        A = target - values[t] + gamma * lam * torch.where(terminated[t] | truncated[t], zero, A)
        rows.append(A)
    return torch.stack(rows).flip(0)


# %% right: masks as products of negated flags
def gae(rewards, values, next_values, terminated, truncated, gamma, lam):
    not_terminated = torch.logical_not(terminated).double()
    not_ended = not_terminated * torch.logical_not(truncated).double()
    padded = torch.zeros(len(rewards) + 1, rewards.shape[1], dtype=torch.float64)
    for t in range(len(rewards))[::-1]:
        delta = rewards[t] + gamma * not_terminated[t] * next_values[t] - values[t]
        padded[t] = delta + gamma * lam * not_ended[t] * padded[t + 1]
    return padded[:-1]


# %% right: targets of lambda-returns, minus the values
def gae(rewards, values, next_values, terminated, truncated, gamma, lam):
    T = len(rewards)
    ended = terminated | truncated
    alive = (~terminated).float()
    target = torch.zeros_like(rewards)
    for t in reversed(range(T)):
        if t == T - 1:
            beyond = next_values[t]
        else:
            # A_{t+1} = target_{t+1} - values_{t+1}
            mixed = next_values[t] + lam * (target[t + 1] - values[t + 1])
            beyond = torch.where(ended[t], next_values[t], mixed)
        target[t] = rewards[t] + gamma * alive[t] * beyond
    return target - values


# %% right: a triangular system for each environment
def gae(rewards, values, next_values, terminated, truncated, gamma, lam):
    delta = rewards + gamma * next_values * ~terminated - values
    link = gamma * lam * (~(terminated | truncated)).double()
    columns = []
    for i in range(rewards.shape[1]):
        matrix = torch.eye(len(rewards), dtype=torch.float64) - torch.diag(link[:-1, i], 1)
        columns.append(torch.linalg.solve_triangular(matrix, delta[:, i : i + 1].double(), upper=True))
    return torch.cat(columns, dim=1)


# %% right: doubling
def gae(rewards, values, next_values, terminated, truncated, gamma, lam):
    total = (rewards + gamma * next_values * ~terminated - values).double()
    decay = (gamma * lam * ~(terminated | truncated)).double()
    shift = 1
    while shift < len(total):
        more = torch.zeros_like(total)
        more[:-shift] = decay[:-shift] * total[shift:]
        link = torch.zeros_like(decay)
        link[:-shift] = decay[:-shift] * decay[shift:]
        total, decay, shift = total + more, link, 2 * shift
    return total


# %% wrong: a time limit treated as failure
def gae(rewards, values, next_values, terminated, truncated, gamma, lam):
    goes_on = (~(terminated | truncated)).float()
    A, rows = torch.zeros_like(rewards[0]), []
    for t in reversed(range(len(rewards))):
        delta = rewards[t] + gamma * goes_on[t] * next_values[t] - values[t]
        A = delta + gamma * lam * goes_on[t] * A
        rows.insert(0, A)
    return torch.stack(rows)


# %% wrong: the sum goes on over a time limit
def gae(rewards, values, next_values, terminated, truncated, gamma, lam):
    goes_on = (~terminated).float()
    A, rows = torch.zeros_like(rewards[0]), []
    for t in reversed(range(len(rewards))):
        delta = rewards[t] + gamma * goes_on[t] * next_values[t] - values[t]
        A = delta + gamma * lam * goes_on[t] * A
        rows.insert(0, A)
    return torch.stack(rows)


# %% wrong: ends ignored
def gae(rewards, values, next_values, terminated, truncated, gamma, lam):
    A, rows = torch.zeros_like(rewards[0]), []
    for t in reversed(range(len(rewards))):
        A = rewards[t] + gamma * next_values[t] - values[t] + gamma * lam * A
        rows.insert(0, A)
    return torch.stack(rows)


# %% wrong: failures bootstrap
def gae(rewards, values, next_values, terminated, truncated, gamma, lam):
    goes_on = (~(terminated | truncated)).float()
    A, rows = torch.zeros_like(rewards[0]), []
    for t in reversed(range(len(rewards))):
        A = rewards[t] + gamma * next_values[t] - values[t] + gamma * lam * goes_on[t] * A
        rows.insert(0, A)
    return torch.stack(rows)


# %% wrong: where both flags are set, it bootstraps
def gae(rewards, values, next_values, terminated, truncated, gamma, lam):
    failed = terminated & ~truncated
    goes_on = (~(terminated | truncated)).float()
    A, rows = torch.zeros_like(rewards[0]), []
    for t in reversed(range(len(rewards))):
        delta = rewards[t] + gamma * ~failed[t] * next_values[t] - values[t]
        A = delta + gamma * lam * goes_on[t] * A
        rows.insert(0, A)
    return torch.stack(rows)


# %% wrong: values shifted by a row instead of next_values
def gae(rewards, values, next_values, terminated, truncated, gamma, lam):
    shifted = torch.cat([values[1:], next_values[-1:]])
    goes_on = (~(terminated | truncated)).float()
    A, rows = torch.zeros_like(rewards[0]), []
    for t in reversed(range(len(rewards))):
        delta = rewards[t] + gamma * ~terminated[t] * shifted[t] - values[t]
        A = delta + gamma * lam * goes_on[t] * A
        rows.insert(0, A)
    return torch.stack(rows)


# %% wrong: lambda alone decays the sum
def gae(rewards, values, next_values, terminated, truncated, gamma, lam):
    goes_on = (~(terminated | truncated)).float()
    A, rows = torch.zeros_like(rewards[0]), []
    for t in reversed(range(len(rewards))):
        delta = rewards[t] + gamma * ~terminated[t] * next_values[t] - values[t]
        A = delta + lam * goes_on[t] * A
        rows.insert(0, A)
    return torch.stack(rows)


# %% wrong: gamma alone decays the sum
def gae(rewards, values, next_values, terminated, truncated, gamma, lam):
    goes_on = (~(terminated | truncated)).float()
    A, rows = torch.zeros_like(rewards[0]), []
    for t in reversed(range(len(rewards))):
        delta = rewards[t] + gamma * ~terminated[t] * next_values[t] - values[t]
        A = delta + gamma * goes_on[t] * A
        rows.insert(0, A)
    return torch.stack(rows)


# %% wrong: lambda in the temporal-difference error
def gae(rewards, values, next_values, terminated, truncated, gamma, lam):
    goes_on = (~(terminated | truncated)).float()
    A, rows = torch.zeros_like(rewards[0]), []
    for t in reversed(range(len(rewards))):
        delta = rewards[t] + gamma * lam * ~terminated[t] * next_values[t] - values[t]
        A = delta + gamma * lam * goes_on[t] * A
        rows.insert(0, A)
    return torch.stack(rows)


# %% wrong: the value is added
def gae(rewards, values, next_values, terminated, truncated, gamma, lam):
    goes_on = (~(terminated | truncated)).float()
    A, rows = torch.zeros_like(rewards[0]), []
    for t in reversed(range(len(rewards))):
        delta = rewards[t] + gamma * ~terminated[t] * next_values[t] + values[t]
        A = delta + gamma * lam * goes_on[t] * A
        rows.insert(0, A)
    return torch.stack(rows)


# %% wrong: returns instead of advantages
def gae(rewards, values, next_values, terminated, truncated, gamma, lam):
    goes_on = (~(terminated | truncated)).float()
    A, rows = torch.zeros_like(rewards[0]), []
    for t in reversed(range(len(rewards))):
        delta = rewards[t] + gamma * ~terminated[t] * next_values[t] - values[t]
        A = delta + gamma * lam * goes_on[t] * A
        rows.insert(0, A)
    return torch.stack(rows) + values


# %% wrong: only the temporal-difference errors
def gae(rewards, values, next_values, terminated, truncated, gamma, lam):
    return rewards + gamma * ~terminated * next_values - values


# %% wrong: the last row is left at zero
def gae(rewards, values, next_values, terminated, truncated, gamma, lam):
    goes_on = (~(terminated | truncated)).float()
    A = torch.zeros_like(rewards)
    for t in reversed(range(len(rewards) - 1)):
        delta = rewards[t] + gamma * ~terminated[t] * next_values[t] - values[t]
        A[t] = delta + gamma * lam * goes_on[t] * A[t + 1]
    return A


# %% wrong: bootstraps twice at the last row
def gae(rewards, values, next_values, terminated, truncated, gamma, lam):
    goes_on = (~(terminated | truncated)).float()
    A, rows = next_values[-1], []
    for t in reversed(range(len(rewards))):
        delta = rewards[t] + gamma * ~terminated[t] * next_values[t] - values[t]
        A = delta + gamma * lam * goes_on[t] * A
        rows.insert(0, A)
    return torch.stack(rows)


# %% wrong: the flags of the row after
def gae(rewards, values, next_values, terminated, truncated, gamma, lam):
    ended = terminated | truncated
    A, rows = torch.zeros_like(rewards[0]), []
    for t in reversed(range(len(rewards))):
        flag = ended[t + 1] if t + 1 < len(rewards) else ended[t]
        delta = rewards[t] + gamma * ~terminated[t] * next_values[t] - values[t]
        A = delta + gamma * lam * ~flag * A
        rows.insert(0, A)
    return torch.stack(rows)


# %% wrong: normalised
def gae(rewards, values, next_values, terminated, truncated, gamma, lam):
    goes_on = (~(terminated | truncated)).float()
    A, rows = torch.zeros_like(rewards[0]), []
    for t in reversed(range(len(rewards))):
        delta = rewards[t] + gamma * ~terminated[t] * next_values[t] - values[t]
        A = delta + gamma * lam * goes_on[t] * A
        rows.insert(0, A)
    advantages = torch.stack(rows)
    return (advantages - advantages.mean()) / (advantages.std() + 1e-8)


# %% wrong: left backwards
def gae(rewards, values, next_values, terminated, truncated, gamma, lam):
    goes_on = (~(terminated | truncated)).float()
    A, rows = torch.zeros_like(rewards[0]), []
    for t in reversed(range(len(rewards))):
        delta = rewards[t] + gamma * ~terminated[t] * next_values[t] - values[t]
        A = delta + gamma * lam * goes_on[t] * A
        rows.append(A)
    return torch.stack(rows)


# %% wrong: forwards
def gae(rewards, values, next_values, terminated, truncated, gamma, lam):
    goes_on = (~(terminated | truncated)).float()
    A, rows = torch.zeros_like(rewards[0]), []
    for t in range(len(rewards)):
        delta = rewards[t] + gamma * ~terminated[t] * next_values[t] - values[t]
        A = delta + gamma * lam * goes_on[t] * A
        rows.append(A)
    return torch.stack(rows)


# %% wrong: any environment's end ends all
def gae(rewards, values, next_values, terminated, truncated, gamma, lam):
    A, rows = torch.zeros_like(rewards[0]), []
    for t in reversed(range(len(rewards))):
        delta = rewards[t] + gamma * ~terminated[t] * next_values[t] - values[t]
        A = delta if (terminated[t] | truncated[t]).any() else delta + gamma * lam * A
        rows.insert(0, A)
    return torch.stack(rows)


# %% wrong: writes the errors into the rewards
def gae(rewards, values, next_values, terminated, truncated, gamma, lam):
    goes_on = (~(terminated | truncated)).float()
    rewards += gamma * ~terminated * next_values - values
    for t in reversed(range(len(rewards) - 1)):
        rewards[t] += gamma * lam * goes_on[t] * rewards[t + 1]
    return rewards


# %% wrong: recursion
def gae(rewards, values, next_values, terminated, truncated, gamma, lam):
    def from_step(t):
        delta = rewards[t] + gamma * ~terminated[t] * next_values[t] - values[t]
        if t == len(rewards) - 1:
            return [delta]
        rest = from_step(t + 1)
        return [delta + gamma * lam * ~(terminated[t] | truncated[t]) * rest[0], *rest]

    return torch.stack(from_step(0))
