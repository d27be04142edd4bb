"""Stands in for Colab's own package in a worker, so that cells written for Colab run to their end.

Nothing of Colab is behind it: a drive is an empty folder, nobody uploads a file, there are no secrets, and
what would be shown is shown to nobody. The module is imported only when a notebook asks for it, and the
shell has no "google.colab" in its name: code that looks for Colab in one of these ways finds none.
"""

from google.colab import auth, data_table, drive, files, output, patches, runtime, userdata

__all__ = ["auth", "data_table", "drive", "files", "output", "patches", "runtime", "userdata"]
