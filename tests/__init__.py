"""Tests of the course: what the notebooks import, the masters, the grading engine, the book."""
