"""Answers to `reward`."""
# %% right: three returns
def reward(state, goal, pit):
    if state == goal:
        return 1
    if state == pit:
        return -1
    return -0.1

# %% right: conditional expression
def reward(state, goal, pit):
    return 1.0 if state == goal else (-1.0 if state == pit else -0.1)

# %% right: dictionary
def reward(state, goal, pit):
    return {goal: 1.0, pit: -1.0}.get(state, -0.1)

# %% right: coordinates one by one
def reward(state, goal, pit):
    (x, y), (gx, gy), (px, py) = state, goal, pit
    if x == gx and y == gy:
        return 1.0
    elif x == px and y == py:
        return -1.0
    else:
        return -0.1

# %% right: np.array_equal and float32
def reward(state, goal, pit):
    value = -0.1
    if np.array_equal(state, goal):
        value = 1.0
    elif np.array_equal(state, pit):
        value = -1.0
    return np.float32(value)

# %% right: arithmetic of booleans
def reward(state, goal, pit):
    at_goal, in_pit = state == goal, state == pit
    return at_goal - in_pit - 0.1 * (not at_goal and not in_pit)

# %% right: step penalty with corrections
def reward(state, goal, pit):
    value = -0.1
    value += 1.1 * (state == goal)
    value -= 0.9 * (state == pit)
    return value

# %% right: np.select, a zero-dimensional array
def reward(state, goal, pit):
    return np.select([np.all(np.equal(state, goal)), np.all(np.equal(state, pit))], [1.0, -1.0], -0.1)

# %% right: distances
def reward(state, goal, pit):
    if abs(state[0] - goal[0]) + abs(state[1] - goal[1]) == 0:
        return 1.0
    if abs(state[0] - pit[0]) + abs(state[1] - pit[1]) == 0:
        return -1.0
    return -1 / 10

# %% right: membership and index
def reward(state, goal, pit):
    places = [goal, pit]
    return (1.0, -1.0)[places.index(state)] if state in places else -0.1

# %% right: match statement
def reward(state, goal, pit):
    match (state == goal, state == pit):
        case (True, _):
            return 1.0
        case (_, True):
            return -1.0
    return -0.1

# %% right: lists compared
def reward(state, goal, pit):
    s, g, p = list(state), list(goal), list(pit)
    return 1.0 if s == g else -1.0 if s == p else -0.1

# %% wrong: nothing returned
def reward(state, goal, pit):
    value = 1.0 if state == goal else -1.0 if state == pit else -0.1

# %% wrong: nothing returned elsewhere
def reward(state, goal, pit):
    if state == goal:
        return 1.0
    if state == pit:
        return -1.0

# %% wrong: always the step penalty
def reward(state, goal, pit):
    return -0.1

# %% wrong: goal and pit swapped
def reward(state, goal, pit):
    return -1.0 if state == goal else 1.0 if state == pit else -0.1

# %% wrong: both pay +1
def reward(state, goal, pit):
    return 1.0 if state in (goal, pit) else -0.1

# %% wrong: pit forgotten
def reward(state, goal, pit):
    return 1.0 if state == goal else -0.1

# %% wrong: goal forgotten
def reward(state, goal, pit):
    return -1.0 if state == pit else -0.1

# %% wrong: no step penalty
def reward(state, goal, pit):
    return 1.0 if state == goal else -1.0 if state == pit else 0.0

# %% wrong: step penalty positive
def reward(state, goal, pit):
    return 1.0 if state == goal else -1.0 if state == pit else 0.1

# %% wrong: step penalty of -0.01
def reward(state, goal, pit):
    return 1.0 if state == goal else -1.0 if state == pit else -0.01

# %% wrong: step penalty of -1
def reward(state, goal, pit):
    return 1.0 if state == goal else -1.0

# %% wrong: step penalty on top at the goal
def reward(state, goal, pit):
    return (state == goal) - (state == pit) - 0.1

# %% wrong: step penalty on top in the pit only
def reward(state, goal, pit):
    if state == goal:
        return 1.0
    return -0.1 - (state == pit)

# %% wrong: goal pays 10
def reward(state, goal, pit):
    return 10.0 if state == goal else -1.0 if state == pit else -0.1

# %% wrong: pit pays -10
def reward(state, goal, pit):
    return 1.0 if state == goal else -10.0 if state == pit else -0.1

# %% wrong: everything negated, a cost
def reward(state, goal, pit):
    return -1.0 if state == goal else 1.0 if state == pit else 0.1

# %% wrong: fixed goal and pit
def reward(state, goal, pit):
    return 1.0 if state == (4, 4) else -1.0 if state == (2, 3) else -0.1

# %% wrong: fixed pit
def reward(state, goal, pit):
    return 1.0 if state == goal else -1.0 if state == (2, 3) else -0.1

# %% wrong: fixed goal
def reward(state, goal, pit):
    return 1.0 if state == (4, 4) else -1.0 if state == pit else -0.1

# %% wrong: identity instead of equality
def reward(state, goal, pit):
    if state is goal:
        return 1.0
    if state is pit:
        return -1.0
    return -0.1

# %% wrong: identity of the goal only
def reward(state, goal, pit):
    return 1.0 if state is goal else -1.0 if state == pit else -0.1

# %% wrong: identity of the coordinates
def reward(state, goal, pit):
    if state[0] is goal[0] and state[1] is goal[1]:
        return 1.0
    if state[0] is pit[0] and state[1] is pit[1]:
        return -1.0
    return -0.1

# %% wrong: one coordinate is enough
def reward(state, goal, pit):
    if state[0] == goal[0] or state[1] == goal[1]:
        return 1.0
    if state[0] == pit[0] or state[1] == pit[1]:
        return -1.0
    return -0.1

# %% wrong: only the row is compared
def reward(state, goal, pit):
    return 1.0 if state[0] == goal[0] else -1.0 if state[0] == pit[0] else -0.1

# %% wrong: only the column of the pit is compared
def reward(state, goal, pit):
    return 1.0 if state == goal else -1.0 if state[1] == pit[1] else -0.1

# %% wrong: coordinates in any order
def reward(state, goal, pit):
    return 1.0 if set(state) == set(goal) else -1.0 if set(state) == set(pit) else -0.1

# %% wrong: sorted coordinates
def reward(state, goal, pit):
    return 1.0 if sorted(state) == sorted(goal) else -1.0 if sorted(state) == sorted(pit) else -0.1

# %% wrong: sums compared
def reward(state, goal, pit):
    return 1.0 if sum(state) == sum(goal) else -1.0 if sum(state) == sum(pit) else -0.1

# %% wrong: state mirrored
def reward(state, goal, pit):
    mirrored = (state[1], state[0])
    return 1.0 if mirrored == goal else -1.0 if mirrored == pit else -0.1

# %% wrong: the goal or beyond
def reward(state, goal, pit):
    return 1.0 if state >= goal else -1.0 if state == pit else -0.1

# %% wrong: distance to the goal
def reward(state, goal, pit):
    if state == pit:
        return -1.0
    distance = abs(state[0] - goal[0]) + abs(state[1] - goal[1])
    return 1.0 if distance == 0 else -0.1 * distance

# %% wrong: next to the pit counts as the pit
def reward(state, goal, pit):
    if state == goal:
        return 1.0
    return -1.0 if abs(state[0] - pit[0]) + abs(state[1] - pit[1]) <= 1 else -0.1

# %% wrong: a start that is free of charge
def reward(state, goal, pit):
    if state == (1, 1):
        return 0.0
    return 1.0 if state == goal else -1.0 if state == pit else -0.1

# %% wrong: reward and done
def reward(state, goal, pit):
    value = 1.0 if state == goal else -1.0 if state == pit else -0.1
    return value, value != -0.1

# %% wrong: an array of one element
def reward(state, goal, pit):
    return np.array([1.0 if state == goal else -1.0 if state == pit else -0.1])

# %% wrong: cut to an integer
def reward(state, goal, pit):
    return int(1.0 if state == goal else -1.0 if state == pit else -0.1)

# %% wrong: only whether the goal is reached
def reward(state, goal, pit):
    return state == goal

# %% wrong: text
def reward(state, goal, pit):
    return "+1" if state == goal else "-1" if state == pit else "-0.1"

# %% wrong: each state pays once
visited = set()

def reward(state, goal, pit):
    value = 1.0 if state == goal else -1.0 if state == pit else -0.1
    if state in visited and state == goal:
        return -0.1
    visited.add(state)
    return value

# %% wrong: arguments in another order
def reward(state, pit, goal):
    return 1.0 if state == goal else -1.0 if state == pit else -0.1

# %% wrong: precedence of & and ==
def reward(state, goal, pit):
    if state[0] == goal[0] & state[1] == goal[1]:
        return 1.0
    if state[0] == pit[0] & state[1] == pit[1]:
        return -1.0
    return -0.1

# %% wrong: bitwise hash of the state
def reward(state, goal, pit):
    key = lambda s: s[0] ^ s[1]
    return 1.0 if key(state) == key(goal) else -1.0 if key(state) == key(pit) else -0.1
