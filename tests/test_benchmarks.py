"""The benchmark for GPUs, tried without one: its parts with small numbers, and what it says then."""

import os
import subprocess
import sys

import jax

from benchmarks import gpu
from policy_gradients import cartpole, on_device


def test_its_parts_run_with_small_numbers():
    found = gpu.many_seeds(2)
    assert found["number"] == found["at the bar"] == 2 and found["seconds"] > 0
    params = on_device.train(cartpole, gpu.SETTINGS, jax.random.PRNGKey(0)).params
    table = gpu.by_number(params, (4, 8), rounds=1)
    assert list(table) == ["4", "8"] and all(row["steps per second"] > 0 for row in table.values())


def test_without_a_gpu_it_says_what_to_do():
    command, without = [sys.executable, "-m", "benchmarks.gpu"], os.environ | {"JAX_PLATFORMS": "cpu"}
    refused = subprocess.run(command, capture_output=True, text=True, check=False, env=without)
    assert refused.returncode == 1 and "JAX sees no GPU here" in refused.stderr
    assert "--quick" in refused.stderr and "Traceback" not in refused.stderr
