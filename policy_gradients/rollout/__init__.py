"""Collecting rollouts: endless iterators of fragments of T steps from N environments.

    same.rollout      in this process
    single.rollout    in one worker process, which fills a fragment while the learner uses the last one
    multi.rollout     in several worker processes, whose fragments are put together into batches

They take the same `factory` of environments and the same `Actor`, and yield the same `Fragment` of tensors,
so that one training loop serves all three:

    with single.rollout(factory, actor, n_steps=20, n_envs=16, seed=0) as fragments:
        for fragment in itertools.islice(fragments, 1000):
            ...

Leaving the `with` block, `close()`, an exception and Ctrl-C all end the workers and free what they shared.

    nested      observations and actions as trees of arrays
    fragment    what is collected
    actor       what answers observations; numpy_policy makes small networks answer quickly
    collecting  stepping environments and writing a fragment
    worker      the worker process; pool: all of them, as the learner sees them
    shared      the memory through which fragments and weights travel
    iterator    what the collectors return
    evaluation  complete episodes, of which only the rewards are kept
"""

from policy_gradients.parallel import WorkerError
from policy_gradients.rollout import multi, same, single
from policy_gradients.rollout.actor import Actor
from policy_gradients.rollout.evaluation import evaluate
from policy_gradients.rollout.fragment import Fragment, Inputs
from policy_gradients.rollout.iterator import Rollout

__all__ = ["Actor", "Fragment", "Inputs", "Rollout", "WorkerError", "evaluate", "multi", "same", "single"]
