"""LunarLander-v3 of Gymnasium in less time: every observation, reward and end is the same, to the last bit.

Importing this module registers `policy_gradients/LunarLander-v3`. Half of a step in Gymnasium is the Python
around Box2D's physics: attributes that are asked for more than once, NumPy's functions for single numbers,
and the checks of random numbers and actions. Less of it is left here.
"""

from __future__ import annotations

import math
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.box2d import lunar_lander
from gymnasium.envs.box2d.lunar_lander import FPS, SCALE

__all__ = ["QuickLunarLander"]

_HALF_WIDTH = lunar_lander.VIEWPORT_W / SCALE / 2
_HALF_HEIGHT = lunar_lander.VIEWPORT_H / SCALE / 2
_LEGS = lunar_lander.LEG_DOWN / SCALE
_BELOW = lunar_lander.MAIN_ENGINE_Y_LOCATION / SCALE
_AWAY = lunar_lander.SIDE_ENGINE_AWAY / SCALE
_NOTHING, _LEFT, _MAIN, _RIGHT = range(4)


class QuickLunarLander(lunar_lander.LunarLander):
    """The lander with discrete actions, without wind and pictures; otherwise a step is Gymnasium's own."""

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Raises AssertionError for an action other than 0, 1, 2, 3, and before the first reset."""
        if self.continuous or self.enable_wind or self.render_mode is not None:
            return super().step(action)
        assert self.lander is not None, "You forgot to call reset()"
        assert action in (_NOTHING, _LEFT, _MAIN, _RIGHT), f"{action!r} ({type(action)}) invalid "
        fuel = self._fire(action)
        self.world.Step(1.0 / FPS, 6 * 30, 2 * 30)
        state = self._state()
        reward = self._shaped(state) - fuel
        terminated = False
        if self.game_over or abs(state[0]) >= 1.0:
            terminated, reward = True, -100
        if not self.lander.awake:
            terminated, reward = True, 100
        return np.array(state, np.float32), reward, terminated, False, {}

    def _fire(self, action: int) -> float:
        """Apply the impulse of the engine that fires, if any, and return what its fuel costs.

        The operations come in the order of Gymnasium's, for any other would round differently.
        """
        # uniform(-1, 1) of the same random numbers, without the checks of its arguments
        random = self.np_random.random
        along, across = (-1.0 + 2.0 * random()) / SCALE, (-1.0 + 2.0 * random()) / SCALE
        if action == _NOTHING:
            return 0.0
        lander = self.lander
        angle = lander.angle
        right, up = math.sin(angle), math.cos(angle)  # where the lander's tip points
        position = lander.position
        if action == _MAIN:
            x = right * (_BELOW + 2 * along) + -up * across
            y = -up * (_BELOW + 2 * along) - right * across
            place, power, fuel = (position.x + x, position.y + y), lunar_lander.MAIN_ENGINE_POWER, 0.30
        else:
            sideways = 3 * across + (action - 2) * _AWAY
            x = right * along + -up * sideways
            y = -up * along - right * sideways
            # 17 is Gymnasium's, beside a height of 14
            above = up * lunar_lander.SIDE_ENGINE_HEIGHT / SCALE
            place = (position.x + x - right * 17 / SCALE, position.y + y + above)
            power, fuel = lunar_lander.SIDE_ENGINE_POWER, 0.03
        lander.ApplyLinearImpulse((-x * power, -y * power), place, True)
        return fuel

    def _state(self) -> tuple[float, ...]:
        lander, (left, right) = self.lander, self.legs
        position, velocity = lander.position, lander.linearVelocity
        return (
            (position.x - _HALF_WIDTH) / _HALF_WIDTH,
            (position.y - (self.helipad_y + _LEGS)) / _HALF_HEIGHT,
            velocity.x * _HALF_WIDTH / FPS,
            velocity.y * _HALF_HEIGHT / FPS,
            lander.angle,
            20.0 * lander.angularVelocity / FPS,
            1.0 if left.ground_contact else 0.0,
            1.0 if right.ground_contact else 0.0,
        )

    def _shaped(self, state: tuple[float, ...]) -> float:
        """What the step has added to the potential, 0 for the first."""
        x, y, velocity_x, velocity_y, angle, _, left, right = state
        shaping = (
            -100 * math.sqrt(x * x + y * y)
            - 100 * math.sqrt(velocity_x * velocity_x + velocity_y * velocity_y)
            - 100 * abs(angle)
            + 10 * left
            + 10 * right
        )
        before, self.prev_shaping = self.prev_shaping, shaping
        return 0.0 if before is None else shaping - before


_gymnasiums = gym.spec("LunarLander-v3")
gym.register(
    "policy_gradients/LunarLander-v3",
    QuickLunarLander,
    max_episode_steps=_gymnasiums.max_episode_steps,
    reward_threshold=_gymnasiums.reward_threshold,
)
