"""A person's own file goes through the API to the workers, in parts, and is gone once it is loaded."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import psycopg
import pytest

from services.common.data.candle_csv import CandleCsv, SeriesGone
from services.common.database import Database
from services.common.jobtypes import JobFailure
from services.common.settings import Settings
from services.jobs import load_candles
from services.jobs.market import store
from tests.integration.services.conftest import KEY, Serve
from tests.waiting import until

pytestmark = pytest.mark.integration

CSV = b"Date,Open,High,Low,Close\n2024-01-02,10,11,9,10.5\n2024-01-03,10,11,9,10.25\n"


class Context:
    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.store = connection

    def progress(self, fraction: float, note: str = "") -> None:
        pass

    def check_cancelled(self) -> None:
        pass


@pytest.fixture
def ctx(settings: Settings) -> Iterator[Context]:
    with psycopg.connect(settings.postgres_dsn("test").get_secret_value(), autocommit=True) as connection:
        yield Context(connection)


def load(ctx: Context, name: str) -> dict[str, Any]:
    return load_candles.run(ctx, load_candles.JOB.validate({"file": name, "symbol": "MINE"}))  # type: ignore[arg-type]


def names(api: httpx.Client) -> list[tuple[str, int, str]]:
    found = api.get("/candle-files").json()["candle_files"]
    return [(each["name"], each["bytes"], each["uploaded_by"]) for each in found]


def test_an_uploaded_file_is_loaded_and_then_gone(api: httpx.Client, ctx: Context) -> None:
    answer = api.put("/candle-files/mine.csv", content=CSV, headers=KEY | {"X-Requested-By": "ana"})
    assert (answer.status_code, answer.json()) == (201, {"name": "mine.csv", "bytes": len(CSV)})
    assert names(api) == [("mine.csv", len(CSV), "ana")]
    result = load(ctx, "mine.csv")
    assert (result["file"], result["inserted"]) == ("mine.csv", 2)
    assert store.read(ctx.store, "MINE").close.tolist() == [10.5, 10.25]
    assert names(api) == []
    assert ctx.store.execute("SELECT count(*) FROM candle_file_part").fetchone() == (0,)


def test_a_dry_run_reads_checks_and_stores_nothing(api: httpx.Client, ctx: Context) -> None:
    bad = b"2024-01-04,10,9,9,9.5\n"
    api.put("/candle-files/mine.csv", content=CSV + bad, headers=KEY)
    payload = {"file": "mine.csv", "symbol": "MINE", "dry_run": True}
    result = load_candles.run(ctx, load_candles.JOB.validate(payload))  # type: ignore[arg-type]
    assert (result["read"], result["inserted"], result["rejected"]) == (3, 0, 1)
    assert result["symbols"] == [{"symbol": "MINE", "rows": 2, "first": "2024-01-02", "last": "2024-01-03"}]
    assert len(names(api)) == 1
    for table in ("series", "candle", "candle_rejected", "candle_rejected_count"):
        assert ctx.store.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table  # noqa: S608


def test_a_series_is_listed_and_removed(api: httpx.Client, ctx: Context) -> None:
    api.put("/candle-files/mine.csv", content=CSV + b"2024-01-04,10,9,9,9.5\n", headers=KEY)
    payload = {"file": "mine.csv", "symbol": "BTC/USDT:USDT"}
    load_candles.run(ctx, load_candles.JOB.validate(payload))  # type: ignore[arg-type]
    assert api.get("/series").json()["series"] == [
        {"symbol": "BTC/USDT:USDT", "interval": "1d", "first": "2024-01-02T00:00:00Z", "last": "2024-01-03T00:00:00Z",
         "rejected": 1}
    ]  # fmt: skip
    path = "/series/1d/btc/usdt:usdt"
    assert api.delete(path).status_code == 401
    with ctx.store.transaction():
        ctx.store.execute("SELECT FROM series FOR UPDATE")
        assert api.delete(path, headers=KEY).status_code == 409
    answer = api.delete(path, headers=KEY)
    assert (answer.status_code, answer.json()) == (200, {"candles": 2})
    assert api.delete(path, headers=KEY).status_code == 404
    for table in ("series", "candle", "candle_rejected", "candle_rejected_count"):
        assert ctx.store.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table  # noqa: S608


def test_a_file_of_many_parts_arrives_as_it_was_sent(api: httpx.Client, ctx: Context) -> None:
    row = b"2024-01-02 %02d:%02d,10,11,9,10.5" + b" " * 1500 + b"\n"
    content = CSV.splitlines(keepends=True)[0] + b"".join(row % divmod(minute, 60) for minute in range(1440))
    assert len(content) > 2 * 1024**2
    sent = (content[at : at + 70_001] for at in range(0, len(content), 70_001))
    assert api.put("/candle-files/large.csv", content=sent, headers=KEY).json()["bytes"] == len(content)
    assert load(ctx, "large.csv")["inserted"] == 1440


def test_one_that_cannot_be_loaded_stays(api: httpx.Client, ctx: Context) -> None:
    api.put("/candle-files/mine.csv", content=b"nothing of use", headers=KEY)
    with pytest.raises(JobFailure, match=r"mine\.csv is not a readable CSV file"):
        load(ctx, "mine.csv")
    assert names(api) == [("mine.csv", 14, "api")]
    api.put("/candle-files/mine.csv", content=CSV, headers=KEY)
    assert names(api) == [("mine.csv", len(CSV), "api")]
    assert api.delete("/candle-files/mine.csv", headers=KEY).status_code == 204
    assert api.delete("/candle-files/mine.csv", headers=KEY).status_code == 404
    assert names(api) == []


@pytest.mark.parametrize("chunked", [False, True])
def test_what_is_too_large_is_refused_and_leaves_nothing(
    serve: Serve, settings: Settings, ctx: Context, *, chunked: bool
) -> None:
    api = serve(settings.model_copy(update={"max_upload_bytes": 3_000_000, "max_body_bytes": 1_000}))
    content = b"x" * 3_000_001
    pieces = (content[at : at + 100_000] for at in range(0, len(content), 100_000))
    answer = api.put("/candle-files/mine.csv", content=pieces if chunked else content, headers=KEY)
    assert answer.status_code == 413
    assert "larger than 3000000 bytes" in answer.json()["detail"]
    assert ctx.store.execute("SELECT count(*) FROM candle_file").fetchone() == (0,)
    assert api.put("/candle-files/mine.csv", content=content[:-1], headers=KEY).status_code == 201


def test_an_upload_that_is_cut_off_leaves_nothing(api: httpx.Client, ctx: Context) -> None:
    def cut() -> Iterator[bytes]:
        yield b"x" * 2_000_000
        raise ConnectionError("the cable")

    with pytest.raises(ConnectionError):
        api.put("/candle-files/mine.csv", content=cut(), headers=KEY)
    query = "SELECT count(*) FROM candle_file"
    until(lambda: ctx.store.execute(query).fetchone() == (0,), "nothing of it is kept")
    assert api.get("/errors").json()["errors"] == []


@pytest.mark.parametrize("name", ["..%2Fpasswd", ".hidden", "a%00b", "-rf"])
def test_a_name_is_one_of_a_file(api: httpx.Client, name: str) -> None:
    assert api.put(f"/candle-files/{name}", content=CSV, headers=KEY).status_code in (404, 422)


def test_uploading_and_removing_need_the_key(api: httpx.Client) -> None:
    assert api.put("/candle-files/mine.csv", content=CSV).status_code == 401
    assert api.delete("/candle-files/mine.csv").status_code == 401


SYMBOLS = ("MINE", "BTC/USDT:USDT", "^GSPC", "000001", 'A,"B"')
BARS = (
    "2024-01-02{t},{s},1.3e-06,1.5E-6,0.0000012999999999999998,1.4e-06,{v},{a}\n"
    "2024-01-03{t},{s},123456.789012345,1e300,0.1,0.30000000000000004,{v},{a}\n"
    "2024-01-05{t},{s},1000,1001,999,1000,7,{a}\n"
)


@pytest.mark.parametrize("interval", ["1d", "12h"])
@pytest.mark.parametrize("adjusted", ["0.7", ""])
def test_an_exported_series_is_imported_again_to_equal_rows(
    api: httpx.Client, ctx: Context, database: Database, interval: str, adjusted: str
) -> None:
    header = "Date,Symbol,Open,High,Low,Close,Volume" + (",Adj Close" if adjusted else "") + "\n"
    pieces = CandleCsv(database, bars=2)
    for symbol in SYMBOLS:
        quoted = '"' + symbol.replace('"', '""') + '"'
        time = "" if interval == "1d" else " 07:00:00"
        text = header + BARS.format(s=quoted, t=time, v="", a=adjusted)
        api.put("/candle-files/in.csv", content=text if adjusted else text.replace(",\n", "\n"), headers=KEY)
        payload = {"file": "in.csv", "interval": interval}
        loaded = load_candles.run(ctx, load_candles.JOB.validate(payload))  # type: ignore[arg-type]
        assert (loaded["inserted"], loaded["rejected"]) == (3, 0), symbol
        query = "SELECT ts, o, h, l, c, v::text, adj_close FROM candle JOIN series ON id = series_id WHERE symbol = %s"
        before = ctx.store.execute(query + " ORDER BY ts", [symbol]).fetchall()
        answer = api.get(f"/series/{interval}/{quote(symbol, safe='')}")
        assert answer.headers["content-type"].startswith("text/csv")
        assert len(answer.text.splitlines()) == 4
        found = pieces.find(symbol, interval)
        assert found is not None
        assert b"".join(pieces.pieces(found)).decode() == answer.text
        assert api.delete(f"/series/{interval}/{quote(symbol, safe='')}", headers=KEY).status_code == 200
        api.put("/candle-files/out.csv", content=answer.content, headers=KEY)
        again = {"file": "out.csv", "interval": interval}
        assert load_candles.run(ctx, load_candles.JOB.validate(again))["inserted"] == 3  # type: ignore[arg-type]
        assert ctx.store.execute(query + " ORDER BY ts", [symbol]).fetchall() == before


def test_the_sample_comes_back_out_as_it_went_in_and_no_series_is_404(api: httpx.Client, ctx: Context) -> None:
    load_candles.run(ctx, load_candles.JOB.validate({"symbols": ["AAPL"]}))  # type: ignore[arg-type]
    api.put("/candle-files/out.csv", content=api.get("/series/1d/aapl").content, headers=KEY)
    result = load_candles.run(ctx, load_candles.JOB.validate({"file": "out.csv"}))  # type: ignore[arg-type]
    assert (result["read"], result["unchanged"], result["interval"]) == (3270, 3270, "1d")
    assert api.get("/series/1h/AAPL").status_code == 404


def test_bars_without_an_adjusted_close_among_others_have_their_close(api: httpx.Client, ctx: Context) -> None:
    api.put("/candle-files/mine.csv", content=CSV, headers=KEY)
    load(ctx, "mine.csv")
    ctx.store.execute("UPDATE candle SET adj_close = 5 WHERE ts = '2024-01-02'")
    lines = api.get("/series/1d/MINE").text.splitlines()
    assert [line.split(",")[5:] for line in lines[1:]] == [["10.5", "", "5"], ["10.25", "", "10.25"]]


def test_a_series_that_is_removed_while_it_is_read_does_not_end_as_if_it_were_whole(
    api: httpx.Client, ctx: Context, database: Database
) -> None:
    api.put("/candle-files/mine.csv", content=CSV, headers=KEY)
    load(ctx, "mine.csv")
    exported = CandleCsv(database, bars=1)
    found = exported.find("MINE", "1d")
    assert found is not None
    pieces = exported.pieces(found)
    assert [next(pieces), next(pieces)] == [
        b"Date,Symbol,Open,High,Low,Close,Volume\n", b"2024-01-02,MINE,10,11,9,10.5,\n",
    ]  # fmt: skip
    assert api.delete("/series/1d/MINE", headers=KEY).status_code == 200
    with pytest.raises(SeriesGone, match="MINE at 1d"):
        list(pieces)
