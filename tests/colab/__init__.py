"""Whether the assignments work in Google Colab, tried without it: `python -m tests.colab [NAME ...]`.

`packages-DATE.txt` is what Colab's CPU runtime has installed, published by Google (googlecolab/backend-info).
"""
