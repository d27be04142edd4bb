"""The sample class: invented students, what they hand in, and the points they must get."""
