from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradebot_ops.stack.model import Condition, Dependency, Service, Stack
from tradebot_ops.stack.plan import Action, Plan, Step, dependency_levels, plan

DONE: dict[str, Any] = {"state": "exited", "exit_code": 0}


def service(name: str, *needs: str, **fields: object) -> Service:
    made = Service(name, f"{name}:1", (), spec_hash=f"{name}-spec", content_hash=f"{name}-content")
    return replace(made, depends_on=tuple(Dependency(need) for need in needs), **fields)  # type: ignore[arg-type]


def stack_of(*services: Service, inactive: tuple[str, ...] = ()) -> Stack:
    return Stack("demo", Path("/stack"), (), {one.name: one for one in services}, inactive=inactive)


STACK = stack_of(
    service("redis"),
    service("postgres"),
    service("migrate", "postgres", one_shot=True),
    service("api", "redis", "migrate"),
    service("worker", "redis", "migrate", replicas=2, scalable=True),
)


@dataclass(frozen=True)
class Observed:
    """A replica as an engine sees it."""

    service: str
    number: int
    spec_hash: str = ""
    content_hash: str = ""
    state: str = "running"
    exit_code: int | None = None
    id: str = ""


def seen(name: str, number: int = 1, **fields: object) -> Observed:
    return replace(Observed(name, number, f"{name}-spec", f"{name}-content"), **fields)  # type: ignore[arg-type]


RUNNING = (
    seen("redis"),
    seen("postgres"),
    seen("migrate", **DONE),
    seen("api"),
    seen("worker"),
    seen("worker", 2),
)


def without(*names: str) -> tuple[Observed, ...]:
    return tuple(one for one in RUNNING if one.service not in names)


def changes(made: Plan) -> list[tuple[str, str, int]]:
    return [(str(step.action), step.service, step.number) for step in made.changes]


def test_an_empty_world_gets_everything_in_levels() -> None:
    made = plan(STACK, [])
    assert [[(step.service, step.number) for step in level] for level in made.levels] == [
        [("redis", 1), ("postgres", 1)],
        [("migrate", 1)],
        [("api", 1), ("worker", 1), ("worker", 2)],
    ]
    assert {step.action for step in made.steps} == {Action.CREATE}


def test_a_world_as_described_needs_nothing_and_says_why() -> None:
    made = plan(STACK, RUNNING)
    assert made.changes == ()
    assert made.orphans == ()
    assert {step.reason for step in made.steps} == {"is as described", "is done"}


@pytest.mark.parametrize(
    ("found", "action", "reason"),
    [
        (seen("api", spec_hash="old"), Action.RECREATE, "its description changed"),
        (seen("api", spec_hash=""), Action.RECREATE, "was not made by tradebot"),
        (seen("api", spec_hash="old", content_hash="old"), Action.RECREATE, "its description changed"),
        (seen("api", content_hash="old"), Action.RESTART, "its mounted configuration changed and it cannot reload"),
        (seen("api", content_hash=""), Action.NOTHING, "is as described"),
        (seen("api", state="starting"), Action.NOTHING, "is as described"),
        (seen("api", state="created"), Action.START, "was never started"),
        (seen("api", state="paused"), Action.START, "is paused"),
        (seen("api", state="exited", exit_code=137), Action.START, "stopped with exit code 137"),
        (seen("api", state="exited"), Action.START, "stopped"),
        (seen("api", state="failed", exit_code=1), Action.START, "gave up with exit code 1"),
        (seen("api", state="restarting", exit_code=1), Action.RESTART, "keeps crashing with exit code 1"),
        (seen("api", state="dead"), Action.RECREATE, "is dead"),
    ],
)
def test_one_replica(found: Observed, action: Action, reason: str) -> None:
    made = plan(STACK, [*without("api"), found])
    assert [step for step in made.steps if step.service == "api"] == [Step(action, "api", 1, reason)]
    assert len(made.changes) == (action is not Action.NOTHING)


def test_a_service_that_can_reload_reloads_when_only_contents_changed() -> None:
    stack = stack_of(service("prometheus", reload="SIGHUP"))
    made = plan(stack, [seen("prometheus", content_hash="old")])
    assert made.changes == (Step(Action.RELOAD, "prometheus", 1, "its mounted configuration changed"),)


def test_a_stopped_service_starts_rather_than_reloads() -> None:
    stack = stack_of(service("prometheus", reload="SIGHUP"))
    made = plan(stack, [seen("prometheus", content_hash="old", state="exited", exit_code=0)])
    assert changes(made) == [("start", "prometheus", 1)]


@pytest.mark.parametrize(
    ("fields", "action", "reason"),
    [
        (DONE, Action.NOTHING, "is done"),
        ({"state": "running"}, Action.NOTHING, "is at work"),
        ({"state": "starting"}, Action.NOTHING, "is at work"),
        ({"state": "failed"}, Action.RECREATE, "failed"),
        ({"state": "created"}, Action.START, "was never started"),
        ({"state": "failed", "exit_code": 0}, Action.RECREATE, "failed with exit code 0"),
        ({"state": "restarting", "exit_code": 0}, Action.RECREATE, "failed with exit code 0"),
        ({"state": "exited"}, Action.RECREATE, "failed"),
        ({"state": "running", "content_hash": "old"}, Action.NOTHING, "is at work"),
        (DONE | {"spec_hash": ""}, Action.RECREATE, "was not made by tradebot"),
        ({"state": "exited", "exit_code": 3}, Action.RECREATE, "failed with exit code 3"),
        ({"state": "failed", "exit_code": 1}, Action.RECREATE, "failed with exit code 1"),
        (DONE | {"spec_hash": "old"}, Action.RECREATE, "its description changed"),
        (DONE | {"content_hash": "old"}, Action.RECREATE, "its mounted configuration changed"),
    ],
)
def test_a_one_shot_runs_again_only_when_it_must(fields: dict[str, Any], action: Action, reason: str) -> None:
    made = plan(STACK, [*without("migrate"), seen("migrate", **fields)])
    assert [step for step in made.steps if step.service == "migrate"] == [Step(action, "migrate", 1, reason)]


def test_a_rebuilt_image_recreates_every_replica() -> None:
    made = plan(STACK, RUNNING, rebuilt={"worker"})
    assert changes(made) == [("recreate", "worker", 1), ("recreate", "worker", 2)]
    assert {step.reason for step in made.changes} == {"its image was rebuilt"}


def test_edited_code_recreates_what_runs_it_and_runs_a_one_shot_again() -> None:
    made = plan(STACK, RUNNING, edited={"worker", "migrate"})
    assert changes(made) == [("recreate", "migrate", 1), ("recreate", "worker", 1), ("recreate", "worker", 2)]
    assert {step.reason for step in made.changes} == {"its code changed"}


def test_extra_replicas_leave_first_and_newest_first() -> None:
    made = plan(STACK, [*RUNNING, seen("worker", 3), seen("worker", 5), seen("worker", 4), seen("migrate", 2)])
    assert [step.action for step in made.levels[0]] == [Action.REMOVE] * 4
    assert changes(made) == [("remove", "migrate", 2), *[("remove", "worker", number) for number in (5, 4, 3)]]
    assert made.changes[-1].reason == "only 2 are wanted"


def test_a_hole_in_the_numbers_is_filled() -> None:
    assert changes(plan(STACK, [*without("worker"), seen("worker", 2)])) == [("create", "worker", 1)]


def test_a_gap_that_draining_left_stays_when_the_number_is_right() -> None:
    assert changes(plan(STACK, [*without("worker"), seen("worker"), seen("worker", 3)])) == []


def test_a_service_scaled_to_nothing_loses_all_its_replicas() -> None:
    stack = stack_of(service("worker", replicas=0))
    assert changes(plan(stack, [seen("worker")])) == [("remove", "worker", 1)]


def test_orphans_are_named_and_kept_unless_asked() -> None:
    world = [*RUNNING, seen("old-thing"), seen("old-thing", 2)]
    kept = plan(STACK, world)
    assert (kept.orphans, kept.changes) == (("old-thing",), ())
    gone = plan(STACK, world, remove_orphans=True)
    assert gone.orphans == ("old-thing",)
    assert changes(gone) == [("remove", "old-thing", 2), ("remove", "old-thing", 1)]
    assert gone.changes[0].reason == "its service is not described any more"


def test_orphans_are_named_once_and_by_name() -> None:
    world = [seen(name, number) for name in ("c", "a", "b", "e", "d") for number in (2, 1)]
    assert plan(STACK, [*RUNNING, *world]).orphans == ("a", "b", "c", "d", "e")


def test_a_service_of_a_profile_that_is_not_chosen_is_no_orphan() -> None:
    stack = replace(STACK, inactive=("grafana",))
    made = plan(stack, [*RUNNING, seen("grafana")], remove_orphans=True)
    assert (made.orphans, made.changes) == ((), ())


def test_only_chosen_services_are_touched() -> None:
    world = [seen("worker", 3), seen("api", spec_hash="old")]
    assert changes(plan(STACK, world, services=["redis"])) == [("create", "redis", 1)]


def test_the_engines_handle_is_carried_along() -> None:
    made = plan(STACK, [*RUNNING, seen("worker", 3, id="c0ffee")])
    assert made.changes[0].id == "c0ffee"


# --- Whatever the world looks like: after the plan is carried out there is nothing left to do.

NAMES = ("a", "b", "c", "d")
STATES = ("created", "starting", "running", "restarting", "paused", "exited", "failed", "dead")
HASHES = st.sampled_from(["", "old", "now"])


@st.composite
def stacks(draw: st.DrawFn) -> Stack:
    services: list[Service] = []
    for index, name in enumerate(draw(st.permutations(NAMES))[: draw(st.integers(1, 4))]):
        earlier = [other.name for other in services[:index]]
        one_shot = draw(st.booleans())
        services.append(
            Service(
                name,
                "image",
                (),
                depends_on=tuple(Dependency(need, Condition.HEALTHY) for need in earlier if draw(st.booleans())),
                replicas=1 if one_shot else draw(st.integers(0, 3)),
                one_shot=one_shot,
                reload=draw(st.sampled_from(["", "SIGHUP"])),
                spec_hash="now",
                content_hash=draw(st.sampled_from(["", "now"])),
            )
        )
    return stack_of(*draw(st.permutations(services)))


WORLDS = st.lists(
    st.builds(
        Observed,
        service=st.sampled_from((*NAMES, "stranger")),
        number=st.integers(1, 4),
        spec_hash=HASHES,
        content_hash=HASHES,
        state=st.sampled_from(STATES),
        exit_code=st.sampled_from([None, 0, 1]),
    ),
    unique_by=lambda one: (one.service, one.number),
    max_size=10,
)


def carry_out(stack: Stack, world: Iterable[Observed], steps: Iterable[Step]) -> list[Observed]:
    """What an engine would make of the steps: every start leads to a replica as described."""
    now = {(one.service, one.number): one for one in world}
    for step in steps:
        key = (step.service, step.number)
        if step.action is Action.REMOVE:
            del now[key]
        elif step.action is not Action.NOTHING:
            target = stack.services[step.service]
            outcome = DONE if target.one_shot else {"state": "running", "exit_code": None}
            hashes = {"spec_hash": target.spec_hash, "content_hash": target.content_hash}
            now[key] = Observed(step.service, step.number, **hashes, **outcome)  # type: ignore[arg-type]
    return list(now.values())


@given(stacks(), WORLDS, st.booleans())
def test_a_plan_carried_out_leaves_nothing_to_do(stack: Stack, world: list[Observed], remove: bool) -> None:
    after = carry_out(stack, world, plan(stack, world, remove_orphans=remove).steps)
    assert plan(stack, after, remove_orphans=remove).changes == ()


@given(stacks(), WORLDS)
def test_every_replica_has_exactly_one_step_and_as_many_stay_as_are_wanted(stack: Stack, world: list[Observed]) -> None:
    made = plan(stack, world)
    told = [(step.service, step.number) for step in made.steps]
    assert len(told) == len(set(told))
    staying = Counter(step.service for step in made.steps if step.action is not Action.REMOVE)
    assert staying == Counter({one.name: one.replicas for one in stack.services.values()})
    assert {(one.service, one.number) for one in world if one.service in stack.services} <= set(told)
    depth = {name: level for level, names in enumerate(dependency_levels(stack)) for name in names}
    for one in stack.services.values():
        assert all(depth[need.service] < depth[one.name] for need in one.depends_on)


@given(stacks(), WORLDS, st.randoms())
def test_the_order_in_which_the_engine_lists_does_not_matter(
    stack: Stack, world: list[Observed], random: object
) -> None:
    shuffled = list(world)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert plan(stack, world) == plan(stack, shuffled)


def test_who_is_off_a_network_is_made_anew_and_the_others_stay() -> None:
    found = plan(STACK, RUNNING, detached={("worker", 2): "demo_default", ("migrate", 1): "demo_default"})
    assert [(step.action, step.label, step.reason) for step in found.changes] == [
        (Action.RECREATE, "worker-2", "is not on the network demo_default")
    ]


def test_a_reload_that_would_read_the_old_file_is_a_restart() -> None:
    stack = stack_of(service("redis", reload="SIGHUP"), service("api", reload="SIGHUP"))
    edited = (seen("redis", content_hash="old"), seen("api", content_hash="old"))
    found = plan(stack, edited, replaced={("api", 1)})
    assert {step.service: step.action for step in found.changes} == {"redis": Action.RELOAD, "api": Action.RESTART}
    same = plan(stack, (seen("redis"), seen("api")), replaced={("api", 1)})
    assert not same.changes


def test_each_step_has_its_reason() -> None:
    stack = stack_of(service("api", replicas=2), service("worker", replicas=0), service("web"))
    world = [seen("api", 1), seen("worker", 1), seen("web", 1), seen("web", 2), seen("gone", 1)]
    made = plan(stack, world, remove_orphans=True)
    assert {(step.label, step.reason) for step in made.changes} == {
        ("api-2", "does not exist yet"),
        ("worker-1", "none is wanted"),
        ("web-2", "only 1 is wanted"),
        ("gone-1", "its service is not described any more"),
    }
    stack = stack_of(service("api", replicas=2))
    [step] = plan(stack, [seen("api", number) for number in (1, 2, 3)]).changes
    assert step.reason == "only 2 are wanted"


def test_a_mounted_file_that_was_replaced_is_said_to_be_one() -> None:
    stack = stack_of(service("prometheus", reload="SIGHUP"))
    [step] = plan(stack, [seen("prometheus", content_hash="old")], replaced={("prometheus", 1)}).changes
    assert (step.action, step.reason) == (
        Action.RESTART,
        "its mounted file was replaced, and a reload would read the old one",
    )


def test_an_empty_stack_has_no_levels() -> None:
    assert dependency_levels(stack_of()) == ()
    stack = stack_of(service("a", "b"), service("b"), service("c", "a", "b"), service("d"))
    assert dependency_levels(stack) == (("b", "d"), ("a",), ("c",))


def test_a_service_that_nobody_described_is_not_asked_for() -> None:
    assert plan(stack_of(service("a")), [], services=["a", "gone"]).changes[0].service == "a"


def test_an_image_that_was_rebuilt_is_said_before_its_code() -> None:
    found = plan(STACK, RUNNING, rebuilt={"api"}, edited={"api", "redis"})
    assert {step.service: step.reason for step in found.changes} == {
        "api": "its image was rebuilt",
        "redis": "its code changed",
    }


def test_only_the_replica_whose_file_was_replaced_restarts() -> None:
    stack = stack_of(service("worker", reload="SIGHUP", replicas=3))
    edited = [seen("worker", number, content_hash="old") for number in (1, 2, 3)]
    found = plan(stack, edited, replaced={("worker", 2), ("other", 1)})
    assert [step.action for step in found.steps] == [Action.RELOAD, Action.RESTART, Action.RELOAD]


def test_a_replica_is_judged_by_the_weightiest_reason() -> None:
    """A change of the description before a new image, that before a network, and that before how it is."""
    stack = stack_of(service("api", reload="SIGHUP"))
    off = {("api", 1): "demo_default"}
    worst = seen("api", spec_hash="old", content_hash="old", state="exited")
    reasons = [
        plan(stack, [worst], rebuilt={"api"}, detached=off).steps[0].reason,
        plan(stack, [replace(worst, spec_hash="api-spec")], rebuilt={"api"}, detached=off).steps[0].reason,
        plan(stack, [replace(worst, spec_hash="api-spec")], detached=off).steps[0].reason,
        plan(stack, [replace(worst, spec_hash="api-spec")]).steps[0].reason,
        plan(stack, [replace(worst, spec_hash="api-spec", state="running")]).steps[0].reason,
    ]
    assert reasons == [
        "its description changed",
        "its image was rebuilt",
        "is not on the network demo_default",
        "stopped",
        "its mounted configuration changed",
    ]
