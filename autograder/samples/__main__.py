"""`python -m autograder.samples [NAME ...]` writes the sample class (of all assignments by default)."""

import sys

from autograder.samples import generate
from autograder.samples.students import CLASSES

for name in sys.argv[1:] or CLASSES:
    generate.write(name)
