"""The commands on the files of a project: what is made, kept, taken and refused."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.operations.seen import Made, made, refusal, whole
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Level, Report
from tradebot_ops.operations.tls import certificates, examine, issue
from tradebot_ops.progress import ignore_progress
from tradebot_ops.settings import load_settings
from tradebot_ops.state import ProjectState

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
FILES = ("tls_ca", "tls_ca_key", "tls_certificate", "tls_key")


def ops_at(folder: Path, now: datetime = NOON, **environ: str) -> Ops:
    given = {"TRADEBOT_STATE": str(folder / "state"), "HOME": str(folder), **environ}
    return Ops(load_settings({"project": "demo"}, given, folder), StubEngine("demo"), lambda: now)


def kept(ops: Ops) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(ops.state.secrets.glob("tls_*"))}


def bring(folder: Path, *, chain: bool = True) -> tuple[Path, Path, issue.Pair]:
    """A certificate of somebody else's authority, in files."""
    above = issue.authority("others", NOON)
    made = issue.server(above, ("localhost", "trading.example.com"), NOON, 30)
    certificate, key = folder / "cert.pem", folder / "key.pem"
    certificate.write_text(made.certificate + (above.certificate if chain else ""))
    key.write_text(made.key.reveal())
    return certificate, key, above


def test_an_authority_is_made_once_and_signs_each_certificate(tmp_path: Path) -> None:
    ops = ops_at(tmp_path, API_ADDRESS="192.0.2.7")
    report = certificates.create(ops, ["Trading.example.com"], 90)
    first = kept(ops)
    assert tuple(first) == FILES
    assert {(ops.state.secrets / name).stat().st_mode & 0o777 for name in FILES} == {0o600}
    assert isinstance(report.data, dict)
    made = report.data["certificate"]
    assert {"localhost", "127.0.0.1", "::1", "api", "192.0.2.7", "trading.example.com"} <= set(made["names"])
    assert (made["days_left"], made["ends"][:10]) == (90, "2027-02-26")
    assert report.data["ca_file"] == str(ops.state.secrets / "tls_ca")

    certificates.create(ops, [], 90)
    second = kept(ops)
    assert second["tls_ca"] == first["tls_ca"]
    assert second["tls_certificate"] != first["tls_certificate"]

    certificates.create(ops, [], 90, new_ca=True)
    assert kept(ops)["tls_ca"] != first["tls_ca"]


def test_an_authority_that_has_ended_is_made_anew(tmp_path: Path) -> None:
    before, later = ops_at(tmp_path), ops_at(tmp_path, NOON + timedelta(days=issue.AUTHORITY_DAYS + 1))
    certificates.create(before, [], 30)
    old = kept(before)["tls_ca"]
    assert certificates.create(later, [], 30).findings == ()
    assert kept(later)["tls_ca"] != old


@pytest.mark.parametrize("days", [0, 398])
def test_days_that_no_browser_takes(tmp_path: Path, days: int) -> None:
    with pytest.raises(OpsError, match=f"cannot last {days} days"):
        certificates.create(ops_at(tmp_path), [], days)


def test_no_key_is_shown(tmp_path: Path) -> None:
    ops = ops_at(tmp_path)
    certificates.create(ops, [], 30)
    assert "PRIVATE" not in str(certificates.show(ops))


def test_show_says_what_is_missing_near_its_end_and_past_it(tmp_path: Path) -> None:
    assert certificates.show(ops_at(tmp_path)).data == {"certificate": None}
    certificates.create(ops_at(tmp_path), [], 40)
    assert certificates.show(ops_at(tmp_path)).findings == ()
    (soon,) = certificates.show(ops_at(tmp_path, NOON + timedelta(days=20))).findings
    assert (soon.level, soon.message) == (Level.WARN, "The certificate ends in 20 days, on 2027-01-07.")
    (past,) = certificates.show(ops_at(tmp_path, NOON + timedelta(days=41))).findings
    assert (past.level, past.id) == (Level.FAIL, "TB-0872")


def test_a_certificate_of_ones_own_is_taken_with_its_chain(tmp_path: Path) -> None:
    ops = ops_at(tmp_path)
    certificates.create(ops, [], 30)
    certificate, key, above = bring(tmp_path)
    certificates.import_(ops, certificate, Path("key.pem"), None)
    assert kept(ops) == {
        "tls_ca": above.certificate, "tls_certificate": certificate.read_text(), "tls_key": key.read_text(),
    }  # fmt: skip


def test_whom_to_trust_is_named_where_the_chain_does_not_say(tmp_path: Path) -> None:
    ops = ops_at(tmp_path)
    certificate, key, above = bring(tmp_path, chain=False)
    with pytest.raises(OpsError, match="does not say whom clients have to trust") as raised:
        certificates.import_(ops, certificate, key, None)
    assert "--ca FILE" in raised.value.hint
    (tmp_path / "ca.pem").write_text(above.certificate)
    certificates.import_(ops, certificate, key, Path("ca.pem"))
    assert kept(ops)["tls_ca"] == above.certificate


def test_what_could_not_serve_leaves_the_one_before(tmp_path: Path) -> None:
    ops = ops_at(tmp_path)
    certificates.create(ops, [], 30)
    before = kept(ops)
    certificate, key, _ = bring(tmp_path)
    key.write_text(issue.authority("others", NOON).key.reveal())
    with pytest.raises(OpsError, match="does not match"):
        certificates.import_(ops, certificate, key, None)
    with pytest.raises(OpsError, match=r"none\.pem cannot be read: No such file"):
        certificates.import_(ops, Path("none.pem"), key, None)
    key.write_bytes(b"\xff\xfe")
    with pytest.raises(OpsError, match="it is not text, and PEM is"):
        certificates.import_(ops, certificate, key, None)
    assert kept(ops) == before


def test_changes_are_in_the_audit_log_without_a_key(tmp_path: Path) -> None:
    ops = ops_at(tmp_path)
    certificates.create(ops, ["a.example"], 30)
    log = (ops.state.folder / "audit.jsonl").read_text()
    assert "tls create" in log
    assert "PRIVATE" not in log


def test_over_tls_a_stack_starts_with_a_certificate_that_its_clients_take(tmp_path: Path) -> None:
    certificates.ready(ops_at(tmp_path))  # in the clear there is nothing to see
    with pytest.raises(OpsError, match="there is no certificate yet") as raised:
        certificates.ready(ops_at(tmp_path, API_SCHEME="https"))
    assert raised.value.code == "TB-0877"
    with pytest.raises(OpsError, match="^MONITORING_SCHEME is https, and there is no certificate yet"):
        certificates.ready(ops_at(tmp_path, MONITORING_SCHEME="https"))
    certificates.create(ops_at(tmp_path), [], 30)
    certificates.ready(ops_at(tmp_path, API_SCHEME="https"))
    for setting in ("API_SCHEME", "MONITORING_SCHEME"):
        with pytest.raises(OpsError, match="has expired"):
            certificates.ready(ops_at(tmp_path, NOON + timedelta(days=31), **{setting: "https"}))
    with pytest.raises(OpsError, match=r"and not for trading\.example\.com") as raised:
        certificates.ready(ops_at(tmp_path, API_SCHEME="https", TLS_NAME="trading.example.com"))
    assert raised.value.code == "TB-0873"
    named = ops_at(tmp_path, API_SCHEME="https", TLS_NAME="trading.example.com")
    certificates.create(named, [], 30)
    certificates.ready(named)


def test_a_certificate_for_others_is_not_taken(tmp_path: Path) -> None:
    certificate, key, _ = bring(tmp_path)
    with pytest.raises(OpsError, match=r"is for localhost, trading\.example\.com, and not for tb\.example") as raised:
        certificates.import_(ops_at(tmp_path, TLS_NAME="tb.example"), certificate, key, None)
    assert raised.value.hint.startswith("tradebot config set TLS_NAME=localhost")
    certificates.import_(ops_at(tmp_path, TLS_NAME="trading.example.com"), certificate, key, None)


def test_screens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "Tower")
    ops = ops_at(tmp_path, API_ADDRESS="0.0.0.0")
    certificate, key, _ = bring(tmp_path)

    def screen(report: Report) -> str:
        text = whole(report).replace(str(tmp_path), "HOME")
        return text.replace(examine.read(kept(ops)["tls_certificate"]).sha256, "its fingerprint")

    seen = [screen(certificates.create(ops, names, days)) for names, days in (([], 1), (["Trading.example.com"], 90))]
    seen.append(screen(certificates.import_(ops, certificate, key, None)))
    seen.append(screen(certificates.show(ops_at(tmp_path, NOON + timedelta(days=30, seconds=1)))))
    monkeypatch.setattr(examine, "_names", lambda _: ())
    seen.append(screen(certificates.show(ops)))
    assert "\n\n".join([whole(certificates.show(ops_at(tmp_path / "new"))), *seen]) == snapshot


def test_refusals(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    ops = ops_at(tmp_path, MONITORING_SCHEME="https")
    certificate, key, _ = bring(tmp_path, chain=False)
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    seen = []
    for act in (
        lambda: certificates.ready(ops),
        lambda: certificates.import_(ops, certificate, key, None),
        lambda: certificates.import_(ops, certificate, Path("none"), None),
        lambda: certificates.import_(ops, Path("binary"), key, None),
        lambda: certificates.import_(ops, key, key, None),
        lambda: certificates.import_(ops, certificate, key, key),
        lambda: certificates.create(ops, [], 0),
    ):
        with pytest.raises(OpsError) as raised:
            act()
        code, message, hint = refusal(raised.value)
        seen.append((code, message.replace(str(tmp_path), "HOME"), hint.replace(str(tmp_path), "HOME")))
    assert seen == snapshot


def test_the_audit_log_has_the_words_and_hooks_are_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ops = ops_at(tmp_path)
    certificate, key, _ = bring(tmp_path)
    names = ["a.example", "b.example"]
    assert made(monkeypatch, lambda heard: certificates.create(ops, names, 30, heard)) == [Made(("tls create", *names))]
    assert made(monkeypatch, lambda heard: certificates.import_(ops, certificate, key, None, heard)) == [
        Made(("tls import", "cert.pem"))
    ]


def test_the_key_is_written_before_the_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed in between, a service that starts finds a pair that does not match, and says so."""
    ops = ops_at(tmp_path)
    written: list[str] = []
    write = type(ops.state).write

    def noted(self: ProjectState, name: str, text: str) -> Path:
        written.append(name)
        return write(self, name, text)

    monkeypatch.setattr(ProjectState, "write", noted)
    certificates.create(ops, [], 30, ignore_progress)
    assert [name for name in written if "tls" in name] == [
        "secrets/tls_ca_key", "secrets/tls_key", "secrets/tls_certificate", "secrets/tls_ca",
    ]  # fmt: skip


def test_an_authority_signs_until_its_very_end_and_only_with_its_key(tmp_path: Path) -> None:
    end = NOON + timedelta(days=issue.AUTHORITY_DAYS)
    certificates.create(ops_at(tmp_path), [], 30)
    ops = ops_at(tmp_path)
    first = kept(ops)["tls_ca"]
    certificates.create(ops_at(tmp_path, end - timedelta(seconds=1)), [], 30)
    assert kept(ops)["tls_ca"] == first
    certificates.create(ops_at(tmp_path, end), [], 30)
    second = kept(ops)["tls_ca"]
    assert second != first
    (ops.state.secrets / "tls_ca_key").unlink()
    certificates.create(ops_at(tmp_path, end), [], 30)
    assert kept(ops)["tls_ca"] != second


def test_files_are_named_from_where_one_stands_or_from_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    for place in (tmp_path, tmp_path / "home"):
        (place / "cert.pem").write_text(str(place))
    ops = ops_at(tmp_path)
    found = [certificates._text(ops, path) for path in (Path("cert.pem"), Path("~/cert.pem"), tmp_path / "cert.pem")]
    assert found == [str(tmp_path), str(tmp_path / "home"), str(tmp_path)]


def test_an_authority_that_cannot_be_read_is_not_made_anew(tmp_path: Path) -> None:
    """Whoever trusts the one before would trust nothing any more."""
    ops = ops_at(tmp_path)
    assert certificates._kept(ops, "tls_ca") == ""
    (ops.state.secrets / "tls_ca").mkdir(parents=True)
    with pytest.raises(OpsError, match="tls_ca cannot be read: Is a directory") as caught:
        certificates._kept(ops, "tls_ca")
    assert caught.value.code == "TB-0876"
