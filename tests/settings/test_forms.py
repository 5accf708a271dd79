"""How settings may be written, at both ends of what is allowed."""

from collections.abc import Callable

import pytest

from tradebot_ops.settings import forms


@pytest.mark.parametrize("text", ["1h", " 15d ", "2w", "1y"])
def test_a_time_to_keep(text: str) -> None:
    assert forms.keeping(text) == text.strip()


@pytest.mark.parametrize("text", ["", "0d", "0h", "-1d", "15", "15 parsecs"])
def test_no_time_to_keep(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time to keep; write hours, days, weeks or years"):
        forms.keeping(text)


@pytest.mark.parametrize(("text", "meant"), [("1", "1"), (" 65535 ", "65535"), ("08010", "8010")])
def test_a_port(text: str, meant: str) -> None:
    assert forms.port(text) == meant


@pytest.mark.parametrize("text", ["0", "65536", "-1", "", "8.0", "1e3"])
def test_no_port(text: str) -> None:
    with pytest.raises(ValueError, match="is not a whole number from 1 to 65535"):
        forms.port(text)


@pytest.mark.parametrize(("text", "meant"), [("8010", "8010"), ("9091-9096", "9091-9096"), ("9091-9091", "9091-9091")])
def test_ports(text: str, meant: str) -> None:
    assert forms.ports(text) == meant


@pytest.mark.parametrize(("text", "why"), [("9092-9091", "ends before it begins"), ("9091-", "whole number")])
def test_no_ports(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        forms.ports(text)


@pytest.mark.parametrize(("text", "meant"), [("1MB", "1048576"), ("2 gb", str(2 * 1024**3))])
def test_a_size_in_bytes(text: str, meant: str) -> None:
    assert forms.size(text) == meant


@pytest.mark.parametrize(
    ("form", "text", "meant"),
    [
        (forms.kilobytes, "256MB", "262144kB"),
        (forms.megabytes, "1GB", "1024MB"),
        (forms.switch, " ON ", "on"),
        (forms.switch, "", ""),
        (forms.address, " 0.0.0.0 ", "0.0.0.0"),
        (forms.host, "Trading.Example.COM", "trading.example.com"),
        (forms.host, "::1", "::1"),
        (forms.name, " Freqtrade ", "freqtrade"),
        (forms.name, "", ""),
        (forms.private_address, "http://10.0.0.1:8080/", "http://10.0.0.1:8080"),
        (forms.private_address, "https://bot.example.com", "https://bot.example.com"),
        (forms.private_address, "", ""),
        (forms.one_of("info", "debug"), "INFO", "info"),
    ],
)
def test_the_form_in_which_services_read_it(form: Callable[[str], str], text: str, meant: str) -> None:
    assert form(text) == meant


@pytest.mark.parametrize(
    ("form", "text", "why"),
    [
        (forms.switch, "perhaps", "is neither on nor off"),
        (forms.address, "localhost", "is not an address"),
        (forms.address, "::1", "is not an address"),
        (forms.host, "1.2.3", "is neither a host name nor an address"),
        (forms.host, "a b", "is neither a host name nor an address"),
        (forms.name, "9lives", "is not a name"),
        (forms.private_address, "http://8.8.8.8", "is a public address"),
        (forms.private_address, "http://user@10.0.0.1", "without a login"),
        (forms.private_address, "http://10.0.0.1:0", "without a login"),
        (forms.private_address, "ftp://10.0.0.1", "without a login"),
        (forms.one_of("info", "debug"), "loud", "is not one of info, debug"),
    ],
)
def test_what_is_wrong_and_what_to_write(form: Callable[[str], str], text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        form(text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("load_candles=3600", "load_candles=3600"),
        (" load_candles=1h , sweep=1h30m,", "load_candles=3600,sweep=5400"),
        ("my-type=1s", "my-type=1"),
        ("", ""),
    ],
)
def test_time_limits_of_types(text: str, meant: str) -> None:
    assert forms.time_limits(text) == meant


@pytest.mark.parametrize(
    "text", ["sweep", "sweep=", "=60", "sweep=0", "sweep=1500ms", "sweep=soon", "a b=1h", "s=169h"]
)
def test_no_time_limit(text: str) -> None:
    with pytest.raises(
        ValueError, match="is not a type with a time from 1s to 168h; write one such as load_candles=1h$"
    ):
        forms.time_limits(text)


ON, OFF = ("on", "true", "yes", "1"), ("", "off", "false", "no", "0")


@pytest.mark.parametrize("word", [*ON, *OFF])
def test_a_switch(word: str) -> None:
    assert forms.switch(word) == forms.switch(word.upper()) == word
    assert {forms.is_on(written) for written in (word, word.upper(), word.title(), f" {word} ")} == {word in ON}


@pytest.mark.parametrize(("text", "why"), [("loud", "'loud' is not one of info, debug")])
def test_a_word_that_is_none_of_these(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=f"^{why}$"):
        forms.one_of("info", "debug")(text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [("-2", "-2"), (" 5 ", "5"), ("003", "3"), ("-3", ""), ("6", ""), ("1.0", ""), ("1_0", ""), ("", "")],
)
def test_a_whole_number_between_two_bounds(text: str, meant: str) -> None:
    check = forms.whole(-2, 5)
    if meant:
        assert check(text) == meant
        return
    with pytest.raises(ValueError, match=f"^'{text}' is not a whole number from -2 to 5$"):
        check(text)


@pytest.mark.parametrize(
    ("form", "text", "said"),
    [
        (forms.keeping, "15", "'15' is not a time to keep; write hours, days, weeks or years, such as 15d"),
        (
            forms.switch,
            "loud",
            "'loud' is neither on nor off; write one of on, true, yes, 1, off, false, no, 0",
        ),
        (forms.address, "x", "'x' is not an address; write 127.0.0.1, 0.0.0.0, or one that `ip address` shows"),
        (forms.host, "a b", "'a b' is neither a host name nor an address; write one such as trading.example.com"),
        (forms.ports, "2-1", "'2-1' ends before it begins"),
        (forms.name, "9", "'9' is not a name; write letters, digits and dashes"),
        (
            forms.private_address,
            "x",
            "'x' is not an address without a login; write one such as http://127.0.0.1:8080",
        ),
        (
            forms.private_address,
            "http://8.8.8.8",
            "'http://8.8.8.8' is a public address, where others would read the password; use a tunnel or https",
        ),
    ],
)
def test_all_that_is_said_of_a_wrong_value(form: Callable[[str], str], text: str, said: str) -> None:
    with pytest.raises(ValueError, match=".") as caught:
        form(text)
    assert str(caught.value) == said
