# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Numbers from a file
#
# [Open in Colab]({{colab}})

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
{{setup()}}

# %% nbgrader={"grade": false, "grade_id": "imports", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from policy_gradients.checks import Checks, close

steps, rewards = np.loadtxt("data/rewards.csv", delimiter=",", skiprows=1, unpack=True)

# %% [markdown]
# *2 points*
#
# Write a function for the mean of the last rewards in a file.

# %% nbgrader={"grade": false, "grade_id": "last_mean", "locked": false, "schema_version": 3, "solution": true, "task": false}
def last_mean(path, number):
    """The mean of the last rewards in the file."""
    ### BEGIN SOLUTION
    return np.loadtxt(path, delimiter=",", skiprows=1)[-number:, 1].mean()
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_last_mean", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import numpy as np

check = Checks("last_mean", points=2)
with check("the last two", hint="Are only the last ones averaged?"):
    close(last_mean("data/rewards.csv", 2), 2.5)
### BEGIN HIDDEN TESTS
check.hide()
with check("any number of them", hint="Is it the mean of as many rewards?"):
    rewards = np.loadtxt("data/rewards.csv", delimiter=",", skiprows=1)[:, 1]
    close(last_mean("data/rewards.csv", 7), rewards[-7:].mean())
### END HIDDEN TESTS
check.score()

# %% tags=["training"]
rewards.sum()
