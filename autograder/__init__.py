"""The instructor's side: masters, release, the grading engine, the gradebook."""

import sys

# A grammar of web addresses that nbformat's validation never uses; its import takes more than a second.
sys.modules.setdefault("rfc3987_syntax", None)
