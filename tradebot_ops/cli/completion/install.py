"""Where each shell finds its completion, and what is written there."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report, Section
from tradebot_ops.private_folder import writable

SHELLS = ("bash", "zsh", "fish")
_SCRIPTS = Path(__file__).with_name("shells")


@dataclass(frozen=True)
class Places:
    """The file that holds the functions, and the file of the person's own that reads it, if the shell needs that."""

    script: Path
    reader: Path | None = None


def script(shell: str) -> str:
    """The text that the shell has to read. Raises ``OpsError`` TB-0223 for a shell that is not known."""
    if shell not in SHELLS:
        raise OpsError(
            f"There is no completion for '{shell}'." if shell else "Which shell is meant cannot be seen from SHELL.",
            code="TB-0223",
            hint=f"Name one of: {', '.join(SHELLS)}.",
        )
    return (_SCRIPTS / f"tradebot.{shell}").read_text(encoding="utf-8")


def shell_of(environ: Mapping[str, str], typed: str | None) -> str:
    """The shell that was named, else the one that the person logs in with."""
    return typed or Path(environ.get("SHELL", "")).name


def show(shell: str) -> Report:
    text = script(shell)
    return Report(data={"shell": shell, "script": text}, sections=(Section(lines=tuple(text.splitlines())),))


def install(shell: str, environ: Mapping[str, str]) -> Report:
    """Write the script, and one line that reads it where the shell does not look by itself; nothing is written twice.

    Raises ``OpsError`` TB-0223 for a shell that is not known, TB-0802 where a file cannot be written.
    """
    text, places = script(shell), _places(shell, environ)
    lines = [_written(places.script, text)]
    undo = [f"rm {places.script}"]
    if places.reader is not None:
        line = f"[ ! -r '{places.script}' ] || . '{places.script}'  # completion of tradebot"
        lines.append(_added(places.reader, line))
        undo.append(f"take the line that ends in '# completion of tradebot' out of {places.reader}")
    files = [str(each) for each in (places.script, places.reader) if each]
    return Report(
        data={"shell": shell, "files": files},
        sections=(Section(lines=(*lines, f"New {shell}es have it. To undo it: {'; '.join(undo)}.")),),
    )


def _places(shell: str, environ: Mapping[str, str]) -> Places:
    home = Path(environ.get("HOME") or Path.home())
    data = Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share") / "tradebot"
    config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    return {
        "bash": Places(data / "completion.bash", home / ".bashrc"),
        "zsh": Places(data / "completion.zsh", Path(environ.get("ZDOTDIR") or home) / ".zshrc"),
        "fish": Places(config / "fish" / "completions" / "tradebot.fish"),
    }[shell]


def _written(path: Path, text: str) -> str:
    with writable(path):
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            return f"{path} is as it should be."
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return f"Wrote {path}."


def _added(path: Path, line: str) -> str:
    with writable(path):
        text = path.read_text(encoding="utf-8", errors="surrogateescape") if path.exists() else ""
        if line in text.splitlines():
            return f"{path} reads it already."
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{'' if not text or text.endswith(chr(10)) else chr(10)}{line}\n")
    return f"Added one line to {path}."
