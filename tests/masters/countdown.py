# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A class to write

# %% nbgrader={"grade": false, "grade_id": "imports", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from policy_gradients.checks import Checks, close

# %% nbgrader={"grade": false, "grade_id": "Countdown", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Countdown:
    """Countdown(n): each call returns what is left, and reset() begins again."""
    ### BEGIN SOLUTION
    def __init__(self, n):
        self.n = self.left = n

    def reset(self):
        self.left = self.n

    def __call__(self, step=1):
        self.left -= step
        return self.left
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_Countdown", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check = Checks("Countdown", points=4)
with check("each call counts down", hint="Is the number kept?"):
    countdown = Countdown(5)
    close([countdown(), countdown(2)], [4, 2])
### BEGIN HIDDEN TESTS
check.hide()
with check("reset begins again", hint="Is the first number kept?"):
    countdown = Countdown(7)
    countdown()
    countdown.reset()
    close(countdown(), 6)
with check("two of them do not disturb each other", hint="Is anything kept in the class?"):
    one, other = Countdown(3), Countdown(30)
    close([one(), other(), one(), other()], [2, 29, 1, 28])
with check("its state can be read where it lives", hint="Is there an attribute left?"):
    one = Countdown(3)
    one()
    close(check.evaluate("one.left", one=one), 2)
### END HIDDEN TESTS
check.score()
