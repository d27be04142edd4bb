"""What chapters, assignments and solutions import; holds no graded answer."""
