"""Sentences made of the words of other programs, which end as they like."""


def ended(text: str) -> str:
    """The text with a full stop, unless it ends like a sentence already."""
    text = text.rstrip()
    return text if text.endswith((".", "!", "?")) else f"{text}."
