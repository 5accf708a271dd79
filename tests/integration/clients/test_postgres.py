"""The client against a real Postgres: right answers, and every way to get none."""

import threading
import time
from contextlib import closing

import pytest

from services.common.migrate import APP, EXPORTER, make_app, make_exporter, migrate
from services.common.settings import Settings
from tests.integration.parts import PASSWORD, PostgresPart, new_database
from tests.waiting import until
from tradebot_ops.clients.postgres import Account, Postgres
from tradebot_ops.context import POSTGRES_MONITOR
from tradebot_ops.errors import NoneLeft, OpsError, Refused, Unreachable
from tradebot_ops.settings import Secret

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("parts")]


def client(part: PostgresPart, *, user: str = "tradebot", password: str = PASSWORD, timeout: float = 5.0) -> Postgres:
    return Postgres("127.0.0.1", part.port, Account(user, Secret(password), "postgres"), timeout)


def test_rows_are_dictionaries(postgres: PostgresPart) -> None:
    asked = "SELECT n, n * %s AS product, NULL AS nothing FROM generate_series(1, 2) AS n ORDER BY n"
    assert client(postgres).rows(asked, [3]) == [
        {"n": 1, "product": 3, "nothing": None},
        {"n": 2, "product": 6, "nothing": None},
    ]
    assert client(postgres).rows("SELECT '100%' AS share") == [{"share": "100%"}]
    assert client(postgres).rows("SELECT 1 WHERE false") == []
    assert client(postgres).rows("SET work_mem = '5MB'") == []


def test_settings_of_the_connection(postgres: PostgresPart, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of whoever types the command does not change them."""
    monkeypatch.setenv("PGOPTIONS", "-c default_transaction_read_only=off")
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    monkeypatch.setenv("PGTARGETSESSIONATTRS", "standby")
    monkeypatch.setenv("PGAPPNAME", "somebody")
    monkeypatch.setenv("PGHOSTADDR", "192.0.2.1")
    (row,) = client(postgres, timeout=2).rows(
        "SELECT current_setting('transaction_read_only') AS read_only, current_setting('statement_timeout') AS longest,"
        " current_setting('application_name') AS name"
    )
    assert row == {"read_only": "on", "longest": "1800ms", "name": "tradebot"}


def test_a_question_does_not_write(postgres: PostgresPart) -> None:
    with pytest.raises(OpsError, match="read-only transaction") as caught:
        client(postgres).rows("CREATE TABLE written (n int)")
    assert caught.value.code == "TB-0537"
    with closing(postgres.connect()) as admin:
        assert admin.execute("SELECT to_regclass('written')").fetchone() == (None,)


def test_a_rehearsal_writes_and_leaves_nothing(postgres: PostgresPart) -> None:
    found = client(postgres).rehearse(
        "CREATE TABLE rehearsed (n int)", "INSERT INTO rehearsed VALUES (7)", "SELECT n FROM rehearsed"
    )
    assert found == [{"n": 7}]
    assert client(postgres).rows("SELECT to_regclass('rehearsed')::text AS found") == [{"found": None}]


def test_what_postgres_cannot_answer_is_in_its_own_words(postgres: PostgresPart) -> None:
    with pytest.raises(OpsError, match='^Postgres cannot answer: relation "nothing" does not exist.$') as caught:
        client(postgres).rows("SELECT * FROM nothing")
    assert caught.value.code == "TB-0537"


@pytest.mark.parametrize(("user", "password"), [("tradebot", "wrong-password"), ("nobody", PASSWORD)])
def test_refused_login(postgres: PostgresPart, user: str, password: str) -> None:
    with pytest.raises(Refused, match=f"refused the login of {user}: password authentication failed") as caught:
        client(postgres, user=user, password=password).rows("SELECT 1")
    assert caught.value.code == "TB-0536"
    assert password not in f"{caught.value.message} {caught.value.hint} {caught.value.detail}"


def test_no_connection_left_is_a_kind_of_its_own(postgres: PostgresPart) -> None:
    with closing(postgres.connect()) as admin:
        admin.execute(f"CREATE ROLE crowded LOGIN PASSWORD '{PASSWORD}' CONNECTION LIMIT 0")
    with pytest.raises(NoneLeft, match="has no connection left") as caught:
        client(postgres, user="crowded").rows("SELECT 1")
    assert caught.value.code == "TB-0535"


def test_a_database_that_is_not_there_is_no_refused_login(postgres: PostgresPart) -> None:
    account = Account("tradebot", Secret(PASSWORD), "nowhere")
    with pytest.raises(Unreachable, match='database "nowhere" does not exist'):
        Postgres("127.0.0.1", postgres.port, account).rows("SELECT 1")


def test_the_account_of_the_services_writes_rows_and_changes_no_table(postgres: PostgresPart) -> None:
    database = new_database(postgres)
    migrate(Settings(database_url=postgres.url(database), database_password_file=postgres.password_file))
    with closing(postgres.connect(database)) as admin:
        admin.autocommit = False
        make_app(admin, "first-password")
        make_app(admin, "app-password")
    app = Postgres("127.0.0.1", postgres.port, Account(APP, Secret("app-password"), database), 5)
    assert app.rows("SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == [{"rolsuper": False}]
    assert app.rows("SELECT version_num FROM alembic_version"), "the services look at it"
    app.rehearse("DELETE FROM job", "CREATE TEMP TABLE incoming (LIKE candle) ON COMMIT DROP", "SELECT 1")
    for forbidden in ("DROP TABLE job", "CREATE TABLE mine (n int)", "UPDATE alembic_version SET version_num = '0'"):
        with pytest.raises(OpsError, match="permission denied|must be owner"):
            app.rehearse(forbidden, "SELECT 1")


def test_the_account_of_monitoring_sees_statistics_of_everybody(postgres: PostgresPart) -> None:
    assert POSTGRES_MONITOR == EXPORTER
    with closing(postgres.connect()) as admin:
        admin.execute("CREATE TABLE IF NOT EXISTS private (n int)")
        admin.autocommit = False
        make_exporter(admin, "monitoring-password")
    monitor = client(postgres, user=POSTGRES_MONITOR, password="monitoring-password")
    assert monitor.rows("SELECT pg_has_role('pg_monitor', 'member') AS may") == [{"may": True}]
    assert monitor.rows("SELECT setting FROM pg_settings WHERE name = 'data_directory'"), "hidden from ordinary users"
    with pytest.raises(OpsError, match="permission denied for table private"):
        monitor.rows("SELECT * FROM private")


def test_a_long_question_is_ended_by_the_server(postgres: PostgresPart) -> None:
    began = time.monotonic()
    with pytest.raises(OpsError, match="statement timeout") as caught:
        client(postgres, timeout=1).rows("SELECT pg_sleep(20)")
    assert caught.value.code == "TB-0537"
    assert time.monotonic() - began < 3


def test_questions_at_the_same_time_do_not_wait_for_one_another(postgres: PostgresPart) -> None:
    asked = client(postgres)
    slow = threading.Thread(target=lambda: asked.rows("SELECT pg_sleep(3)"))
    slow.start()
    began = time.monotonic()
    assert asked.rows("SELECT 1 AS one") == [{"one": 1}]
    assert time.monotonic() - began < 2
    slow.join()


def test_a_hung_server_is_given_up_in_time(own_postgres: PostgresPart) -> None:
    """Before the login, and in the middle of a question; nobody is left waiting for it."""
    asked = client(own_postgres, timeout=1)
    own_postgres.pause()
    try:
        began = time.monotonic()
        with pytest.raises(Unreachable, match="did not answer within 1 s"):
            asked.rows("SELECT 1")
        assert time.monotonic() - began < 2
    finally:
        own_postgres.resume()
    patient = client(own_postgres, timeout=4)
    hang = threading.Timer(1.0, own_postgres.pause)
    hang.start()
    began = time.monotonic()
    try:
        with pytest.raises(Unreachable, match="did not answer within 4 s"):
            patient.rows("SELECT pg_sleep(3)")
        assert time.monotonic() - began < 5
        until(lambda: not _waiting(), "no thread waits for the hung server")
    finally:
        own_postgres.resume()
    assert asked.rows("SELECT 1 AS one") == [{"one": 1}]


def _waiting() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "question"]


def test_a_server_killed_in_the_middle(own_postgres: PostgresPart) -> None:
    threading.Timer(0.5, own_postgres.kill).start()
    with pytest.raises(Unreachable, match="cannot be reached") as caught:
        client(own_postgres).rows("SELECT pg_sleep(4)")
    assert caught.value.code == "TB-0535"


def test_a_login_is_judged_by_its_password_not_by_its_database(postgres: PostgresPart) -> None:
    def refusal(password: str) -> str:
        return Postgres("127.0.0.1", postgres.port, Account("tradebot", Secret(password), "nobody-has-it")).refusal()

    assert refusal(PASSWORD) == ""
    assert "password authentication failed" in refusal("tradebot")
