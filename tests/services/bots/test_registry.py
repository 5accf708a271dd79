"""Adapters are found, not listed."""

from services.bots.registry import adapters


def test_each_module_of_the_folder_is_an_adapter_by_its_name() -> None:
    assert adapters().keys() == {"freqtrade"}
