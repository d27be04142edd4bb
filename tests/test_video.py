"""Videos of agents: real pictures, readable by any browser, with words for those who cannot see them."""

import base64
import re

import gymnasium as gym
import imageio.v3 as imageio
import numpy as np
import pytest

from policy_gradients import video
from policy_gradients.environments import make_env


def always_right(observations):
    return np.ones(len(observations), int)


def test_an_episode_is_recorded_from_its_first_picture_to_its_last():
    environment = gym.make("CartPole-v1", render_mode="rgb_array")
    pictures = {every: video.record(environment, always_right, seed=0, every=every) for every in (1, 2)}
    length = len(pictures[1]) - 1
    assert 5 < length < 20
    assert len(pictures[2]) == 1 + -(-length // 2)
    assert np.array_equal(pictures[1][0], pictures[2][0])
    assert np.array_equal(pictures[1][-1], pictures[2][-1])
    assert not np.array_equal(pictures[1][0], pictures[1][-1])


@pytest.mark.parametrize("preset", ["metadrive-continuous", "highway-continuous"])
def test_a_drive_is_recorded_from_above(preset):
    limit = {"horizon": 8} if preset.startswith("metadrive") else {"duration": 2, "vehicles_count": 5}
    environment = make_env(preset, render_mode="rgb_array", **limit)
    pictures = video.record(environment, lambda seen: np.array([[0.2, 1.0]], np.float32), seed=0, every=1)
    environment.close()
    assert 8 <= len(pictures) <= 12 and all(picture.std() > 10 for picture in pictures)
    assert not np.array_equal(pictures[1], pictures[-1])


def test_an_episode_with_continuous_actions_is_recorded():
    environment = gym.make("Pendulum-v1", render_mode="rgb_array", max_episode_steps=3)
    pictures = video.record(environment, lambda seen: np.full((len(seen), 1), 0.5), seed=0, every=1)
    assert len(pictures) == 4


def test_an_environment_without_pictures_is_refused():
    with pytest.raises(ValueError, match="rgb_array"):
        video.record(gym.make("CartPole-v1"), always_right, seed=0)


def test_the_video_lies_in_the_page_with_its_description():
    rng = np.random.default_rng(0)
    pictures = [np.full((40, 60, 3), shade, np.uint8) for shade in (0, 120, 250)] + [
        rng.integers(0, 255, (40, 60, 3), dtype=np.uint8)
    ]
    page = video.show(pictures, 'A "box" < a cart').data
    encoded = re.search(r"data:video/mp4;base64,([^\"]+)", page).group(1)
    frames = imageio.imread(base64.b64decode(encoded), extension=".mp4", plugin="FFMPEG")
    assert frames.shape == (4, 40, 60, 3)
    assert np.abs(frames[:3].mean(axis=(1, 2, 3)) - [0, 120, 250]).max() < 12
    words = "A &quot;box&quot; &lt; a cart"
    assert f'aria-label="{words}"' in page and f"<figcaption>{words}</figcaption>" in page
