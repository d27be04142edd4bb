"""Training that is interrupted and goes on: the same numbers, whatever happened in between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from torch import nn

from policy_gradients.checkpoint import Checkpoint

UPDATES = 30

TRAINING = """
import sys
import numpy as np
import torch
from torch import nn
from policy_gradients.checkpoint import Checkpoint

path, updates, slow = sys.argv[1], int(sys.argv[2]), sys.argv[3:] == ["slow"]
torch.manual_seed(7)
policy = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Dropout(0.5), nn.Linear(8, 2))
optimiser = torch.optim.Adam(policy.parameters(), lr=1e-2)
generator, rng = torch.Generator().manual_seed(1), np.random.default_rng(2)
checkpoint = Checkpoint(path, policy=policy, optimiser=optimiser, generator=generator, rng=rng,
                        dropout=torch.default_generator)
progress = checkpoint.restore(update=0, curve=[])
while progress["update"] < updates:
    observations = torch.as_tensor(rng.normal(size=(16, 3)), dtype=torch.float32)
    log_probs = policy(observations).log_softmax(-1)
    actions = torch.multinomial(log_probs.exp().detach(), 1, generator=generator)
    loss = -(log_probs.gather(1, actions) * observations[:, :1]).mean()
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    progress["update"] += 1
    progress["curve"].append((progress["update"], loss.item()))
    checkpoint.save(**progress)
    if slow:
        print(progress["update"], flush=True)
print([p.detach().numpy().tobytes().hex() for p in policy.parameters()], progress["curve"], flush=True)
"""


def train(path, *arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-c", TRAINING, str(path), *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        **options,
    )


def ending(process):
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    return output.splitlines()[-1]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    return ending(train(tmp_path_factory.mktemp("whole") / "run.pt", UPDATES))


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT], ids=["killed", "Ctrl-C"])
def test_a_run_that_was_killed_goes_on_as_if_nothing_had_happened(tmp_path, uninterrupted, end):
    path = tmp_path / "run.pt"
    process = train(path, 1_000_000, "slow", stderr=subprocess.DEVNULL)
    while int(process.stdout.readline()) < 5:
        pass
    process.send_signal(end)
    process.communicate(timeout=60)
    assert process.returncode != 0
    reached = torch.load(path, weights_only=True)["values"]["update"]
    if reached >= UPDATES:
        pytest.fail("The killed run had got too far to show anything: let it run for more updates.")
    assert ending(train(path, UPDATES)) == uninterrupted


def test_a_run_of_two_sittings_equals_one(tmp_path, uninterrupted):
    path = tmp_path / "folder" / "run.pt"
    ending(train(path, 11))
    assert ending(train(path, UPDATES)) == uninterrupted


def test_killed_at_any_moment_the_file_is_whole(tmp_path):
    """Five kills at random moments, most of them while the file is being written."""
    path, rng = tmp_path / "run.pt", np.random.default_rng(0)
    kept = nn.Linear(400, 400)
    Checkpoint(path, kept=kept).save(n=0)
    writing = (
        "import sys, torch; from torch import nn; from policy_gradients.checkpoint import Checkpoint\n"
        "c = Checkpoint(sys.argv[1], kept=nn.Linear(400, 400)); print('go', flush=True); n = 0\n"
        "while True:\n    n += 1; c.save(n=n)"
    )
    for _ in range(5):
        process = subprocess.Popen(
            [sys.executable, "-c", writing, str(path)], stdout=subprocess.PIPE, text=True
        )
        process.stdout.readline()
        time.sleep(rng.uniform(0.02, 0.3))
        process.kill()
        process.communicate()
        assert Checkpoint(path, kept=kept).restore(n=-1)["n"] >= 0


def test_without_a_file_the_values_are_those_given(tmp_path):
    checkpoint = Checkpoint(tmp_path / "run.pt", policy=nn.Linear(2, 2))
    assert checkpoint.restore(steps=0, curve=[]) == {"steps": 0, "curve": []}
    checkpoint.save(steps=5, curve=[(5, 1.0)])
    assert checkpoint.restore(steps=0, curve=[]) == {"steps": 5, "curve": [(5, 1.0)]}
    checkpoint.remove()
    checkpoint.remove()
    assert checkpoint.restore(steps=0, curve=[]) == {"steps": 0, "curve": []}


def test_what_is_not_this_runs_is_refused_with_advice(tmp_path):
    path = tmp_path / "run.pt"
    Checkpoint(path, policy=nn.Linear(2, 2)).save(steps=1)
    for parts, values in [
        ({"policy": nn.Linear(3, 2)}, {"steps": 0}),
        ({"policy": nn.Linear(2, 2), "critic": nn.Linear(2, 1)}, {"steps": 0}),
        ({"policy": nn.Linear(2, 2)}, {"updates": 0}),
        ({"policy": torch.Generator()}, {"steps": 0}),
        ({"policy": np.random.default_rng()}, {"steps": 0}),
    ]:
        with pytest.raises(ValueError, match="Delete it to train from the beginning"):
            Checkpoint(path, **parts).restore(**values)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 cut off"])
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path, content):
    path = tmp_path / "run.pt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="cannot be read"):
        Checkpoint(path, policy=nn.Linear(2, 2)).restore(steps=0)
    assert path.read_bytes() == content


def test_a_file_cannot_run_code(tmp_path):
    class Harm:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "harm"),)

    path = tmp_path / "run.pt"
    torch.save({"parts": {}, "values": Harm()}, path)
    with pytest.raises(ValueError, match="cannot be read"):
        Checkpoint(path).restore()
    assert not (tmp_path / "harm").exists()


def test_what_cannot_be_saved_leaves_the_file_of_before(tmp_path):
    path = tmp_path / "run.pt"
    checkpoint = Checkpoint(path)
    checkpoint.save(n=1)
    with pytest.raises(Exception, match="pickle"):
        checkpoint.save(n=lambda: 0)
    assert checkpoint.restore(n=0) == {"n": 1}
    assert list(tmp_path.iterdir()) == [path]
