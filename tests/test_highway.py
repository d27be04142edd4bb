"""`policy_gradients.highway` against highway-env itself, bit by bit."""

import gymnasium as gym
import numpy as np
import pytest

from policy_gradients import highway

GRID = {"type": "OccupancyGrid", "features": ["presence", "vx"]}
GRID |= {"grid_size": [[-5, 5], [-5, 5]], "grid_step": [2.0, 2.0]}
DISCRETE, CONTINUOUS = {"type": "DiscreteMetaAction"}, {"type": "ContinuousAction"}


def records(name, config, seed, actions):
    """What every step shows, and where all vehicles are afterwards."""
    env = gym.make(name, config={"policy_frequency": 5, "duration": 40, **config}).unwrapped
    observation, _ = env.reset(seed=seed)
    yield observation
    for action in actions:
        *step, info = env.step(action)
        yield *step, info["rewards"], [(*car.position, car.speed, car.crashed) for car in env.road.vehicles]
        if step[2] or step[3]:
            return


def random_actions(kind, seed, steps=60):
    rng = np.random.default_rng(seed)
    if kind is CONTINUOUS:
        return list(rng.normal([0.1, 0.0], [0.4, 0.03], size=(steps, 2)).astype(np.float32))
    return rng.choice(5, size=steps, p=[0.1, 0.2, 0.1, 0.4, 0.2]).tolist()


CASES = [
    ("highway-v0", {"observation": GRID, "action": DISCRETE}),
    ("highway-v0", {"observation": GRID, "action": CONTINUOUS}),
    ("highway-v0", {"observation": GRID | {"align_to_vehicle_axes": True}, "action": CONTINUOUS}),
    ("highway-v0", {"observation": {"type": "Kinematics"}, "action": DISCRETE, "lanes_count": 2}),
    ("highway-fast-v0", {"observation": GRID, "action": DISCRETE, "vehicles_density": 2}),
]


@pytest.mark.parametrize(("name", "config"), CASES)
@pytest.mark.parametrize("seed", [0, 1])
def test_every_step_is_that_of_highway_env(name, config, seed):
    actions = random_actions(config["action"], seed)
    plain = records(name, config, seed, actions)
    quick = records(f"policy_gradients/{name}", config, seed, actions)
    for one, other in zip(plain, quick, strict=True):
        np.testing.assert_equal(other, one)


def test_crashes_between_other_cars_are_found():
    """Dense traffic and a car that brakes hard: the pile-up is the same, and it is one."""
    config = {"observation": GRID, "action": CONTINUOUS, "vehicles_count": 20, "vehicles_density": 4}
    actions = [np.array([-1, 0.02 * (-1) ** t], np.float32) for t in range(40)]
    plain, quick = (
        list(records(name, config, 3, actions)) for name in ("highway-v0", "policy_gradients/highway-v0")
    )
    np.testing.assert_equal(quick, plain)
    assert sum(car[-1] for car in plain[-1][-1]) >= 2


def test_the_road_is_what_makes_it_quick():
    env = gym.make("policy_gradients/highway-v0", config={"observation": GRID}).unwrapped
    env.reset(seed=0)
    assert type(env.road) is highway.StraightRoad
