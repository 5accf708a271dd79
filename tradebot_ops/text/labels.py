"""What one replica is called: in tables, logs, file names and the answers of other programs."""


def label(service: str, number: int) -> str:
    """``worker-2``."""
    return f"{service}-{number}"


class Labelled:
    """Something that is about one replica."""

    service: str
    number: int

    @property
    def label(self) -> str:
        """``worker-2``."""
        return label(self.service, self.number)
