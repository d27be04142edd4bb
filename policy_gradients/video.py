"""A video of an agent, shown in the notebook."""

from __future__ import annotations

import base64
import html
from collections.abc import Callable, Sequence
from typing import Any

import gymnasium as gym
import imageio.v3 as imageio
import numpy as np
from IPython.display import HTML

__all__ = ["record", "show"]


def record(
    environment: gym.Env, act: Callable[[np.ndarray], Any], seed: int, every: int = 2
) -> list[np.ndarray]:
    """The pictures (H, W, 3) of one episode, from every `every`-th step and the last.

    environment : made with render_mode="rgb_array"
    act : maps observations (1, ...) to one action in an array, (1,) integers or (1, D) floats
    """
    if environment.render_mode != "rgb_array":
        raise ValueError(
            'Make the environment with render_mode="rgb_array": there are no pictures otherwise.'
        )
    observation, _ = environment.reset(seed=seed)
    pictures, steps, ended = [environment.render()], 0, False
    while not ended:
        action = np.asarray(act(observation[None]))[0]
        action = action if np.ndim(action) else int(action)
        observation, _, terminated, truncated, _ = environment.step(action)
        ended, steps = terminated or truncated, steps + 1
        if ended or steps % every == 0:
            pictures.append(environment.render())
    return pictures


def show(pictures: Sequence[np.ndarray], description: str, frames_per_second: int = 25) -> HTML:
    """A video with controls, held in the notebook itself; `description` says in words what it shows."""
    video = imageio.imwrite(
        "<bytes>",
        np.stack(pictures),
        extension=".mp4",
        plugin="FFMPEG",
        fps=frames_per_second,
        codec="h264",
        macro_block_size=2,
    )
    data = base64.b64encode(video).decode()
    words = html.escape(description, quote=True)
    return HTML(
        f'<figure style="margin:0"><video controls loop muted playsinline style="max-width:100%" '
        f'aria-label="{words}" src="data:video/mp4;base64,{data}">{words}</video>'
        f"<figcaption>{words}</figcaption></figure>"
    )
