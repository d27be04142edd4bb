"""The instructor's side: masters, release, the grading engine, the gradebook."""
