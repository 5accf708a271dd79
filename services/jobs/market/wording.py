"""Numbers of things, as the sentences and notes of jobs name them."""


def several(number: int, thing: str) -> str:
    """`1 bar`, `2 bars`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
