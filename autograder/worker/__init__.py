"""What runs inside the sandbox: the warm template, the worker it forks for a notebook, and what holds that.

Nothing of the grader is imported here but the protocol: a worker sees no other file of it.
"""
