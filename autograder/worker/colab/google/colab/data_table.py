"""Tables are shown to nobody."""


def enable_dataframe_formatter() -> None:
    """Do nothing."""


def disable_dataframe_formatter() -> None:
    """Do nothing."""


class DataTable:
    """A table that is not drawn."""

    def __init__(self, dataframe: object, **options: object) -> None:
        self.dataframe = dataframe
