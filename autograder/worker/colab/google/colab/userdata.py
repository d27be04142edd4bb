"""No secrets are kept here."""


class SecretNotFoundError(Exception):
    """Raised for every secret, as Colab does for one that was not stored."""

    def __init__(self, key: str) -> None:
        super().__init__(f"Secret {key} does not exist: a notebook has no secrets when it is graded.")


class NotebookAccessError(Exception):
    """Raised by Colab when a notebook may not read a secret."""


class TimeoutException(Exception):
    """Raised by Colab when nobody grants access to a secret."""


def get(key: str) -> str:
    """Raises SecretNotFoundError."""
    raise SecretNotFoundError(key)
