# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A class with methods

# %% nbgrader={"grade": false, "grade_id": "imports", "locked": true, "schema_version": 3, "solution": false, "task": false}
from policy_gradients.checks import Checks, close

# %% [markdown]
# *4 points*
#
# Write the class `ReplayBuffer`: it keeps the last `size` transitions.

# %% nbgrader={"grade": false, "grade_id": "ReplayBuffer", "locked": false, "schema_version": 3, "solution": true, "task": false}
class ReplayBuffer:
    """Keeps the last size items: ReplayBuffer(2) that has seen 1, 2, 3 holds [2, 3]."""
    ### BEGIN SOLUTION
    kind = "ring"

    def __init__(self, size):
        self.size = size
        self.items = []

    @classmethod
    def of(cls, items):
        buffer = cls(len(items))
        for item in items:
            buffer.add(item)
        return buffer

    def add(self, item):
        self.items = [*self.items, item][-self.size :]

    @property
    def full(self):
        return len(self.items) == self.size

    def merged(self, other):
        return ReplayBuffer.of([*self.items, *other.items])

    def __len__(self):
        return len(self.items)

    def __getitem__(self, place):
        return self.items[place]

    def __call__(self, place):
        return self[place]

    def __str__(self):
        return f"{len(self)} of {self.size}"
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_ReplayBuffer", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check = Checks("ReplayBuffer", points=4)
with check("it holds what was added", hint="Is the item kept?"):
    buffer = ReplayBuffer(2)
    buffer.add(1.0)
    close(buffer.items, [1.0])
    assert buffer.size == 2 and len(buffer) == 1 and str(buffer) == "1 of 2"
### BEGIN HIDDEN TESTS
check.hide()
with check("the oldest makes room", hint="Is the oldest one dropped?"):
    buffer = ReplayBuffer(size=2)
    assert not buffer and not buffer.full
    for item in (1, 2, 3):
        buffer.add(item)
    assert buffer.full and buffer[0] == 2 and buffer(1) == 3 and list(buffer) == [2, 3]
with check("two buffers do not disturb each other", hint="Is anything kept in the class?"):
    one, other = ReplayBuffer(3), ReplayBuffer(3)
    one.add("a")
    other.add("b")
    assert (one.items, other.items, one.merged(other).items) == (["a"], ["b"], ["a", "b"])
with check("the size can be changed", hint="Is the attribute read at each call?"):
    buffer = ReplayBuffer.of([1, 2, 3])
    buffer.size = 2
    buffer.add(4)
    assert buffer.items == [3, 4] and ReplayBuffer.kind == "ring"
    assert not hasattr(buffer, "nothing") and getattr(buffer, "nothing", 5) == 5
### END HIDDEN TESTS
check.score()
