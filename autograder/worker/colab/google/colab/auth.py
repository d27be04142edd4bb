"""Nobody signs in."""


def authenticate_user(clear_output: bool = True, project_id: str | None = None) -> None:
    """Do nothing."""
