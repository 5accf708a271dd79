"""Lines for systemd and cron that find the same stack from anywhere."""

import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.operations.seen import refusal
from tests.operations.test_change import world
from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.backup.schedule import schedule


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    folder = tmp_path / "my 100% stack"
    folder.mkdir()
    return world(folder, TRADEBOT_BACKUPS=str(tmp_path / "backups"))


def files(ops: Ops, form: str, at: str = "3:15") -> dict[str, str]:
    data: Any = schedule(ops, at, 14, form).data
    return dict(data["files"])


def test_units_name_stack_project_engine_and_backups(ops: Ops, tmp_path: Path) -> None:
    found = files(ops, "systemd")
    assert list(found) == ["tradebot-backup-demo.service", "tradebot-backup-demo.timer"]
    service, timer = found.values()
    assert "OnCalendar=*-*-* 03:15:00\n" in timer
    assert "Persistent=true\n" in timer
    assert f"Environment=TRADEBOT_BACKUPS={tmp_path / 'backups'}\n" in service
    create, verify = [line for line in service.splitlines() if line.startswith("ExecStart=")]
    assert "-p demo --engine stub" in create
    assert create.endswith("backup create --keep 14 --quiet")
    assert verify.endswith("backup verify latest --quiet")
    assert '100%% stack/compose.yaml"' in create


@pytest.mark.parametrize(("destination", "meant"), [("usb", "{folder}/usb"), ("nas:backups", "nas:backups")])
def test_each_is_copied_once_it_is_proved(destination: str, meant: str, ops: Ops) -> None:
    data: Any = schedule(ops, "3:15", 14, "cron", destination).data
    line = data["files"]["crontab"].rstrip().split(" ", 5)[5].replace("\\%", "%")
    words = shlex.split(line.rpartition(" && ")[2])
    assert words[-5:] == ["backup", "copy", "latest", meant.format(folder=ops.settings.cwd), "--quiet"]


def test_systemd_reads_the_units(ops: Ops, tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd is not installed")
    for name, text in files(ops, "systemd").items():
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        [program, "verify", "--man=no", str(tmp_path / "tradebot-backup-demo.timer")],
        capture_output=True,
        text=True,
        check=False,
    )
    complaints = [line for line in done.stderr.splitlines() if "tradebot-backup" in line]
    assert [line for line in complaints if "is not executable" not in line and "Failed" not in line] == []


def test_a_line_for_cron_survives_its_percent_signs(ops: Ops) -> None:
    line = files(ops, "cron")["crontab"]
    assert line.count("\n") == 1
    fields = line.split(" ", 5)
    assert fields[:5] == ["15", "3", "*", "*", "*"]
    assert "%" not in fields[5].replace("\\%", "")
    words = shlex.split(fields[5].replace("\\%", "%"))
    assert str(ops.settings.cwd) in words
    assert words.count("&&") == 2


@pytest.mark.parametrize("at", ["25:00", "3", "03:60", "soon", "-1:00", "03:15:00"])
def test_what_is_no_time(ops: Ops, at: str) -> None:
    with pytest.raises(OpsError) as caught:
        files(ops, "cron", at)
    assert caught.value.code == "TB-0272"


def test_what_is_no_scheduler(ops: Ops) -> None:
    with pytest.raises(OpsError) as caught:
        files(ops, "at")
    assert caught.value.code == "TB-0272"


def test_the_units_in_full(ops: Ops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tradebot_ops.operations.unattended.typed._program", lambda: "/bin/tradebot")
    monkeypatch.setattr("tradebot_ops.operations.backup.schedule.carried", lambda _: {"ONE": "a b", "TWO": "2"})
    monkeypatch.setattr(
        "tradebot_ops.operations.backup.schedule.call", lambda _, *words: ["/bin/tradebot", *words, "$5"]
    )
    report = schedule(ops, "3:05", 14, "systemd", "nas:b")
    service = [
        "[Unit]",
        "Description=Back up demo, and prove that it restores",
        "",
        "[Service]",
        "Type=oneshot",
        f"WorkingDirectory={str(ops.settings.cwd).replace('%', '%%')}",
        'Environment="ONE=a b"',
        "Environment=TWO=2",
        "ExecStart=/bin/tradebot backup create --keep 14 $$5",
        "ExecStart=/bin/tradebot backup verify latest $$5",
        "ExecStart=/bin/tradebot backup copy latest nas:b $$5",
    ]
    timer = [
        "[Unit]",
        "Description=When tradebot-backup-demo.service runs",
        "",
        "[Timer]",
        "OnCalendar=*-*-* 03:05:00",
        "Persistent=true",
        "",
        "[Install]",
        "WantedBy=timers.target",
    ]
    name = "tradebot-backup-demo"
    files = {f"{name}.service": service, f"{name}.timer": timer}
    assert report.data == {"files": {title: "".join(f"{line}\n" for line in lines) for title, lines in files.items()}}
    enable = f"systemctl --user enable --now {name}.timer"
    assert [(section.title, list(section.lines)) for section in report.sections] == [
        *files.items(),
        (
            "Next",
            [
                f"Write both files into ~/.config/systemd/user, and then: {enable}",
                "So that it runs while you are not logged in: loginctl enable-linger",
            ],
        ),
    ]


def test_the_line_for_cron_in_full(ops: Ops, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tradebot_ops.operations.backup.schedule.carried", lambda _: {"ONE": "a b", "TWO": "5%"})
    monkeypatch.setattr("tradebot_ops.operations.backup.schedule.call", lambda _, *words: ["/bin/tradebot", *words])
    report = schedule(ops, "23:59", 2, "cron")
    folder = shlex.quote(str(ops.settings.cwd)).replace("%", "\\%")
    given = "ONE='a b' TWO=5\\%"
    line = (
        f"59 23 * * * cd {folder} && {given} /bin/tradebot backup create --keep 2 && "
        f"{given} /bin/tradebot backup verify latest"
    )
    assert report.data == {"files": {"crontab": f"{line}\n"}}
    assert [(section.title, section.lines) for section in report.sections] == [
        ("crontab", (line,)),
        ("Next", ("Add the line with: crontab -e",)),
    ]
    monkeypatch.setattr("tradebot_ops.operations.backup.schedule.carried", lambda _: {})
    assert "&& /bin/tradebot backup create" in files(ops, "cron")["crontab"]


@pytest.mark.parametrize(
    ("at", "form", "message", "hint"),
    [
        ("24:00", "cron", "'24:00' is no time of day.", "Write hours and minutes: --at 03:15"),
        ("3:15", "at", "'at' is no scheduler that is known.", "One of: systemd, cron."),
    ],
)
def test_what_is_refused_says_what_to_write(ops: Ops, at: str, form: str, message: str, hint: str) -> None:
    with pytest.raises(OpsError) as caught:
        files(ops, form, at)
    assert refusal(caught.value) == ("TB-0272", message, hint)


@pytest.mark.parametrize(("at", "on"), [("0:00", "00:00"), ("09:59", "09:59"), ("23:59", "23:59"), ("19:07", "19:07")])
def test_a_time_of_day(ops: Ops, at: str, on: str) -> None:
    assert f"OnCalendar=*-*-* {on}:00\n" in files(ops, "systemd", at)["tradebot-backup-demo.timer"]
