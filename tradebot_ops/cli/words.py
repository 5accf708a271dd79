"""The words of a call: global options may stand before or after the command. Loads nothing, for the Tab key's sake."""

from collections.abc import Mapping, Sequence

#: Short options that mean something of their own to some commands, as they do to Compose's: ``--follow``, where the
#: compose file is ``--file`` only, and ``--volumes``.
OWN = {"-f": {"logs", "events"}, "-v": {"down"}}


def hoist(words: Sequence[str], options: Mapping[str, bool]) -> list[str]:
    """Move global options to the front, so that they may stand before or after the command."""
    front, rest = parted(words, options)
    return front + rest


def parted(words: Sequence[str], options: Mapping[str, bool]) -> tuple[list[str], list[str]]:
    """The global options with their values, and the rest.

    Nothing after ``--`` is moved: it belongs to the program that ``exec`` runs. Nor is an option at the very end
    whose value is missing: in front it would take the command for its value.
    """
    front: list[str] = []
    rest: list[str] = []
    command = ""
    waiting = iter(words)
    for word in waiting:
        if word == "--":
            rest += [word, *waiting]
            break
        option = _spelling(word, options)
        known = option in options and not (command in OWN.get(option, ()) and (options[option] or word == option))
        if not known:
            command = command or ("" if word.startswith("-") else word)
            rest.append(word)
            continue
        wants_value = options[option] and option == word
        value = next(waiting, None) if wants_value else None
        (rest if wants_value and value is None else front).append(word)
        front += [] if value is None else [value]
    return front, rest


def _spelling(word: str, options: Mapping[str, bool]) -> str:
    """The option a word spells: ``--project=x``, ``-px`` and ``-vv`` carry more than the name."""
    if word.startswith("--"):
        return word.partition("=")[0]
    if len(word) > 2 and word[:2] in options:
        is_flags = all(options.get(f"-{letter}") is False for letter in word[1:])
        return word[:2] if options[word[:2]] or is_flags else word
    return word
