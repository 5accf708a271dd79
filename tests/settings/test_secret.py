"""A secret that keeps to itself: whatever is done to it but ``reveal`` shows ``[REDACTED]`` or fails."""

import base64
import copy
import csv
import dataclasses
import html
import inspect
import io
import json
import logging
import marshal
import os
import pickle
import pprint
import re
import reprlib
import shlex
import string
import traceback
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from rich.console import Console
from rich.pretty import pretty_repr
from rich.traceback import Traceback

from tradebot_ops.settings import Secret

#: Its first character stands in no source and no library, so that a find is no coincidence.
SECRETS = st.text(min_size=6, max_size=40).map("\N{OGHAM LETTER RUIS}".__add__)


@dataclasses.dataclass(frozen=True)
class Holder:
    user: str
    password: Secret


def held(secret: Secret) -> Holder:
    return Holder("ann", secret)


def logged(secret: Secret) -> str:
    stream = io.StringIO()
    logger = logging.Logger("test")  # noqa: LOG001 - one that nobody else sees
    logger.addHandler(handler := logging.StreamHandler(stream))
    handler.setFormatter(logging.Formatter("%(message)s %(args)s %(extra)s"))
    logger.warning("%s %r %s", secret, secret, {"password": secret}, extra={"extra": secret})
    logger.warning(secret, extra={"extra": ""})
    return stream.getvalue()


def printed(secret: Secret) -> str:
    stream = io.StringIO()
    print(secret, [secret], file=stream)
    return stream.getvalue()


def dumped_by_csv(secret: Secret) -> str:
    stream = io.StringIO()
    csv.writer(stream).writerow([secret])
    return stream.getvalue()


def failed_with(secret: Secret) -> BaseException:
    """An exception from a frame whose locals hold the secret, alone and in other things."""
    holder, mapping = held(secret), {"password": secret}
    try:
        [holder][:0].index(holder)
    except ValueError as error:
        error.add_note(f"{secret} {holder} {mapping}")
        return error
    raise AssertionError


def traced_with_locals(secret: Secret) -> str:
    return "".join(traceback.TracebackException.from_exception(failed_with(secret), capture_locals=True).format())


def traced_by_rich(secret: Secret) -> str:
    error = failed_with(secret)
    console = Console(file=(stream := io.StringIO()), width=200)
    console.print(Traceback.from_exception(type(error), error, error.__traceback__, show_locals=True))
    return stream.getvalue()


def walked(secret: Secret) -> list[Any]:
    """What a debugger or serialiser finds that lists attributes."""
    slots = [getattr(secret, name) for name in type(secret).__slots__]
    return [*slots, *(value for name, value in inspect.getmembers(secret)), dir(secret)]


def unset(secret: Secret) -> None:
    os.environ["TRADEBOT_TEST_SECRET"] = secret  # type: ignore[assignment]


def matched(secret: Any) -> Any:
    match secret:
        case str(text) | [text, *_] | {"_value": text}:
            return text
    return None


WAYS_OUT: dict[str, Callable[[Any], Any]] = {
    "str": str,
    "repr": repr,
    "ascii": ascii,
    "format": format,
    "format with a width": lambda s: f"{s:>60}{s!r:^60}{s!s:_<60}",
    "format as a number": lambda s: f"{s:d}",
    "format of an attribute": lambda s: f"{s._value} {s}",
    "str.format_map": lambda s: "{s}".format_map({"s": s}),
    "percent": lambda s: "%s %r %a" % (s, s, s),  # noqa: UP031
    "percent on the left": lambda s: s % (),
    "template": lambda s: string.Template("$s").substitute(s=s),
    "as a template": lambda s: string.Template(s).substitute(),
    "+ text": lambda s: s + "x",
    "text +": lambda s: "x" + s,
    "*": lambda s: s * 2,
    "join": lambda s: ",".join(iter([s, s])),
    "join by it": lambda s: s.join("ab"),
    "in text": lambda s: s in "text",
    "text in it": lambda s: "t" in s,
    "text method": lambda s: s.upper(),
    "str's method": str.upper,
    "str's str": str.__str__,
    "object's repr": object.__repr__,
    "encode": lambda s: s.encode(),
    "str.encode": str.encode,
    "bytes": bytes,
    "bytes of a list": lambda s: bytes([s]),
    "bytearray": bytearray,
    "memoryview": memoryview,
    "int": int,
    "float": float,
    "list": list,
    "tuple": tuple,
    "dict": dict,
    "set": lambda s: {s},
    "iter": iter,
    "reversed": reversed,
    "unpacking": lambda s: [*s],
    "sorted": lambda s: sorted([s, s]),
    "max": lambda s: max(s, "a"),
    "len": len,
    "index": lambda s: s[0],
    "slice": lambda s: s[:],
    "step": lambda s: s[::-1],
    "pattern matching": matched,
    "json": json.dumps,
    "json of a list": lambda s: json.dumps([s]),
    "json of a key": lambda s: json.dumps({s: 1}),
    "json of a value": lambda s: json.dumps({"s": s}),
    "json by str": lambda s: json.dumps({"s": s}, default=str),
    "json by repr": lambda s: json.dumps({"s": s}, default=repr),
    "json by vars": lambda s: json.dumps({"s": s}, default=vars),
    "json without what it cannot": lambda s: json.dumps({s: s}, skipkeys=True),
    "pydantic": lambda s: TypeAdapter(Any).dump_json({"s": s}),
    "pydantic's text": lambda s: TypeAdapter(str).validate_python(s),
    "yaml": yaml.dump,
    "safe yaml": lambda s: yaml.safe_dump({"s": s}),
    "csv": dumped_by_csv,
    "marshal": marshal.dumps,
    **{f"pickle {number}": lambda s, number=number: pickle.dumps(s, number) for number in range(6)},  # type: ignore[misc]
    "pickle of a dataclass": lambda s: pickle.dumps(held(s)),
    "getstate": lambda s: s.__getstate__(),
    "reduce": lambda s: s.__reduce__(),
    "copy": copy.copy,
    "deepcopy": lambda s: copy.deepcopy({"s": s}),
    "vars": vars,
    "dict of attributes": lambda s: s.__dict__,
    "attributes": walked,
    "dataclass": held,
    "asdict": lambda s: dataclasses.asdict(held(s)),
    "astuple": lambda s: dataclasses.astuple(held(s)),
    "json of asdict": lambda s: json.dumps(dataclasses.asdict(held(s)), default=str),
    "replace": lambda s: dataclasses.replace(held(s), user="bob"),
    "reprlib": lambda s: reprlib.repr([s]),
    "pprint": lambda s: pprint.pformat({"s": [s]}),
    "rich": lambda s: pretty_repr(held(s)),
    "print": printed,
    "write": lambda s: io.StringIO().write(s),
    "log": logged,
    "exception": KeyError,
    "traceback": lambda s: "".join(traceback.format_exception(failed_with(s))),
    "traceback with locals": traced_with_locals,
    "traceback of rich": traced_by_rich,
    "path": os.fspath,
    "environment": unset,
    "regular expression": lambda s: re.sub("x", s, "axb"),
    "searched": lambda s: re.findall(".*", s),
    "base64": base64.b64encode,
    "quoted for URLs": urllib.parse.quote,
    "query of an URL": lambda s: urllib.parse.urlencode({"s": s}),
    "quoted for a shell": shlex.quote,
    "quoted for HTML": html.escape,
}


def tried(way: Callable[[Any], Any], secret: Secret) -> Any:
    """What comes out, be it an exception."""
    try:
        return way(secret)
    except Exception as error:  # noqa: BLE001 - a refusal of any kind will do, and must not show it either
        return error


def shown(result: Any) -> str:
    """All that somebody sees of a result: a closer look at containers shows their elements by themselves."""
    text = f"{result!s} {result!r} {result!a}"
    if isinstance(result, bytes | bytearray):
        return text + result.decode("utf-8", "replace") + result.decode("utf-16", "replace")
    if isinstance(result, BaseException):
        return text + shown(result.args)
    if isinstance(result, Mapping):
        return text + shown(list(result.items()))
    if isinstance(result, list | tuple | set | Iterator):
        elements = list(result)
        return text + "".join(map(shown, elements)) + "".join(map(str, elements))
    return text


def forms(value: str) -> set[str]:
    """How the value may look in a text."""
    raw = value.encode("utf-8", "surrogatepass")
    escaped = {ascii(value)[1:-1], json.dumps(value)[1:-1], repr(value)[1:-1], str(raw)[2:-1], value[::-1]}
    return {value, *escaped, urllib.parse.quote(raw), raw.hex(), base64.b64encode(raw).decode(), html.escape(value)}


@pytest.mark.parametrize("way", WAYS_OUT)
@given(value=SECRETS)
@example(value="\N{OGHAM LETTER RUIS}-{0}-%s-$s-\\")
def test_no_way_out_shows_the_value(way: str, value: str) -> None:
    seen = shown(tried(WAYS_OUT[way], Secret(value)))
    assert not [form for form in forms(value) if form in seen]


@pytest.mark.parametrize("way", ["+ text", "join", "json of a key", "json of a value", "list", "pickle 5", "reversed"])
def test_the_same_ways_show_a_mere_string(way: str) -> None:
    """Else the test above could not fail."""
    value: Any = "\N{OGHAM LETTER RUIS}hunter2"
    seen = shown(tried(WAYS_OUT[way], value))
    assert [form for form in forms(value) if form in seen]


@given(value=st.text())
def test_the_value_comes_out_where_it_is_asked_for(value: str) -> None:
    assert Secret(value).reveal() == value
    assert copy.deepcopy(Secret(value)).reveal() == value


@given(one=st.text(), other=st.text())
def test_secrets_are_equal_when_their_values_are_and_never_equal_a_string(one: str, other: str) -> None:
    assert (Secret(one) == Secret(other)) is (one == other)
    assert Secret(one) == Secret(one)
    assert hash(Secret(one)) == hash(Secret(one))
    assert (hash(Secret(one)) == hash(Secret(other))) is (one == other)
    assert Secret(one) != one


def test_a_text_that_repeats_it_is_cleaned() -> None:
    assert Secret("hunter2").hide_in("AUTH hunter2: no such command") == "AUTH [REDACTED]: no such command"
    assert Secret("").hide_in("as it was") == "as it was"


def test_it_is_laid_out_as_any_text_is() -> None:
    assert f"{Secret('hunter2'):>12}|{Secret('hunter2')}" == "  [REDACTED]|[REDACTED]"


def test_pickling_says_what_was_refused() -> None:
    with pytest.raises(TypeError, match=r"^A secret cannot be pickled\.$"):
        pickle.dumps(Secret("hunter2"))
