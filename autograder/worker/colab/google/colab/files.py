"""No browser is connected, so no file is uploaded or downloaded."""


class _NothingUploaded(dict):
    """What an upload without files gives; asked for a file, it says why there is none."""

    def __missing__(self, name: str) -> bytes:
        raise FileNotFoundError(f"{name}: nobody uploads files when a notebook is graded")


def upload(target_dir: str = "") -> dict[str, bytes]:
    """No files."""
    return _NothingUploaded()


def upload_file(filename: str) -> str:
    """Raises FileNotFoundError, as no file is chosen."""
    raise FileNotFoundError(f"{filename}: nobody uploads files when a notebook is graded")


def download(filename: str) -> None:
    """Do nothing."""


def view(filepath: str) -> None:
    """Do nothing."""
