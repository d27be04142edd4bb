"""Answers to `next_state`."""
# %% right: table of changes, min and max
def next_state(state, action):
    dx, dy = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}[action]
    return min(4, max(1, state[0] + dx)), min(4, max(1, state[1] + dy))

# %% right: the cases of the definition
def next_state(state, action):
    x, y = state
    if action == "up" and x > 1:
        return (x - 1, y)
    if action == "down" and x < 4:
        return (x + 1, y)
    if action == "left" and y > 1:
        return (x, y - 1)
    if action == "right" and y < 4:
        return (x, y + 1)
    return (x, y)

# %% right: the state itself when blocked
def next_state(state, action):
    x, y = state
    target = {"up": (x - 1, y), "down": (x + 1, y), "left": (x, y - 1), "right": (x, y + 1)}[action]
    return target if all(1 <= c <= 4 for c in target) else state

# %% right: np.clip, a tuple of NumPy integers
def next_state(state, action):
    moves = {"up": [-1, 0], "down": [1, 0], "left": [0, -1], "right": [0, 1]}
    return tuple(np.clip(np.add(state, moves[action]), 1, 4))

# %% right: np.clip, plain integers
def next_state(state, action):
    moves = np.array([[-1, 0], [1, 0], [0, -1], [0, 1]])
    x, y = np.clip(np.asarray(state) + moves[["up", "down", "left", "right"].index(action)], 1, 4)
    return int(x), int(y)

# %% right: a NumPy array
def next_state(state, action):
    step = np.zeros(2, dtype=int)
    step[0 if action in ("up", "down") else 1] = -1 if action in ("up", "left") else 1
    return np.clip(np.array(state) + step, 1, 4)

# %% right: a list
def next_state(state, action):
    x, y = state
    if action == "up":
        x = max(x - 1, 1)
    elif action == "down":
        x = min(x + 1, 4)
    elif action == "left":
        y = max(y - 1, 1)
    else:
        y = min(y + 1, 4)
    return [x, y]

# %% right: match statement
def next_state(state, action):
    x, y = state
    match action:
        case "up":
            x -= 1
        case "down":
            x += 1
        case "left":
            y -= 1
        case "right":
            y += 1
    return (x, y) if x in range(1, 5) and y in range(1, 5) else state

# %% right: lookup in a table of all pairs
TABLE = {}
for x in range(1, 5):
    for y in range(1, 5):
        TABLE[(x, y), "up"] = (max(x - 1, 1), y)
        TABLE[(x, y), "down"] = (min(x + 1, 4), y)
        TABLE[(x, y), "left"] = (x, max(y - 1, 1))
        TABLE[(x, y), "right"] = (x, min(y + 1, 4))

def next_state(state, action):
    return TABLE[state, action]

# %% right: complex numbers
def next_state(state, action):
    z = complex(*state) + {"up": -1, "down": 1, "left": -1j, "right": 1j}[action]
    return (int(min(max(z.real, 1), 4)), int(min(max(z.imag, 1), 4)))

# %% right: booleans as numbers
def next_state(state, action):
    x, y = state
    x = x - (action == "up" and x > 1) + (action == "down" and x < 4)
    y = y - (action == "left" and y > 1) + (action == "right" and y < 4)
    return x, y

# %% right: a named tuple
from collections import namedtuple

State = namedtuple("State", "x y")

def next_state(state, action):
    x, y = state
    return State(
        max(x - 1, 1) if action == "up" else min(x + 1, 4) if action == "down" else x,
        max(y - 1, 1) if action == "left" else min(y + 1, 4) if action == "right" else y,
    )

# %% wrong: nothing returned
def next_state(state, action):
    x, y = state
    x, y = max(x - 1, 1), y

# %% wrong: never moves
def next_state(state, action):
    return state

# %% wrong: x is the column
def next_state(state, action):
    dx, dy = {"up": (0, -1), "down": (0, 1), "left": (-1, 0), "right": (1, 0)}[action]
    return min(max(state[0] + dx, 1), 4), min(max(state[1] + dy, 1), 4)

# %% wrong: up raises x
def next_state(state, action):
    dx, dy = {"up": (1, 0), "down": (-1, 0), "left": (0, -1), "right": (0, 1)}[action]
    return min(max(state[0] + dx, 1), 4), min(max(state[1] + dy, 1), 4)

# %% wrong: left and right swapped
def next_state(state, action):
    dx, dy = {"up": (-1, 0), "down": (1, 0), "left": (0, 1), "right": (0, -1)}[action]
    return min(max(state[0] + dx, 1), 4), min(max(state[1] + dy, 1), 4)

# %% wrong: result is (y, x)
def next_state(state, action):
    dx, dy = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}[action]
    return min(max(state[1] + dy, 1), 4), min(max(state[0] + dx, 1), 4)

# %% wrong: no walls
def next_state(state, action):
    dx, dy = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}[action]
    return state[0] + dx, state[1] + dy

# %% wrong: coordinates 0 to 3
def next_state(state, action):
    dx, dy = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}[action]
    return min(max(state[0] + dx, 0), 3), min(max(state[1] + dy, 0), 3)

# %% wrong: coordinates 0 to 4
def next_state(state, action):
    moves = {"up": [-1, 0], "down": [1, 0], "left": [0, -1], "right": [0, 1]}
    return tuple(np.clip(np.add(state, moves[action]), 0, 4))

# %% wrong: coordinates 1 to 5
def next_state(state, action):
    moves = {"up": [-1, 0], "down": [1, 0], "left": [0, -1], "right": [0, 1]}
    return tuple(np.clip(np.add(state, moves[action]), 1, 5))

# %% wrong: coordinates 1 to 3, range without its end
def next_state(state, action):
    x, y = state
    target = {"up": (x - 1, y), "down": (x + 1, y), "left": (x, y - 1), "right": (x, y + 1)}[action]
    return target if all(c in range(1, 4) for c in target) else state

# %% wrong: the grid wraps round
def next_state(state, action):
    dx, dy = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}[action]
    return (state[0] + dx - 1) % 4 + 1, (state[1] + dy - 1) % 4 + 1

# %% wrong: modulo without the offset
def next_state(state, action):
    dx, dy = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}[action]
    return (state[0] + dx) % 4, (state[1] + dy) % 4

# %% wrong: bounces off the wall
def next_state(state, action):
    dx, dy = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}[action]
    x, y = state[0] + dx, state[1] + dy
    if not 1 <= x <= 4:
        x = state[0] - dx
    if not 1 <= y <= 4:
        y = state[1] - dy
    return x, y

# %% wrong: the upper wall is one row too low
def next_state(state, action):
    x, y = state
    if action == "up" and x > 2:
        x -= 1
    elif action == "down" and x < 4:
        x += 1
    elif action == "left" and y > 1:
        y -= 1
    elif action == "right" and y < 4:
        y += 1
    return x, y

# %% wrong: the right wall is one column too early
def next_state(state, action):
    x, y = state
    if action == "up" and x > 1:
        x -= 1
    elif action == "down" and x < 4:
        x += 1
    elif action == "left" and y > 1:
        y -= 1
    elif action == "right" and y < 3:
        y += 1
    return x, y

# %% wrong: only the lower and right walls
def next_state(state, action):
    x, y = state
    if action == "up":
        x -= 1
    elif action == "down":
        x = min(x + 1, 4)
    elif action == "left":
        y -= 1
    else:
        y = min(y + 1, 4)
    return x, y

# %% wrong: only the upper and left walls
def next_state(state, action):
    x, y = state
    if action == "up":
        x = max(x - 1, 1)
    elif action == "down":
        x += 1
    elif action == "left":
        y = max(y - 1, 1)
    else:
        y += 1
    return x, y

# %% wrong: a blocked move falls through to the right
def next_state(state, action):
    x, y = state
    if action == "up" and x > 1:
        return x - 1, y
    elif action == "down" and x < 4:
        return x + 1, y
    elif action == "left" and y > 1:
        return x, y - 1
    else:
        return x, min(y + 1, 4)

# %% wrong: None at a wall
def next_state(state, action):
    x, y = state
    target = {"up": (x - 1, y), "down": (x + 1, y), "left": (x, y - 1), "right": (x, y + 1)}[action]
    if all(1 <= c <= 4 for c in target):
        return target

# %% wrong: raises at a wall
def next_state(state, action):
    x, y = state
    target = {"up": (x - 1, y), "down": (x + 1, y), "left": (x, y - 1), "right": (x, y + 1)}[action]
    assert all(1 <= c <= 4 for c in target), "off the grid"
    return target

# %% wrong: two steps at once
def next_state(state, action):
    dx, dy = {"up": (-2, 0), "down": (2, 0), "left": (0, -2), "right": (0, 2)}[action]
    return min(max(state[0] + dx, 1), 4), min(max(state[1] + dy, 1), 4)

# %% wrong: diagonal moves
def next_state(state, action):
    dx, dy = {"up": (-1, -1), "down": (1, 1), "left": (1, -1), "right": (-1, 1)}[action]
    return min(max(state[0] + dx, 1), 4), min(max(state[1] + dy, 1), 4)

# %% wrong: back to the start at a wall
def next_state(state, action):
    x, y = state
    target = {"up": (x - 1, y), "down": (x + 1, y), "left": (x, y - 1), "right": (x, y + 1)}[action]
    return target if all(1 <= c <= 4 for c in target) else (1, 1)

# %% wrong: the pit blocks
def next_state(state, action):
    dx, dy = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}[action]
    target = min(max(state[0] + dx, 1), 4), min(max(state[1] + dy, 1), 4)
    return state if target == (2, 3) else target

# %% wrong: the goal cannot be left
def next_state(state, action):
    if state == (4, 4):
        return state
    dx, dy = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}[action]
    return min(max(state[0] + dx, 1), 4), min(max(state[1] + dy, 1), 4)

# %% wrong: one number, the index of the cell
def next_state(state, action):
    dx, dy = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}[action]
    return 4 * (min(max(state[0] + dx, 1), 4) - 1) + min(max(state[1] + dy, 1), 4) - 1

# %% wrong: only the coordinate that changes
def next_state(state, action):
    x, y = state
    return {"up": max(x - 1, 1), "down": min(x + 1, 4), "left": max(y - 1, 1), "right": min(y + 1, 4)}[action]

# %% wrong: a position of its own is moved
position = [1, 1]

def next_state(state, action):
    dx, dy = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}[action]
    position[0], position[1] = min(max(position[0] + dx, 1), 4), min(max(position[1] + dy, 1), 4)
    return tuple(position)

# %% wrong: action names compared by identity
def next_state(state, action):
    x, y = state
    up, down, left, right = ACTIONS
    if action is up:
        x -= 1
    elif action is down:
        x += 1
    elif action is left:
        y -= 1
    elif action is right:
        y += 1
    return min(max(x, 1), 4), min(max(y, 1), 4)

# %% wrong: walls found by identity of integers
def next_state(state, action):
    x, y = state
    first, last = 1, 4
    if action == "up" and x is not first:
        x -= 1
    elif action == "down" and x is not last:
        x += 1
    elif action == "left" and y is not first:
        y -= 1
    elif action == "right" and y is not last:
        y += 1
    return x, y

# %% wrong: takes numbers as actions
def next_state(state, action):
    dx, dy = [(-1, 0), (1, 0), (0, -1), (0, 1)][action]
    return min(max(state[0] + dx, 1), 4), min(max(state[1] + dy, 1), 4)

# %% wrong: capital letters
def next_state(state, action):
    x, y = state
    if action == "Up":
        x = max(x - 1, 1)
    elif action == "Down":
        x = min(x + 1, 4)
    elif action == "Left":
        y = max(y - 1, 1)
    elif action == "Right":
        y = min(y + 1, 4)
    return x, y

# %% wrong: returns state, reward and done like an environment
def next_state(state, action):
    dx, dy = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}[action]
    target = min(max(state[0] + dx, 1), 4), min(max(state[1] + dy, 1), 4)
    return target, -0.1, target == (4, 4)

# %% wrong: a set
def next_state(state, action):
    dx, dy = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}[action]
    return {min(max(state[0] + dx, 1), 4), min(max(state[1] + dy, 1), 4)}

# %% wrong: a string
def next_state(state, action):
    dx, dy = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}[action]
    return str((min(max(state[0] + dx, 1), 4), min(max(state[1] + dy, 1), 4)))

# %% wrong: slips to the side one time in ten
rng = np.random.default_rng(0)

def next_state(state, action):
    if rng.random() < 0.1:
        action = str(rng.choice(["up", "down", "left", "right"]))
    dx, dy = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}[action]
    return min(max(state[0] + dx, 1), 4), min(max(state[1] + dy, 1), 4)

# %% wrong: clamps the sum of both coordinates
def next_state(state, action):
    dx, dy = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}[action]
    x, y = state[0] + dx, state[1] + dy
    return (x, y) if 2 <= x + y <= 8 else state

# %% wrong: corners block every move
def next_state(state, action):
    x, y = state
    if x in (1, 4) and y in (1, 4):
        return state
    dx, dy = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}[action]
    return min(max(x + dx, 1), 4), min(max(y + dy, 1), 4)

# %% wrong: edge cells block moves along the edge
def next_state(state, action):
    x, y = state
    dx, dy = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}[action]
    return (x + dx, y + dy) if 1 < x < 4 and 1 < y < 4 else state
