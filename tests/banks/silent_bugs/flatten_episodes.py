# Answers to flatten_episodes: the live steps of three (T, N) arrays, row by row.

# %% right: one mask for all
def flatten_episodes(states, actions, returns, mask):
    live = mask.bool()
    return states[live], actions[live], returns[live]


# %% right: indices
def flatten_episodes(states, actions, returns, mask):
    t, i = torch.nonzero(mask, as_tuple=True)
    return tuple(x[t, i] for x in (states, actions, returns))


# %% right: masked_select, as a list
def flatten_episodes(states, actions, returns, mask):
    return [torch.masked_select(x, mask > 0) for x in (states, actions, returns)]


# %% right: loops and lists
def flatten_episodes(states, actions, returns, mask):
    flat = [], [], []
    for t in range(mask.shape[0]):
        for i in range(mask.shape[1]):
            if mask[t, i] == 1:
                for column, x in zip(flat, (states, actions, returns)):
                    column.append(x[t, i].item())
    return flat


# %% right: NumPy
def flatten_episodes(states, actions, returns, mask):
    places = np.flatnonzero(mask.numpy())
    return tuple(np.ravel(x)[places] for x in (states.numpy(), actions.numpy(), returns.numpy()))


# %% right: flattened first
def flatten_episodes(states, actions, returns, mask):
    keep = mask.flatten() > 0
    return states.flatten()[keep], actions.flatten()[keep], returns.flatten()[keep]


# %% wrong: the broken one
def flatten_episodes(states, actions, returns, mask):
    live = mask > 0
    lengths = live.sum(dim=0).tolist()
    flat_returns = torch.cat([returns[:n, i] for i, n in enumerate(lengths)])
    return states[live], actions[live], flat_returns


# %% wrong: the actions by columns
def flatten_episodes(states, actions, returns, mask):
    live = mask > 0
    return states[live], actions.T[live.T], returns[live]


# %% wrong: the states by columns
def flatten_episodes(states, actions, returns, mask):
    live = mask > 0
    return states.T[live.T], actions[live], returns[live]


# %% wrong: all by columns
def flatten_episodes(states, actions, returns, mask):
    live = mask.T > 0
    return states.T[live], actions.T[live], returns.T[live]


# %% wrong: the padding is kept
def flatten_episodes(states, actions, returns, mask):
    return states.flatten(), actions.flatten(), returns.flatten()


# %% wrong: multiplied by the mask
def flatten_episodes(states, actions, returns, mask):
    return (states * mask).flatten(), (actions * mask).flatten(), (returns * mask).flatten()


# %% wrong: returns of zero are taken for padding
def flatten_episodes(states, actions, returns, mask):
    live = (mask > 0) & (returns != 0)
    return states[live], actions[live], returns[live]


# %% wrong: state zero is taken for padding
def flatten_episodes(states, actions, returns, mask):
    live = (mask > 0) & (states != 0)
    return states[live], actions[live], returns[live]


# %% wrong: the padding instead of the live steps
def flatten_episodes(states, actions, returns, mask):
    live = mask < 1
    return states[live], actions[live], returns[live]


# %% wrong: without the last step of each episode
def flatten_episodes(states, actions, returns, mask):
    live = torch.zeros_like(mask, dtype=torch.bool)
    live[:-1] = mask[1:] > 0
    return states[live], actions[live], returns[live]


# %% wrong: the states one step later
def flatten_episodes(states, actions, returns, mask):
    live = mask > 0
    return torch.roll(states, -1, dims=0)[live], actions[live], returns[live]


# %% wrong: cut to the shortest episode
def flatten_episodes(states, actions, returns, mask):
    n = int(mask.sum(dim=0).min())
    return states[:n].flatten(), actions[:n].flatten(), returns[:n].flatten()


# %% wrong: in the order of returns
def flatten_episodes(states, actions, returns, mask):
    live = mask > 0
    order = returns[live].argsort()
    return states[live][order], actions[live][order], returns[live][order]


# %% wrong: shuffled, each by itself
def flatten_episodes(states, actions, returns, mask):
    live = mask > 0
    dice, n = torch.Generator().manual_seed(3), int(live.sum())
    return tuple(x[live][torch.randperm(n, generator=dice)] for x in (states, actions, returns))


# %% wrong: shuffled together
def flatten_episodes(states, actions, returns, mask):
    live = mask > 0
    order = torch.randperm(int(live.sum()), generator=torch.Generator().manual_seed(3))
    return tuple(x[live][order] for x in (states, actions, returns))


# %% wrong: actions and states swapped
def flatten_episodes(states, actions, returns, mask):
    live = mask > 0
    return actions[live], states[live], returns[live]


# %% wrong: returns as integers
def flatten_episodes(states, actions, returns, mask):
    live = mask > 0
    return states[live], actions[live], returns[live].long()


# %% wrong: single precision fixed
def flatten_episodes(states, actions, returns, mask):
    live = mask > 0
    return states[live], actions[live], returns.float()[live]


# %% wrong: padding written into the arguments
def flatten_episodes(states, actions, returns, mask):
    live = mask > 0
    result = states[live], actions[live], returns[live]
    states[~live] = -1
    return result


# %% wrong: only the states
def flatten_episodes(states, actions, returns, mask):
    return states[mask > 0]


# %% wrong: no return statement
def flatten_episodes(states, actions, returns, mask):
    live = mask > 0
