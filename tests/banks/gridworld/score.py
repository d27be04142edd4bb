"""Answers to `score`."""
# %% right: one-hot minus the policy
def score(theta, state, action):
    x, y = state
    g = np.zeros_like(theta)
    g[x - 1, y - 1] = np.eye(4)[ACTIONS.index(action)] - softmax_policy(theta, state)
    return g

# %% right: its own softmax and a dictionary
def score(theta, state, action):
    x, y = state
    e = np.exp(theta[x - 1, y - 1] - theta[x - 1, y - 1].max())
    g = np.zeros((4, 4, 4))
    g[x - 1, y - 1] -= e / e.sum()
    g[x - 1, y - 1, {"up": 0, "down": 1, "left": 2, "right": 3}[action]] += 1.0
    return g

# %% right: four nested loops, a nested list
def score(theta, state, action):
    pi = softmax_policy(theta, state)
    taken = ["up", "down", "left", "right"].index(action)
    result = []
    for x in range(1, 5):
        rows = []
        for y in range(1, 5):
            here = (x, y) == tuple(state)
            rows.append([float((b == taken) - pi[b]) if here else 0.0 for b in range(4)])
        result.append(rows)
    return result

# %% right: central differences
def score(theta, state, action):
    x, y = state
    a = ["up", "down", "left", "right"].index(action)
    g = np.zeros((4, 4, 4))
    for b in range(4):
        high, low = theta[x - 1, y - 1].copy(), theta[x - 1, y - 1].copy()
        high[b] += 1e-5
        low[b] -= 1e-5
        g[x - 1, y - 1, b] = (high[a] - np.log(np.exp(high).sum()) - low[a] + np.log(np.exp(low).sum())) / 2e-5
    return g

# %% right: central differences of all 64 numbers, by the policy
def score(theta, state, action):
    a = ACTIONS.index(action)
    g = np.empty(theta.shape)
    for i in np.ndindex(theta.shape):
        shifted = np.zeros(theta.shape)
        shifted[i] = 1e-5
        up, down = softmax_policy(theta + shifted, state)[a], softmax_policy(theta - shifted, state)[a]
        g[i] = (np.log(up) - np.log(down)) / 2e-5
    return g

# %% right: gradient of pi divided by pi
def score(theta, state, action):
    a, pi = ACTIONS.index(action), softmax_policy(theta, state)
    gradient_of_pi = pi[a] * (np.eye(4)[a] - pi)
    g = np.zeros((4, 4, 4))
    g[state[0] - 1, state[1] - 1] = gradient_of_pi / pi[a]
    return g

# %% right: outer product of one-hot vectors
def score(theta, state, action):
    pi = np.asarray(softmax_policy(theta, state))
    row = (np.array(ACTIONS) == action) - pi
    return np.einsum("i,j,k->ijk", np.eye(4)[state[0] - 1], np.eye(4)[state[1] - 1], row)

# %% right: float32
def score(theta, state, action):
    g = np.zeros((4, 4, 4), dtype=np.float32)
    g[state[0] - 1, state[1] - 1] = -softmax_policy(theta, state).astype(np.float32)
    g[state[0] - 1, state[1] - 1, ACTIONS.index(action)] += 1
    return g

# %% right: a flat array, reshaped
def score(theta, state, action):
    g = np.zeros(64)
    start = 16 * (state[0] - 1) + 4 * (state[1] - 1)
    g[start : start + 4] = -softmax_policy(theta, state)
    g[start + list(ACTIONS).index(action)] += 1
    return g.reshape(4, 4, 4)

# %% right: the gradient everywhere, masked
def score(theta, state, action):
    pi = np.exp(theta - theta.max(-1, keepdims=True))
    pi /= pi.sum(-1, keepdims=True)
    mask = np.zeros((4, 4, 1))
    mask[state[0] - 1, state[1] - 1] = 1
    return mask * (np.eye(4)[ACTIONS.index(action)] - pi)

# %% right: a dispatch by if
def score(theta, state, action):
    x, y = state
    p_up, p_down, p_left, p_right = softmax_policy(theta, state)
    g = np.zeros(shape=(4, 4, 4))
    if action == "up":
        g[x - 1, y - 1] = [1 - p_up, -p_down, -p_left, -p_right]
    elif action == "down":
        g[x - 1, y - 1] = [-p_up, 1 - p_down, -p_left, -p_right]
    elif action == "left":
        g[x - 1, y - 1] = [-p_up, -p_down, 1 - p_left, -p_right]
    else:
        g[x - 1, y - 1] = [-p_up, -p_down, -p_left, 1 - p_right]
    return g

# %% right: np.put on a copy
def score(theta, state, action):
    g = theta.copy()
    g[:] = 0
    g[state[0] - 1, state[1] - 1, ACTIONS.index(action)] = 1
    g[state[0] - 1, state[1] - 1] -= softmax_policy(theta, state)
    return g

# %% wrong: nothing returned
def score(theta, state, action):
    g = np.zeros_like(theta)
    g[state[0] - 1, state[1] - 1] = np.eye(4)[ACTIONS.index(action)] - softmax_policy(theta, state)

# %% wrong: zeros
def score(theta, state, action):
    return np.zeros_like(theta)

# %% wrong: one-hot only
def score(theta, state, action):
    g = np.zeros_like(theta)
    g[state[0] - 1, state[1] - 1, ACTIONS.index(action)] = 1
    return g

# %% wrong: sign
def score(theta, state, action):
    g = np.zeros_like(theta)
    g[state[0] - 1, state[1] - 1] = softmax_policy(theta, state) - np.eye(4)[ACTIONS.index(action)]
    return g

# %% wrong: gradient of pi instead of log pi
def score(theta, state, action):
    a, pi = ACTIONS.index(action), softmax_policy(theta, state)
    g = np.zeros_like(theta)
    g[state[0] - 1, state[1] - 1] = pi[a] * (np.eye(4)[a] - pi)
    return g

# %% wrong: only the entry of the action taken
def score(theta, state, action):
    a = ACTIONS.index(action)
    g = np.zeros_like(theta)
    g[state[0] - 1, state[1] - 1, a] = 1 - softmax_policy(theta, state)[a]
    return g

# %% wrong: one over pi at the action
def score(theta, state, action):
    a = ACTIONS.index(action)
    g = np.zeros_like(theta)
    g[state[0] - 1, state[1] - 1, a] = 1 / softmax_policy(theta, state)[a]
    return g

# %% wrong: one over pi, minus one
def score(theta, state, action):
    a, pi = ACTIONS.index(action), softmax_policy(theta, state)
    g = np.zeros_like(theta)
    g[state[0] - 1, state[1] - 1] = -1
    g[state[0] - 1, state[1] - 1, a] += 1 / pi[a]
    return g

# %% wrong: minus 1/4 instead of the policy
def score(theta, state, action):
    g = np.zeros_like(theta)
    g[state[0] - 1, state[1] - 1] = np.eye(4)[ACTIONS.index(action)] - 0.25
    return g

# %% wrong: one-hot minus the logits
def score(theta, state, action):
    g = np.zeros_like(theta)
    g[state[0] - 1, state[1] - 1] = np.eye(4)[ACTIONS.index(action)] - theta[state[0] - 1, state[1] - 1]
    return g

# %% wrong: one-hot minus log pi
def score(theta, state, action):
    g = np.zeros_like(theta)
    g[state[0] - 1, state[1] - 1] = np.eye(4)[ACTIONS.index(action)] - np.log(softmax_policy(theta, state))
    return g

# %% wrong: the log probability
def score(theta, state, action):
    return np.log(softmax_policy(theta, state))[ACTIONS.index(action)]

# %% wrong: the log probabilities in place
def score(theta, state, action):
    g = np.zeros_like(theta)
    g[state[0] - 1, state[1] - 1] = np.log(softmax_policy(theta, state))
    return g

# %% wrong: four numbers only
def score(theta, state, action):
    return np.eye(4)[ACTIONS.index(action)] - softmax_policy(theta, state)

# %% wrong: 64 numbers in a row
def score(theta, state, action):
    g = np.zeros_like(theta)
    g[state[0] - 1, state[1] - 1] = np.eye(4)[ACTIONS.index(action)] - softmax_policy(theta, state)
    return g.ravel()

# %% wrong: the same in all states
def score(theta, state, action):
    row = np.eye(4)[ACTIONS.index(action)] - softmax_policy(theta, state)
    return np.broadcast_to(row, (4, 4, 4)).copy()

# %% wrong: minus pi in every state
def score(theta, state, action):
    pi = np.exp(theta - theta.max(-1, keepdims=True))
    g = -pi / pi.sum(-1, keepdims=True)
    g[state[0] - 1, state[1] - 1, ACTIONS.index(action)] += 1
    return g

# %% wrong: the whole row of states
def score(theta, state, action):
    g = np.zeros_like(theta)
    g[state[0] - 1] = np.eye(4)[ACTIONS.index(action)] - softmax_policy(theta, state)
    return g

# %% wrong: x and y swapped
def score(theta, state, action):
    g = np.zeros_like(theta)
    g[state[1] - 1, state[0] - 1] = np.eye(4)[ACTIONS.index(action)] - softmax_policy(theta, state)
    return g

# %% wrong: indices from 1
def score(theta, state, action):
    g = np.zeros_like(theta)
    g[state[0], state[1]] = np.eye(4)[ACTIONS.index(action)] - softmax_policy(theta, state)
    return g

# %% wrong: indices from 1, wrapped
def score(theta, state, action):
    g = np.zeros_like(theta)
    g[state[0] % 4, state[1] % 4] = np.eye(4)[ACTIONS.index(action)] - softmax_policy(theta, state)
    return g

# %% wrong: policy of the mirrored state
def score(theta, state, action):
    g = np.zeros_like(theta)
    g[state[0] - 1, state[1] - 1] = np.eye(4)[ACTIONS.index(action)] - softmax_policy(theta, (state[1], state[0]))
    return g

# %% wrong: policy of the state that is entered
def score(theta, state, action):
    g = np.zeros_like(theta)
    entered = tuple(next_state(state, action))
    g[state[0] - 1, state[1] - 1] = np.eye(4)[ACTIONS.index(action)] - softmax_policy(theta, entered)
    return g

# %% wrong: actions on the first axis
def score(theta, state, action):
    g = np.zeros_like(theta)
    g[:, state[0] - 1, state[1] - 1] = np.eye(4)[ACTIONS.index(action)] - softmax_policy(theta, state)
    return g

# %% wrong: actions clockwise
def score(theta, state, action):
    g = np.zeros_like(theta)
    a = ["up", "right", "down", "left"].index(action)
    g[state[0] - 1, state[1] - 1] = np.eye(4)[a] - softmax_policy(theta, state)
    return g

# %% wrong: actions by the alphabet
def score(theta, state, action):
    g = np.zeros_like(theta)
    a = sorted(["up", "down", "left", "right"]).index(action)
    g[state[0] - 1, state[1] - 1] = np.eye(4)[a] - softmax_policy(theta, state)
    return g

# %% wrong: left and right swapped
def score(theta, state, action):
    g = np.zeros_like(theta)
    a = ["up", "down", "right", "left"].index(action)
    g[state[0] - 1, state[1] - 1] = np.eye(4)[a] - softmax_policy(theta, state)
    return g

# %% wrong: the most likely action instead of the one taken
def score(theta, state, action):
    g, pi = np.zeros_like(theta), softmax_policy(theta, state)
    g[state[0] - 1, state[1] - 1] = np.eye(4)[np.argmax(pi)] - pi
    return g

# %% wrong: always the first action
def score(theta, state, action):
    g = np.zeros_like(theta)
    g[state[0] - 1, state[1] - 1] = np.eye(4)[0] - softmax_policy(theta, state)
    return g

# %% wrong: minus pi at the action only
def score(theta, state, action):
    g, pi = np.zeros_like(theta), softmax_policy(theta, state)
    g[state[0] - 1, state[1] - 1] = -pi
    g[state[0] - 1, state[1] - 1, ACTIONS.index(action)] = 1
    return g

# %% wrong: one-hot times one minus pi, for all actions
def score(theta, state, action):
    g, pi = np.zeros_like(theta), softmax_policy(theta, state)
    g[state[0] - 1, state[1] - 1] = np.where(np.array(ACTIONS) == action, 1 - pi, pi)
    return g

# %% wrong: product form of the sigmoid
def score(theta, state, action):
    g, pi = np.zeros_like(theta), softmax_policy(theta, state)
    g[state[0] - 1, state[1] - 1] = np.eye(4)[ACTIONS.index(action)] - pi * (1 - pi)
    return g

# %% wrong: scaled to unit length
def score(theta, state, action):
    g = np.zeros_like(theta)
    g[state[0] - 1, state[1] - 1] = np.eye(4)[ACTIONS.index(action)] - softmax_policy(theta, state)
    return g / np.linalg.norm(g)

# %% wrong: divided by four
def score(theta, state, action):
    g = np.zeros_like(theta)
    g[state[0] - 1, state[1] - 1] = (np.eye(4)[ACTIONS.index(action)] - softmax_policy(theta, state)) / 4
    return g

# %% wrong: normalised over all of theta
def score(theta, state, action):
    e = np.exp(theta - theta.max())
    g = -e / e.sum()
    g[state[0] - 1, state[1] - 1, ACTIONS.index(action)] += 1
    return g

# %% wrong: writes into theta
def score(theta, state, action):
    row = np.eye(4)[ACTIONS.index(action)] - softmax_policy(theta, state)
    theta[:] = 0
    theta[state[0] - 1, state[1] - 1] = row
    return theta

# %% wrong: theta with the row replaced
def score(theta, state, action):
    g = theta.copy()
    g[state[0] - 1, state[1] - 1] = np.eye(4)[ACTIONS.index(action)] - softmax_policy(theta, state)
    return g

# %% wrong: shifts theta in place
def score(theta, state, action):
    z = theta[state[0] - 1, state[1] - 1]
    z -= z.max()
    g = np.zeros_like(theta)
    g[state[0] - 1, state[1] - 1] = np.eye(4)[ACTIONS.index(action)] - np.exp(z) / np.exp(z).sum()
    return g

# %% wrong: does a step of ascent on theta
def score(theta, state, action):
    g = np.zeros_like(theta)
    g[state[0] - 1, state[1] - 1] = np.eye(4)[ACTIONS.index(action)] - softmax_policy(theta, state)
    theta += 0.1 * g
    return g

# %% wrong: one buffer for all results, cleared
buffer = np.zeros((4, 4, 4))

def score(theta, state, action):
    buffer[:] = 0
    buffer[state[0] - 1, state[1] - 1] = np.eye(4)[ACTIONS.index(action)] - softmax_policy(theta, state)
    return buffer

# %% wrong: one buffer for all results, not cleared
buffer = np.zeros((4, 4, 4))

def score(theta, state, action):
    buffer[state[0] - 1, state[1] - 1] = np.eye(4)[ACTIONS.index(action)] - softmax_policy(theta, state)
    return buffer.copy()

# %% wrong: adds up over calls
gradient = np.zeros((4, 4, 4))

def score(theta, state, action):
    gradient[state[0] - 1, state[1] - 1] += np.eye(4)[ACTIONS.index(action)] - softmax_policy(theta, state)
    return gradient.copy()

# %% wrong: adds up in a default argument
def score(theta, state, action, g=np.zeros((4, 4, 4))):
    g[state[0] - 1, state[1] - 1] += np.eye(4)[ACTIONS.index(action)] - softmax_policy(theta, state)
    return g

# %% wrong: an integer array
def score(theta, state, action):
    g = np.zeros((4, 4, 4), dtype=int)
    g[state[0] - 1, state[1] - 1] = np.eye(4)[ACTIONS.index(action)] - softmax_policy(theta, state)
    return g

# %% wrong: differences that are too coarse
def score(theta, state, action):
    a = ACTIONS.index(action)
    g = np.zeros(theta.shape)
    for b in range(4):
        shifted = theta.copy()
        shifted[state[0] - 1, state[1] - 1, b] += 0.1
        g[state[0] - 1, state[1] - 1, b] = (
            np.log(softmax_policy(shifted, state)[a]) - np.log(softmax_policy(theta, state)[a])
        ) / 0.1
    return g

# %% wrong: the action must be a number
def score(theta, state, action):
    g = np.zeros_like(theta)
    g[state[0] - 1, state[1] - 1] = -softmax_policy(theta, state)
    g[state[0] - 1, state[1] - 1, action] += 1
    return g

# %% wrong: rounded
def score(theta, state, action):
    g = np.zeros_like(theta)
    g[state[0] - 1, state[1] - 1] = np.eye(4)[ACTIONS.index(action)] - softmax_policy(theta, state)
    return g.round(2)

# %% wrong: action names compared by identity
def score(theta, state, action):
    g = np.zeros_like(theta)
    g[state[0] - 1, state[1] - 1] = [float(name is action) for name in ACTIONS] - softmax_policy(theta, state)
    return g

# %% wrong: actions told apart by their probabilities
def score(theta, state, action):
    g, pi = np.zeros_like(theta), softmax_policy(theta, state)
    g[state[0] - 1, state[1] - 1] = (pi == pi[ACTIONS.index(action)]) - pi
    return g

# %% wrong: remembers scores whatever theta is
cache = {}

def score(theta, state, action):
    key = (int(state[0]), int(state[1]), action)
    if key not in cache:
        cache[key] = np.zeros_like(theta)
        cache[key][state[0] - 1, state[1] - 1] = np.eye(4)[ACTIONS.index(action)] - softmax_policy(theta, state)
    return cache[key]
