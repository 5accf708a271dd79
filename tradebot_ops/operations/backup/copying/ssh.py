"""A copy on another host, through OpenSSH: one connection writes all files as a tar, and the host reads them back."""

import re
import shlex
import shutil
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from tradebot_ops.backups.shelf import Backup
from tradebot_ops.errors import OpsError
from tradebot_ops.text.sentences import ended

#: ``nas:/srv/backups`` or ``backup@nas:backups``, as scp has it; a colon behind a slash belongs to a path.
_REMOTE = re.compile(r"(?P<host>(?:[\w.-]+@)?[\w.-]+):(?P<folder>[^:]+)")
#: Nobody is there to type a password, and a host that is away fails soon.
OPTIONS = ("-o", "BatchMode=yes", "-o", "ConnectTimeout=15", "-o", "ServerAliveInterval=15")


def is_remote(destination: str) -> bool:
    return _REMOTE.fullmatch(destination) is not None


@dataclass(frozen=True)
class SshCopy:
    """Where it comes to lie; a folder that does not begin with a slash starts in the home of the user there."""

    destination: str
    project: str
    backup: Backup
    environ: Mapping[str, str]

    @property
    def place(self) -> str:
        return f"{self.destination.rstrip('/')}/{self.project}/{self.backup.id}"

    @property
    def apart(self) -> bool:
        return True

    def check(self) -> None:
        """Raises ``OpsError`` TB-0571 where there is no ssh."""
        if shutil.which("ssh", path=self.environ.get("PATH")) is None:
            message = f"{self.destination} is another host, and there is no ssh here."
            raise OpsError(message, code="TB-0571", hint="apt-get install openssh-client")

    def put(self, names: Sequence[str]) -> bool:
        """Write what is not there yet, under a draft's name until all of it is on the disk; whether it wrote."""
        root, folder, draft = map(shlex.quote, self._folders())
        script = (
            f"test -d {root} || {{ echo 'There is no folder '{root} >&2; exit 1; }}; "
            f"if test -e {folder}; then echo there; exit 0; fi; "
            f"umask 077 && rm -rf {draft} && mkdir -p {draft} && tar -xf - -C {draft} && sync && "
            f"mv {draft} {folder} && sync && echo written"
        )
        return "written" in self._run(script, names).split()

    def sums(self, names: Sequence[str]) -> Mapping[str, str]:
        """Checksums of the files as that host reads them; a file that is away has none."""
        _, folder, _ = self._folders()
        listed = self._run(f"cd {shlex.quote(folder)} && sha256sum -- {shlex.join(names)} || true")
        lines = (line.split(maxsplit=1) for line in listed.splitlines())
        return {words[1].lstrip("*"): words[0] for words in lines if len(words) > 1}  # a host may greet, too

    def _folders(self) -> tuple[str, str, str]:
        """The folder that was named, that of the copy, and that of the copy until it is whole."""
        matched = _REMOTE.fullmatch(self.destination)
        root = matched["folder"].removeprefix("~/").rstrip("/") or "/" if matched else ""
        shelf = f"{root.rstrip('/')}/{self.project}"
        return root, f"{shelf}/{self.backup.id}", f"{shelf}/.{self.backup.id}.unfinished"

    def _run(self, script: str, names: Sequence[str] = ()) -> str:
        """Output of the script; files go to its input as a tar. Raises ``OpsError`` TB-0570."""
        host = self.destination.partition(":")[0]
        command = ["ssh", *OPTIONS, host, script]
        with subprocess.Popen(
            command,
            env=dict(self.environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            if process.stdin is not None:
                self._send(process.stdin, names)
            out, err = process.communicate()
        if process.returncode != 0:
            lines = [line for line in err.decode(errors="replace").splitlines() if line.strip()]
            raise OpsError(
                f"{host} did not take the copy: {ended(lines[-1] if lines else f'exit code {process.returncode}')}",
                code="TB-0570",
                hint=f"Try it yourself: ssh {host} true",
                detail=tuple(lines[-5:]),
            )
        return out.decode(errors="replace")

    def _send(self, stream: IO[bytes], names: Sequence[str]) -> None:
        """All files in one stream; a host that ends before it has read them says why on its stderr."""
        try:
            if names:
                with tarfile.open(fileobj=stream, mode="w|") as archive:
                    for name in names:
                        archive.add(self.backup.folder / name, arcname=name)
            stream.flush()
        except BrokenPipeError:
            return
