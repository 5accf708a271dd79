"""PromQL questions through prometheus-api-client, which is loaded with the first of them.

Left to itself the library asks a server that hangs or fails four times, 14 s in all, follows proxies and passwords
of the environment, and rounds the ends of a window to whole seconds. Here it asks once, within one deadline.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tradebot_ops.clients.connection import secured
from tradebot_ops.clients.connection.deadline import within
from tradebot_ops.clients.prometheus import Series
from tradebot_ops.clients.rest import Failures, Login
from tradebot_ops.errors import OpsError, Refused
from tradebot_ops.text.sentences import ended

if TYPE_CHECKING:
    import requests
    from prometheus_api_client import PrometheusConnect

Params = dict[str, str]

_PREFIX = 'invalid parameter "query": '
_POSITION = re.compile(r"(?:(\d+):(\d+)|unknown position): (?:parse error: )?(.*)", re.S)


class Queries:
    """Instant and range queries to the Prometheus that ``failures`` names; raises as ``Prometheus.query`` describes."""

    def __init__(self, failures: Failures) -> None:
        self._timeout, self._failures = failures.timeout, failures

    def instant(self, expression: str, at: datetime | None) -> list[Series]:
        params = self._params() | ({"time": str(at.timestamp())} if at else {})
        return self._ask(expression, lambda: self._client.custom_query(expression, params))

    def over(self, expression: str, start: datetime, end: datetime, step: float) -> list[Series]:
        params = self._params() | {"start": str(start.timestamp()), "end": str(end.timestamp())}
        ask = self._client.custom_query_range
        return self._ask(expression, lambda: ask(expression, start, end, f"{step:g}", params))

    def _params(self) -> Params:
        return {"timeout": f"{self._timeout:g}s"}  # Prometheus need not work on for nobody

    @cached_property
    def _client(self) -> "PrometheusConnect":
        import requests
        from prometheus_api_client import PrometheusConnect
        from urllib3.util.retry import Retry

        session = requests.Session()
        session.trust_env = False
        session.hooks["response"].append(_reject)
        auth = _signing(self._failures.login) if self._failures.login else None
        once = Retry(0, read=False)
        client = PrometheusConnect(self._failures.url, auth=auth, session=session, retry=once, timeout=self._timeout)
        if trust := self._failures.trust:
            secured.context(trust)  # raises where the authority cannot be read, with a code of its own
            session.verify = str(trust.ca)
            manager = session.get_adapter(self._failures.url).poolmanager  # type: ignore[attr-defined]
            manager.connection_pool_kw["server_hostname"] = trust.name
        return client

    def _ask(self, expression: str, ask: Callable[[], Any]) -> list[Series]:
        import requests

        try:
            return _series(within(self._timeout, ask))
        except _Rejected as error:
            raise self._rejection(expression, error.response) from None
        except (TimeoutError, requests.Timeout):
            raise self._failures.silent() from None
        except requests.JSONDecodeError:
            raise self._failures.failed("its answer is no JSON (HTTP 200)") from None
        except requests.RequestException as error:
            raise self._failures.unreachable(secured.refusal(error) or _innermost(error)) from None
        except (LookupError, TypeError, ValueError, AttributeError):
            raise self._failures.failed("its answer is not the answer to a query") from None

    def _rejection(self, expression: str, response: "requests.Response") -> OpsError:
        if response.status_code in {401, 403}:
            return self._failures.refused()
        try:
            document = dict(response.json())
        except ValueError:
            why = response.text.strip() if response.status_code >= 500 else ""
            return self._failures.failed(why or f"its answer is no JSON (HTTP {response.status_code})")
        kind, words = document.get("errorType", ""), str(document.get("error", ""))
        if kind == "timeout":
            return self._failures.silent()
        if kind == "bad_data":
            return _unreadable(expression, words)
        if kind == "execution":
            return Refused(f"Prometheus cannot evaluate the query: {ended(words)}", code="TB-0120")
        return self._failures.failed(words or f"HTTP {response.status_code}")


def _signing(login: Login) -> "Callable[[requests.PreparedRequest], requests.PreparedRequest]":
    """Basic authentication that reads the password for each request; the library would keep it as it is."""

    def sign(request: "requests.PreparedRequest") -> "requests.PreparedRequest":
        from requests.auth import HTTPBasicAuth

        basic = HTTPBasicAuth(login.user.encode(), login.password.reveal().encode())
        signed: requests.PreparedRequest = basic(request)
        return signed

    return sign


class _Rejected(Exception):  # noqa: N818 - never leaves this module
    """Any answer but 200: the library would keep no more of it than a text."""

    def __init__(self, response: "requests.Response") -> None:
        super().__init__(response.status_code)
        self.response = response


def _reject(response: "requests.Response", *_: object, **__: object) -> None:
    """Called by requests with every response, before it would follow a redirect."""
    if response.status_code != 200:
        raise _Rejected(response)


def _innermost(error: BaseException) -> str:
    """``[Errno 111] Connection refused``, where requests says it in the words of four layers."""
    wrapped = [error.__cause__, getattr(error, "reason", None), *reversed(error.args)]
    inner = next((each for each in wrapped if isinstance(each, BaseException)), None)
    return _innermost(inner) if inner else str(error)


def _unreadable(expression: str, words: str) -> OpsError:
    """Prometheus' own words, with a mark under the character it names."""
    match = _POSITION.match(words.removeprefix(_PREFIX))
    if match is None or match[1] is None:
        why = match[3] if match else words
        return Refused(f"Prometheus cannot read the query: {ended(why)}", code="TB-0103")
    line, column, why = int(match[1]), int(match[2]), match[3]
    lines = expression.split("\n")
    shown = lines[line - 1] if line <= len(lines) else ""
    return Refused(
        f"Prometheus cannot read the query: {why} (line {line}, character {column}).",
        code="TB-0103",
        hint="Names of metrics: tradebot metrics list",
        detail=(shown, " " * (column - 1) + "^"),
    )


def _series(result: list[Any]) -> list[Series]:
    """The library drops the kind of a result; a scalar or a string is one pair, not a list of them."""
    if result and not isinstance(result[0], Mapping):
        return [Series({}, (_point(result),))] if _is_number(result[1]) else []
    found = [(raw["metric"], raw.get("values") or [raw["value"]]) for raw in result if raw.keys() & {"value", "values"}]
    return [Series(metric, tuple(map(_point, points))) for metric, points in found]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _point(raw: list[Any]) -> tuple[float, float]:
    return float(raw[0]), float(raw[1])  # NaN and +Inf come as words that float() knows
