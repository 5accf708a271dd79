"""A table of numbers as a picture."""

import pytest

from tradebot_ops.text.heat import Axis, heat_map


def test_the_higher_the_darker() -> None:
    lines = heat_map(Axis("fast", [5, 10]), Axis("slow", [20, 40, 60]), [[0.0, 1.0, 2.0], [3.0, None, 4.0]])
    assert lines == [
        "fast  slow 20 … 60",
        "   5    ░░▒▒",
        "  10  ▓▓··██",
        "      [ ] 0  [░] 1  [▒] 2  [▓] 3  [█] 4  [·] none",
    ]


def test_neighbours_share_a_field_where_there_is_no_room() -> None:
    cells = [[float(row >= 50)] * 150 for row in range(100)]
    lines = heat_map(Axis("fast", range(1, 101)), Axis("slow", range(1, 151)), cells)
    assert max(map(len, lines)) <= 80
    assert len(lines) == 23
    assert lines[1:21] == [f"{5 * number + 1:>4}  {(' ' if number < 10 else '█') * 50}" for number in range(20)]
    assert lines[-1].strip() == "A field is the mean of 5 × 3 runs."


def test_a_field_is_the_mean_of_what_is_there() -> None:
    cells: list[list[float | None]] = [[0.0, 0.0], *[[4.0, None]] * 20]
    lines = heat_map(Axis("z", range(21)), Axis("window", [1, 2]), cells)
    assert lines[1:3] == [" 0  ▒▒  ", " 2  ██··"]


@pytest.mark.parametrize("value", [0.7, 0.0])
def test_one_value_alone_is_the_highest(value: float) -> None:
    assert heat_map(Axis("a", [1]), Axis("b", [1, 2]), [[value, None]])[1] == "1  ██··"


def test_nothing_is_said() -> None:
    assert heat_map(Axis("a", [1]), Axis("b", [1]), [[None]]) == ["(no values)"]
