# Answers to Padding: which steps of N parallel episodes count, and when have all ended?


# %% right: a boolean array of who has ended
class Padding:
    def __init__(self, size):
        self.size = size
        self.reset()

    def reset(self):
        self.ended = np.zeros(self.size, dtype=bool)

    def __call__(self, terminated, truncated):
        mask = torch.from_numpy(~self.ended).float()
        self.ended = self.ended | terminated | truncated
        return mask, self.ended.all()


# %% right: who is alive, as a tensor
class Padding:
    def __init__(self, size):
        self._alive = torch.ones(size)

    def reset(self):
        self._alive = torch.ones_like(self._alive)

    def __call__(self, terminated, truncated):
        mask = self._alive.clone()
        done = torch.as_tensor(terminated | truncated)
        self._alive[done] = 0
        return mask, not self._alive.any()


# %% right: a list and loops
class Padding:
    def __init__(self, size):
        self.running = [True] * size

    def reset(self):
        self.running = [True for _ in self.running]

    def __call__(self, terminated, truncated):
        mask = []
        for i in range(len(self.running)):
            mask.append(1.0 if self.running[i] else 0.0)
            if terminated[i] or truncated[i]:
                self.running[i] = False
        return torch.tensor(mask), not any(self.running)


# %% right: products of ones and zeros in float64
class Padding:
    def __init__(self, size):
        self.size = size
        self.reset()

    def reset(self):
        self.mask = torch.ones(self.size, dtype=torch.float64)

    def __call__(self, terminated, truncated):
        mask = self.mask
        going_on = torch.from_numpy(np.logical_not(np.logical_or(terminated, truncated)))
        self.mask = mask * going_on
        return mask, self.mask.sum() == 0


# %% right: a set of those that have ended
class Padding:
    def __init__(self, size):
        self.size, self.ended = size, set()

    def reset(self):
        self.ended.clear()

    def __call__(self, terminated, truncated):
        mask = torch.Tensor([i not in self.ended for i in range(self.size)])
        self.ended.update(np.flatnonzero(terminated).tolist(), np.flatnonzero(truncated).tolist())
        return mask, len(self.ended) == self.size


# %% right: the length of each episode, infinite until it is known
class Padding:
    def __init__(self, size):
        self.size = size
        self.reset()

    def reset(self):
        self.t = 0
        self.last = np.full(self.size, np.inf)

    def __call__(self, terminated, truncated):
        ends_now = (terminated + truncated) & np.isinf(self.last)
        self.last = np.where(ends_now, self.t, self.last)
        mask = torch.tensor(self.t <= self.last, dtype=torch.float32)
        self.t += 1
        return mask, np.isfinite(self.last).all()


# %% right: a module with a buffer
class Padding(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer("ended", torch.zeros(size, dtype=torch.bool))

    def reset(self):
        self.ended.fill_(False)

    def forward(self, terminated, truncated):
        mask = (~self.ended).to(torch.get_default_dtype())
        self.ended.logical_or_(torch.tensor(terminated)).logical_or_(torch.tensor(truncated))
        return mask, self.ended.all().item()


# %% right: a count of ends
class Padding:
    def __init__(self, size: int) -> None:
        self.counts = np.zeros(size, dtype=int)

    def reset(self) -> None:
        self.counts = np.zeros_like(self.counts)

    def __call__(self, terminated, truncated):
        mask = torch.as_tensor(self.counts == 0).float()
        self.counts = self.counts + terminated + truncated
        return mask, bool(np.all(self.counts))


# %% right: a data class that returns NumPy's bool in a list
import dataclasses


@dataclasses.dataclass
class Padding:
    size: int

    def __post_init__(self):
        self.reset()

    def reset(self):
        self.mask = np.ones(self.size, dtype=np.float32)

    def __call__(self, terminated, truncated):
        before, self.mask = self.mask, np.where(terminated | truncated, np.float32(0), self.mask)
        return [torch.from_numpy(before), ~self.mask.any()]


# %% wrong: inverted, one for those that have ended
class Padding:
    def __init__(self, size):
        self.size = size
        self.reset()

    def reset(self):
        self.ended = np.zeros(self.size, dtype=bool)

    def __call__(self, terminated, truncated):
        mask = torch.from_numpy(self.ended).float()
        self.ended = self.ended | terminated | truncated
        return mask, self.ended.all()


# %% wrong: the step that ends an episode is left out
class Padding:
    def __init__(self, size):
        self.size = size
        self.reset()

    def reset(self):
        self.ended = np.zeros(self.size, dtype=bool)

    def __call__(self, terminated, truncated):
        self.ended = self.ended | terminated | truncated
        return torch.from_numpy(~self.ended).float(), self.ended.all()


# %% wrong: terminated only
class Padding:
    def __init__(self, size):
        self.size = size
        self.reset()

    def reset(self):
        self.ended = np.zeros(self.size, dtype=bool)

    def __call__(self, terminated, truncated):
        mask = torch.from_numpy(~self.ended).float()
        self.ended = self.ended | terminated
        return mask, self.ended.all()


# %% wrong: truncated only
class Padding:
    def __init__(self, size):
        self.size = size
        self.reset()

    def reset(self):
        self.ended = np.zeros(self.size, dtype=bool)

    def __call__(self, terminated, truncated):
        mask = torch.from_numpy(~self.ended).float()
        self.ended = self.ended | truncated
        return mask, self.ended.all()


# %% wrong: terminated and truncated
class Padding:
    def __init__(self, size):
        self.size = size
        self.reset()

    def reset(self):
        self.ended = np.zeros(self.size, dtype=bool)

    def __call__(self, terminated, truncated):
        mask = torch.from_numpy(~self.ended).float()
        self.ended = self.ended | (terminated & truncated)
        return mask, self.ended.all()


# %% wrong: either of the two, not both
class Padding:
    def __init__(self, size):
        self.size = size
        self.reset()

    def reset(self):
        self.ended = np.zeros(self.size, dtype=bool)

    def __call__(self, terminated, truncated):
        mask = torch.from_numpy(~self.ended).float()
        self.ended = self.ended | (terminated ^ truncated)
        return mask, self.ended.all()


# %% wrong: remembers the last step only
class Padding:
    def __init__(self, size):
        self.size = size
        self.reset()

    def reset(self):
        self.ended = np.zeros(self.size, dtype=bool)

    def __call__(self, terminated, truncated):
        mask = torch.from_numpy(~self.ended).float()
        self.ended = terminated | truncated
        return mask, self.ended.all()


# %% wrong: an end switches back and forth
class Padding:
    def __init__(self, size):
        self.size = size
        self.reset()

    def reset(self):
        self.ended = np.zeros(self.size, dtype=bool)

    def __call__(self, terminated, truncated):
        mask = torch.from_numpy(~self.ended).float()
        self.ended = self.ended ^ (terminated | truncated)
        return mask, self.ended.all()


# %% wrong: done when any has ended
class Padding:
    def __init__(self, size):
        self.size = size
        self.reset()

    def reset(self):
        self.ended = np.zeros(self.size, dtype=bool)

    def __call__(self, terminated, truncated):
        mask = torch.from_numpy(~self.ended).float()
        self.ended = self.ended | terminated | truncated
        return mask, self.ended.any()


# %% wrong: done one step late
class Padding:
    def __init__(self, size):
        self.size = size
        self.reset()

    def reset(self):
        self.ended = np.zeros(self.size, dtype=bool)

    def __call__(self, terminated, truncated):
        mask = torch.from_numpy(~self.ended).float()
        all_done = self.ended.all()
        self.ended = self.ended | terminated | truncated
        return mask, all_done


# %% wrong: done when all end in this step
class Padding:
    def __init__(self, size):
        self.size = size
        self.reset()

    def reset(self):
        self.ended = np.zeros(self.size, dtype=bool)

    def __call__(self, terminated, truncated):
        mask = torch.from_numpy(~self.ended).float()
        done = terminated | truncated
        self.ended = self.ended | done
        return mask, done.all()


# %% wrong: a flag for each environment
class Padding:
    def __init__(self, size):
        self.size = size
        self.reset()

    def reset(self):
        self.ended = np.zeros(self.size, dtype=bool)

    def __call__(self, terminated, truncated):
        mask = torch.from_numpy(~self.ended).float()
        self.ended = self.ended | terminated | truncated
        return mask, self.ended


# %% wrong: the flag is turned round
class Padding:
    def __init__(self, size):
        self.size = size
        self.reset()

    def reset(self):
        self.ended = np.zeros(self.size, dtype=bool)

    def __call__(self, terminated, truncated):
        mask = torch.from_numpy(~self.ended).float()
        self.ended = self.ended | terminated | truncated
        return mask, not self.ended.all()


# %% wrong: only the mask is returned
class Padding:
    def __init__(self, size):
        self.size = size
        self.reset()

    def reset(self):
        self.ended = np.zeros(self.size, dtype=bool)

    def __call__(self, terminated, truncated):
        mask = torch.from_numpy(~self.ended).float()
        self.ended = self.ended | terminated | truncated
        return mask


# %% wrong: not ready before reset
class Padding:
    def __init__(self, size):
        self.size = size

    def reset(self):
        self.ended = np.zeros(self.size, dtype=bool)

    def __call__(self, terminated, truncated):
        mask = torch.from_numpy(~self.ended).float()
        self.ended = self.ended | terminated | truncated
        return mask, self.ended.all()


# %% wrong: reset forgets nothing
class Padding:
    def __init__(self, size):
        self.ended = np.zeros(size, dtype=bool)

    def reset(self):
        pass

    def __call__(self, terminated, truncated):
        mask = torch.from_numpy(~self.ended).float()
        self.ended = self.ended | terminated | truncated
        return mask, self.ended.all()


# %% wrong: no reset
class Padding:
    def __init__(self, size):
        self.ended = np.zeros(size, dtype=bool)

    def __call__(self, terminated, truncated):
        mask = torch.from_numpy(~self.ended).float()
        self.ended = self.ended | terminated | truncated
        return mask, self.ended.all()


# %% wrong: resets itself when all have ended
class Padding:
    def __init__(self, size):
        self.size = size
        self.reset()

    def reset(self):
        self.ended = np.zeros(self.size, dtype=bool)

    def __call__(self, terminated, truncated):
        mask = torch.from_numpy(~self.ended).float()
        self.ended = self.ended | terminated | truncated
        all_done = self.ended.all()
        if all_done:
            self.reset()
        return mask, all_done


# %% wrong: kept in the class, for all of them
class Padding:
    def __init__(self, size):
        Padding.ended = np.zeros(size, dtype=bool)

    def reset(self):
        Padding.ended = np.zeros_like(Padding.ended)

    def __call__(self, terminated, truncated):
        mask = torch.from_numpy(~Padding.ended).float()
        Padding.ended = Padding.ended | terminated | truncated
        return mask, Padding.ended.all()


# %% wrong: one mask for all steps
class Padding:
    def __init__(self, size):
        self.mask = torch.ones(size)
        self.alive = torch.ones(size, dtype=bool)

    def reset(self):
        self.mask.fill_(1)
        self.alive.fill_(True)

    def __call__(self, terminated, truncated):
        self.mask.copy_(self.alive)
        self.alive &= torch.from_numpy(~(terminated | truncated))
        return self.mask, not self.alive.any()


# %% wrong: a booleans' mask
class Padding:
    def __init__(self, size):
        self.size = size
        self.reset()

    def reset(self):
        self.ended = np.zeros(self.size, dtype=bool)

    def __call__(self, terminated, truncated):
        mask = torch.from_numpy(~self.ended)
        self.ended = self.ended | terminated | truncated
        return mask, self.ended.all()


# %% wrong: a mask of integers
class Padding:
    def __init__(self, size):
        self.size = size
        self.reset()

    def reset(self):
        self.ended = np.zeros(self.size, dtype=bool)

    def __call__(self, terminated, truncated):
        mask = torch.from_numpy(1 - self.ended.astype(int))
        self.ended = self.ended | terminated | truncated
        return mask, self.ended.all()


# %% wrong: a mask of NumPy
class Padding:
    def __init__(self, size):
        self.size = size
        self.reset()

    def reset(self):
        self.ended = np.zeros(self.size, dtype=bool)

    def __call__(self, terminated, truncated):
        mask = (~self.ended).astype(np.float32)
        self.ended = self.ended | terminated | truncated
        return mask, self.ended.all()


# %% wrong: a column
class Padding:
    def __init__(self, size):
        self.size = size
        self.reset()

    def reset(self):
        self.ended = np.zeros(self.size, dtype=bool)

    def __call__(self, terminated, truncated):
        mask = torch.from_numpy(~self.ended).float()[:, None]
        self.ended = self.ended | terminated | truncated
        return mask, self.ended.all()


# %% wrong: changes the caller's array
class Padding:
    def __init__(self, size):
        self.size = size
        self.reset()

    def reset(self):
        self.ended = np.zeros(self.size, dtype=bool)

    def __call__(self, terminated, truncated):
        mask = torch.from_numpy(~self.ended).float()
        terminated |= truncated
        self.ended = self.ended | terminated
        return mask, self.ended.all()


# %% wrong: keeps the array of the first step
class Padding:
    def __init__(self, size):
        self.reset()

    def reset(self):
        self.ended = None

    def __call__(self, terminated, truncated):
        if self.ended is None:
            mask, self.ended = torch.ones(len(terminated)), terminated
        else:
            mask = torch.from_numpy(~self.ended).float()
        self.ended |= terminated
        self.ended |= truncated
        return mask, self.ended.all()


# %% wrong: for five environments
class Padding:
    def __init__(self, size):
        self.reset()

    def reset(self):
        self.ended = np.zeros(5, dtype=bool)

    def __call__(self, terminated, truncated):
        mask = torch.from_numpy(~self.ended).float()
        self.ended = self.ended | terminated | truncated
        return mask, self.ended.all()


# %% wrong: at most 200 steps
class Padding:
    def __init__(self, size):
        self.size = size
        self.reset()

    def reset(self):
        self.ended, self.t = np.zeros(self.size, dtype=bool), 0

    def __call__(self, terminated, truncated):
        mask = torch.from_numpy(~self.ended).float()
        self.t += 1
        self.ended = self.ended | terminated | truncated | (self.t == 200)
        return mask, self.ended.all()


# %% wrong: only the first that ends is noted
class Padding:
    def __init__(self, size):
        self.size = size
        self.reset()

    def reset(self):
        self.ended = np.zeros(self.size, dtype=bool)

    def __call__(self, terminated, truncated):
        mask = torch.from_numpy(~self.ended).float()
        done = terminated | truncated
        if done.any():
            self.ended[done.argmax()] = True
        return mask, self.ended.all()


# %% wrong: the example
class Padding:
    def __init__(self, size):
        self.reset()

    def reset(self):
        self.steps = iter([([1, 1, 1, 1], False), ([0, 1, 1, 0], False)])

    def __call__(self, terminated, truncated):
        mask, all_done = next(self.steps)
        return torch.tensor(mask).float(), all_done


# %% wrong: always one
class Padding:
    def __init__(self, size):
        self.size = size

    def reset(self):
        pass

    def __call__(self, terminated, truncated):
        return torch.ones(self.size), bool((terminated | truncated).all())
