"""Help and complaints in one voice: values are named for the thing they are, summaries are whole."""

import re
from typing import Any

from tradebot_ops.text.sentences import ended

#: What stands after an option, where its declaration names nothing else. An argument is called as its parameter is.
_METAVARS = {
    "--comment": "TEXT",
    "--every": "SECONDS",
    "--for": "TIME",
    "--from": "SOURCE",
    "--grep": "PATTERN",
    "--level": "LEVEL",
    "--limit": "NUMBER",
    "--min-score": "NUMBER",
    "--output-file": "FILE",
    "--period": "TIME",
    "--port": "PORT",
    "--range": "TIME",
    "--reason": "TEXT",
    "--receiver": "NAME",
    "--since": "TIME",
    "--state": "STATE",
    "--step": "TIME",
    "--tail": "LINES",
    "--type": "TYPE",
    "--window": "TIME",
}
#: The words of pydantic, which reads the values, and ours.
_VALUES = (
    (r"Input should be a valid integer.*", "it is no whole number"),
    (r"Input should be a valid number.*", "it is no number"),
    (r"Input should be greater than or equal to (\S+)", r"the least is \1"),
    (r"Input should be less than or equal to (\S+)", r"the most is \1"),
    (r"Input should be greater than (\S+)", r"it must be more than \1"),
    (r"Input should be less than (\S+)", r"it must be less than \1"),
    (r"Input should be a valid boolean.*", "it is neither yes nor no"),
    (r"Input is not a valid path.*", "it is no path"),
    (r"Input should be (.*)", r"it must be \1"),
)
#: The words of the parser, and ours.
_SENTENCES = (
    (r"Got unexpected extra argument(?:\(s\)|s)? \((.*)\)", r"There is no place for '\1'"),
    (r"No such option: (\S+)(?: \(Possible options: (.*)\))?", r"There is no option '\1' here"),
    (r"No such command '(.*?)'", r"There is no command '\1'"),
    (r"Missing argument '(.*?)'", r"\1 is missing"),
    (r"Missing option '(.*?)'", r"The option \1 is missing"),
    (r"Option '(.*?)' requires an argument", r"The option \1 needs a value"),
    (r"Option '(.*?)' does not take a value", r"The option \1 takes no value"),
    (r"Invalid value for '(.*?)': (.*)", r"The value of \1 cannot be used: \2"),
)


def clarified(command: Any) -> None:
    """Name the values of a command's options and arguments, and let its line in the help of its group be whole."""
    command.short_help = command.short_help or _summary(command.help or "")
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            parameter.metavar = parameter.metavar or _singular(parameter.name).upper()
            parameter.display_type_rich = _nothing  # the name of the thing says more than its type
        elif not parameter.is_flag and not parameter.count:
            parameter.metavar = parameter.metavar or next(
                (_METAVARS[each] for each in parameter.opts if each in _METAVARS), None
            )


def _nothing(ctx: Any) -> str:
    del ctx
    return ""


def _singular(name: str) -> str:
    """``services`` may be given several times, and each is a service."""
    return name.strip("_").replace("_", "-").removesuffix("s")


def _summary(text: str) -> str:
    """The first paragraph, on one line."""
    return " ".join(text.strip().partition("\n\n")[0].split())


def sentence(complaint: str) -> str:
    """The parser's complaint in our words: one sentence, and a question where a word is close."""
    text, mark, question = " ".join(complaint.split()).partition(" Did you mean ")
    for pattern, ours in _VALUES:
        text = re.sub(pattern, ours, text)
    for pattern, ours in _SENTENCES:
        if re.match(pattern, text):
            text = re.sub(pattern, ours, text, count=1)
            break
    text = ended(text[:1].upper() + text[1:] if not text.startswith("'-") else text)
    return f"{text}{mark}{question}"
