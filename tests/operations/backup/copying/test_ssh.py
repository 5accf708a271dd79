"""What another host is told to do, done by a shell of this one in place of it."""

import os
import tarfile
from pathlib import Path

import pytest

from tests.backups.test_shelf import put
from tests.operations.seen import refusal
from tradebot_ops.backups.shelf import SUMS, Backup, Shelf, sha256
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.backup.copying.ssh import SshCopy, is_remote

NAMES = ("manifest.json", "postgres.dump", SUMS)


def host(folder: Path, script: str = 'cd "$(dirname "$0")/../home" && exec sh -c "$last"') -> dict[str, str]:
    """The environment of a shell whose ssh runs what the host is told in a home of its own."""
    program = folder / "bin" / "ssh"
    program.parent.mkdir()
    (folder / "home").mkdir()
    program.write_text(f'#!/bin/sh\nfor last in "$@"; do :; done\n{script}\n')
    program.chmod(0o755)
    return {"PATH": f"{program.parent}:{os.environ['PATH']}"}


@pytest.fixture
def backup(tmp_path: Path) -> Backup:
    return put(Shelf(tmp_path / "backups" / "demo"))


@pytest.mark.parametrize("text", ["nas:/srv/backups", "backup@nas.lan:backups", "10.0.0.7:~/b"])
def test_a_host(text: str) -> None:
    assert is_remote(text)


@pytest.mark.parametrize("text", ["/mnt/usb", "usb", "./a:b", "/mnt/a:b", "nas:", ":/x", "a b:/x", "-oProxy=x y:/z"])
def test_a_folder(text: str) -> None:
    assert not is_remote(text)


@pytest.mark.parametrize("named", ["my 'own' $backups", "~/my 'own' $backups/"])
def test_it_is_a_backup_there(named: str, tmp_path: Path, backup: Backup) -> None:
    target = SshCopy(f"backup@nas:{named}", "demo", backup, host(tmp_path))
    root = tmp_path / "home" / "my 'own' $backups"
    root.mkdir()
    target.check()
    assert target.put(NAMES)
    (there,) = Shelf(root / "demo").all()
    assert (there.id, there.damaged_files()) == (backup.id, ())
    assert {path.stat().st_mode & 0o077 for path in there.folder.iterdir()} == {0}
    assert target.sums(NAMES) == {name: sha256(backup.folder / name) for name in NAMES}
    assert not target.put(NAMES), "it is there already"
    (there.folder / "postgres.dump").unlink()
    assert target.sums(NAMES).keys() == {"manifest.json", SUMS}


def test_a_large_one_that_is_there_already_is_not_sent_to_its_end(tmp_path: Path) -> None:
    backup = put(Shelf(tmp_path / "backups" / "demo"), text=os.urandom(4 << 20))
    target = SshCopy("nas:.", "demo", backup, host(tmp_path))
    assert target.put(NAMES)
    assert not target.put(NAMES)


def test_a_disk_that_is_not_mounted_there(tmp_path: Path, backup: Backup) -> None:
    with pytest.raises(OpsError) as caught:
        SshCopy("nas:/not/mounted", "demo", backup, host(tmp_path)).put(NAMES)
    assert caught.value.code == "TB-0570"
    assert caught.value.message == "nas did not take the copy: There is no folder /not/mounted."


def test_a_host_that_does_not_answer(tmp_path: Path, backup: Backup) -> None:
    environ = host(tmp_path, 'echo "ssh: connect to host nas port 22: Connection refused" >&2; exit 255')
    with pytest.raises(OpsError) as caught:
        SshCopy("me@nas:/srv", "demo", backup, environ).put(NAMES)
    assert caught.value.message == (
        "me@nas did not take the copy: ssh: connect to host nas port 22: Connection refused."
    )
    assert caught.value.hint == "Try it yourself: ssh me@nas true"


def test_what_breaks_off_there_leaves_no_backup(tmp_path: Path, backup: Backup) -> None:
    cut = host(tmp_path, 'cd "$(dirname "$0")/../home" && head -c 2000 | sh -c "$last"')
    target = SshCopy("nas:.", "demo", backup, cut)
    with pytest.raises(OpsError):
        target.put(NAMES)
    assert Shelf(tmp_path / "home" / "demo").all() == ()


def test_without_ssh(tmp_path: Path, backup: Backup) -> None:
    with pytest.raises(OpsError) as caught:
        SshCopy("nas:/srv", "demo", backup, {"PATH": str(tmp_path)}).check()
    assert caught.value.code == "TB-0571"


def test_what_is_typed_there(tmp_path: Path, backup: Backup) -> None:
    """The words of ssh, the script and what it is given, each in full."""
    words = 'cat > "$(dirname "$0")/../given"; printf "%s\\n" "$@" > "$(dirname "$0")/../typed"; echo written'
    environ = host(tmp_path, words)
    target = SshCopy("me@nas:/srv/b/", "demo", backup, environ)
    assert target.place == f"me@nas:/srv/b/demo/{backup.id}"
    assert target.apart
    assert target.put(NAMES)
    folder, draft = f"/srv/b/demo/{backup.id}", f"/srv/b/demo/.{backup.id}.unfinished"
    script = (
        "test -d /srv/b || { echo 'There is no folder '/srv/b >&2; exit 1; }; "
        f"if test -e {folder}; then echo there; exit 0; fi; "
        f"umask 077 && rm -rf {draft} && mkdir -p {draft} && tar -xf - -C {draft} && sync && "
        f"mv {draft} {folder} && sync && echo written"
    )
    options = ["-o", "BatchMode=yes", "-o", "ConnectTimeout=15", "-o", "ServerAliveInterval=15"]
    assert (tmp_path / "typed").read_text().splitlines() == [
        *options,
        "me@nas",
        script,
    ]
    with tarfile.open(tmp_path / "given") as archive:
        assert archive.getnames() == list(NAMES)
    assert target.sums(NAMES) == {}
    assert (tmp_path / "typed").read_text().splitlines()[6:] == [
        "me@nas",
        f"cd {folder} && sha256sum -- {' '.join(NAMES)} || true",
    ]
    assert (tmp_path / "given").read_bytes() == b""


@pytest.mark.parametrize(
    ("named", "folders"),
    [
        ("nas:b", ("b", "b/demo/ID", "b/demo/.ID.unfinished")),
        ("nas:~/b/", ("b", "b/demo/ID", "b/demo/.ID.unfinished")),
        ("nas:/", ("/", "/demo/ID", "/demo/.ID.unfinished")),
        ("nas:/srv//", ("/srv", "/srv/demo/ID", "/srv/demo/.ID.unfinished")),
    ],
)
def test_folders_there(backup: Backup, named: str, folders: tuple[str, str, str]) -> None:
    found = SshCopy(named, "demo", backup, {})._folders()
    assert tuple(each.replace(backup.id, "ID") for each in found) == folders


@pytest.mark.parametrize(
    ("says", "message", "detail"),
    [
        ("exit 3", "exit code 3.", ()),
        ("echo >&2; echo one >&2; echo two. >&2; exit 1", "two.", ("one", "two.")),
        ("seq 7 >&2; exit 1", "7.", ("3", "4", "5", "6", "7")),
        ("printf 'no\\377' >&2; exit 1", "no\ufffd.", ("no\ufffd",)),
    ],
)
def test_what_a_host_says_that_refuses(
    tmp_path: Path, backup: Backup, says: str, message: str, detail: tuple[str, ...]
) -> None:
    with pytest.raises(OpsError) as caught:
        SshCopy("nas:b", "demo", backup, host(tmp_path, says)).put(NAMES)
    said = f"nas did not take the copy: {message}"
    assert refusal(caught.value) == ("TB-0570", said, "Try it yourself: ssh nas true")
    assert caught.value.detail == detail


def test_checksums_as_that_host_lists_them(tmp_path: Path, backup: Backup) -> None:
    lines = "echo; echo Welcome; echo '12  manifest.json'; echo '34 *postgres.dump'; printf '56  \\377\\n'"
    found = SshCopy("nas:b", "demo", backup, host(tmp_path, lines)).sums(NAMES)
    assert found == {"manifest.json": "12", "postgres.dump": "34", "\ufffd": "56"}


def test_a_host_without_ssh_says_what_to_install(tmp_path: Path, backup: Backup) -> None:
    with pytest.raises(OpsError) as caught:
        SshCopy("me@nas:/srv", "demo", backup, {"PATH": str(tmp_path)}).check()
    why = "me@nas:/srv is another host, and there is no ssh here."
    assert refusal(caught.value) == ("TB-0571", why, "apt-get install openssh-client")
