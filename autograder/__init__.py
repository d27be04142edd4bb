"""The instructor's side: masters, release, the grading engine, the gradebook."""

import logging
import sys

# Who runs the grader decides where its log goes; without a decision, tracebacks go nowhere.
logging.getLogger(__name__).addHandler(logging.NullHandler())

# A grammar of web addresses that nbformat's validation never uses; its import takes more than a second.
sys.modules.setdefault("rfc3987_syntax", None)
