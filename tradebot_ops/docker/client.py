"""The connection to one Docker engine: opened once, every call with a deadline, every error a sentence."""

import contextlib
import errno
import re
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import requests
import urllib3
from docker import APIClient
from docker.errors import APIError, DockerException
from docker.tls import TLSConfig

from tradebot_ops.docker.errors import explain
from tradebot_ops.docker.locate import Location, check, forbidden, not_running
from tradebot_ops.docker.ssh import Bridge
from tradebot_ops.docker.tls import TlsBridge
from tradebot_ops.errors import OpsError

#: The newest API this engine was tested with; a newer daemon is spoken to in this one.
NEWEST_API = (1, 45)
OLDEST_API = (1, 41)
#: Several threads each follow logs or statistics of many containers; the SDK keeps ten connections by default.
POOL_SIZE = 64


@dataclass(frozen=True)
class Deadlines:
    """Seconds an engine may stay silent: for a question, for a change, and within a download or a build."""

    read: float = 20.0
    write: float = 60.0
    transfer: float = 600.0


class SureClient(APIClient):
    """The SDK's client, except that the engine's own certificate authority is the one that counts.

    The library behind it prefers REQUESTS_CA_BUNDLE of the environment, meant for the web behind a company's proxy.
    """

    def merge_environment_settings(self, *args: Any, **kwargs: Any) -> Any:
        settings = super().merge_environment_settings(*args, **kwargs)
        if isinstance(self.verify, str):
            settings["verify"] = self.verify
        return settings


class BoundedClient(SureClient):
    """The SDK's client, except that no call waits for ever: the SDK itself pulls and builds without a deadline."""

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        if kwargs.get("timeout") is None:
            kwargs["timeout"] = self.timeout
        return super().send(request, **kwargs)


class Client:
    """SDK clients for one engine, differing only in how long they wait. Opened lazily, shared between threads.

    ``reads`` asks, ``writes`` changes, ``transfers`` pulls and builds; ``streams`` follows and so may stay silent.
    """

    def __init__(self, location: Location, deadlines: Deadlines | None = None) -> None:
        self.location = location
        self.deadlines = deadlines or Deadlines()

    @cached_property
    def version(self) -> tuple[int, int]:
        """The negotiated API version; the first use of the connection, so it also shows whether there is one."""
        check(self.location)
        with self.translating_errors("asking for its version", self.deadlines.read):
            offered = self._open(self.deadlines.read, None).api_version
        chosen = min(parse_version(offered), NEWEST_API)
        if self.location.api_version:
            chosen = min(chosen, parse_version(self.location.api_version))
        if chosen < OLDEST_API:
            raise OpsError(
                f"The Docker engine at {self.location} speaks API {offered}; "
                f"{dotted(OLDEST_API)} (engine 20.10) or newer is needed.",
                code="TB-0403",
                hint="Upgrade the engine, or run without Docker: tradebot --engine local …",
            )
        return chosen

    @cached_property
    def reads(self) -> APIClient:
        return self._open(self.deadlines.read, dotted(self.version))

    @cached_property
    def writes(self) -> APIClient:
        return self._open(self.deadlines.write, dotted(self.version))

    @cached_property
    def transfers(self) -> APIClient:
        return self._open(self.deadlines.transfer, dotted(self.version))

    @cached_property
    def streams(self) -> APIClient:
        return self._open(self.deadlines.read, dotted(self.version), SureClient)

    @cached_property
    def upgrades(self) -> APIClient:
        """For a connection that becomes a command's streams; over TLS a plain one stands in for it."""
        if self.location.tls is None:
            return self.streams
        return self._open(self.deadlines.read, dotted(self.version), url=self._tls_bridge.url)

    @cached_property
    def _tls_bridge(self) -> TlsBridge:
        return TlsBridge(self.location, self.deadlines.read)

    def stream(self, path: str, params: Mapping[str, Any], *, endless: bool) -> requests.Response:
        """The open answer of a long GET; with ``endless`` the engine may stay silent for as long as it likes.

        Raises what the SDK raises; call it within ``speaking``.
        """
        api = self.streams
        silence = None if endless else self.deadlines.read
        url = f"{api.base_url}/v{api.api_version}{path}"
        answer = api.get(url, params=dict(params), stream=True, timeout=(self.deadlines.read, silence))
        if answer.status_code >= 400:
            raise APIError(answer.reason, answer, said_in(answer))
        return answer

    @cached_property
    def _bridge(self) -> Bridge | None:
        return Bridge(self.location.host) if self.location.host.startswith("ssh://") else None

    def _open(
        self, seconds: float, version: str | None, kind: type[APIClient] | None = None, *, url: str = ""
    ) -> APIClient:
        """One SDK client; ``version`` None asks the engine which it speaks, ``url`` is another way to it."""
        if self._bridge:
            url = self._bridge.url
        return (kind or BoundedClient)(
            base_url=url or self.location.host,
            version=version,
            timeout=seconds,  # type: ignore[arg-type]  # the SDK passes it to requests, which takes fractions
            tls=False if url else certificates(self.location),
            max_pool_size=POOL_SIZE,
        )

    @contextlib.contextmanager
    def translating_errors(self, doing: str, seconds: float = 0.0) -> Iterator[None]:
        """Turn what the SDK raises into an OpsError; ``doing`` completes "… while" (``starting worker-2``)."""
        try:
            yield
        except APIError as error:
            raise explain(doing, error) from error
        except (requests.Timeout, urllib3.exceptions.TimeoutError) as error:
            raise self._silent(doing, seconds) from error
        except (requests.ConnectionError, urllib3.exceptions.HTTPError, OSError) as error:
            raise self._lost(doing, error, seconds) from error
        except DockerException as error:
            raise self._lost(doing, error, seconds) from error

    def _silent(self, doing: str, seconds: float) -> OpsError:
        waited = f"{seconds:g} s" if seconds else "its deadline"
        return OpsError(
            f"The Docker engine at {self.location} did not answer within {waited} while {doing}.",
            code="TB-0601",
            hint="It hangs: look with `journalctl -u docker -n 50`, restart it with `sudo systemctl restart docker`, "
            "then run the command again.",
        )

    def _lost(self, doing: str, error: BaseException, seconds: float) -> OpsError:
        causes = list(chain_of(error))
        if any(isinstance(cause, TimeoutError | urllib3.exceptions.TimeoutError) for cause in causes):
            return self._silent(doing, seconds)
        for cause in causes:
            # Errors of TLS have numbers of their own, and one is that of EPERM.
            if isinstance(cause, ssl.SSLError):
                return distrust(self.location, cause)
        if any(getattr(cause, "errno", None) in {errno.EACCES, errno.EPERM} for cause in causes):
            return forbidden(self.location)
        gone = any(isinstance(cause, FileNotFoundError | ConnectionRefusedError) for cause in causes)
        if gone and "version" not in vars(self):
            return not_running(self.location)
        if self._bridge and self._bridge.complaint:
            return OpsError(
                f"SSH does not reach the Docker engine at {self.location}: {self._bridge.complaint.rstrip('.')}.",
                code="TB-0401",
                hint=f"Make this work first, without a password: {' '.join(self._bridge.tried)}",
            )
        why = "it does not answer any more" if gone else str(causes[-1]).rstrip(".")
        return OpsError(
            f"The Docker engine at {self.location} went away while {doing}: {why}.",
            code="TB-0401",
            hint="See whether it runs with `systemctl status docker`, start it with `sudo systemctl start docker`, "
            "then run the command again: it goes on from what is there.",
        )


def distrust(location: Location, error: ssl.SSLError) -> OpsError:
    """One side does not accept what the other side shows of itself."""
    reason = getattr(error, "verify_message", None) or getattr(error, "reason", None) or str(error)
    return OpsError(
        f"The Docker engine at {location} and this client do not trust each other over TLS: {reason}.",
        code="TB-0412",
        hint="Correct ca.pem, cert.pem and key.pem"
        + (f" in {location.tls}" if location.tls else ": set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH")
        + "; this must work first: docker version",
    )


def said_in(answer: requests.Response) -> str:
    """The engine's own words in an error."""
    try:
        return str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        return answer.text.strip()


def dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))


def certificates(location: Location) -> TLSConfig | bool:
    """How to prove both sides over TLS, when the location says where the certificates lie."""
    if location.tls is None:
        return False
    cert, key, authority = (location.tls / name for name in ("cert.pem", "key.pem", "ca.pem"))
    return TLSConfig(
        client_cert=(str(cert), str(key)) if cert.exists() else None,
        ca_cert=str(authority) if authority.exists() else None,
        verify=authority.exists(),
    )


def parse_version(text: str) -> tuple[int, int]:
    """``1.41`` as numbers; OpsError TB-0829 when it is no version."""
    match = re.fullmatch(r"(\d+)\.(\d+)", text)
    if match is None:
        raise OpsError(
            f"'{text}' is not a version of Docker's API.",
            code="TB-0829",
            hint="Correct or unset DOCKER_API_VERSION; it looks like 1.41.",
        )
    return int(match[1]), int(match[2])


def chain_of(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from, outermost first; libraries hide the cause in arguments, too."""
    seen: set[int] = set()
    waiting: list[BaseException] = [error]
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        inner = [current.__cause__, current.__context__, getattr(current, "reason", None), *current.args]
        waiting += [cause for cause in inner if isinstance(cause, BaseException)]
