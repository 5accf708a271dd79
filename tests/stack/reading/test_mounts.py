"""Mounts, secrets and configs of a service in each spelling, and what is said of one that is none."""

from pathlib import Path

import pytest

from tests.stack.reading.kit import fields, read
from tradebot_ops.stack.model import Mount, MountKind, SecretMount
from tradebot_ops.stack.reading.mounts import Paths, read_mounts, read_references

HINT = "Write ./folder:/where/it/appears:ro or volume-name:/where/it/appears."
BIND, VOLUME, TMPFS = MountKind
HERE = Paths(Path("/"), "/root")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("conf", "/stack/conf"),
        ("./conf/", "/stack/conf"),
        ("../conf", "/conf"),
        ("/etc/conf", "/etc/conf"),
        ("~", "/home/ana"),
        ("~/conf", "/home/ana/conf"),
        ("~bo/conf", "/stack/~bo/conf"),
        ("a/~", "/stack/a/~"),
    ],
)
def test_a_path_starts_from_the_stacks_folder_or_from_home(text: str, path: str) -> None:
    assert Paths(Path("/stack"), "/home/ana").resolve(text) == Path(path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("volumes: [data:/data]", Mount(VOLUME, "data", "/data")),
        ("volumes: ['data:/data:ro']", Mount(VOLUME, "data", "/data", read_only=True)),
        ("volumes: ['data:/data:rw']", Mount(VOLUME, "data", "/data")),
        ("volumes: ['data:/data:cached']", Mount(VOLUME, "data", "/data")),
        ("volumes: ['data:/data:consistent,ro']", Mount(VOLUME, "data", "/data", read_only=True)),
        ("volumes: ['data:/data:ro,delegated']", Mount(VOLUME, "data", "/data", read_only=True)),
        ("volumes: ['./etc:/e']", Mount(BIND, "/etc", "/e")),
        ("volumes: ['/etc:/e:ro']", Mount(BIND, "/etc", "/e", read_only=True)),
        ("volumes: ['~/..:/e']", Mount(BIND, "/", "/e")),
        ("volumes: [{type: volume, source: data, target: /data}]", Mount(VOLUME, "data", "/data")),
        (
            "volumes: [{type: volume, source: data, target: /data, read_only: true}]",
            Mount(VOLUME, "data", "/data", read_only=True),
        ),
        (
            "volumes: [{type: bind, source: ./etc, target: /e, bind: {create_host_path: false}, read_only: false}]",
            Mount(BIND, "/etc", "/e"),
        ),
        (
            "volumes: [{type: tmpfs, target: /t, tmpfs: {size: 1k, mode: 0700}}]",
            Mount(TMPFS, "", "/t", size=1024, mode=0o700),
        ),
        ("volumes: [{type: tmpfs, target: /t}]", Mount(TMPFS, "", "/t")),
        ("tmpfs: /t", Mount(TMPFS, "", "/t")),
        ("tmpfs: ['/t:mode=0700,,size=1k']", Mount(TMPFS, "", "/t", size=1024, mode=0o700)),
        ("tmpfs: /t:size=1k", Mount(TMPFS, "", "/t", size=1024)),
        ("tmpfs: /t:mode=1777", Mount(TMPFS, "", "/t", mode=0o1777)),
    ],
)
def test_a_mount(text: str, expected: Mount) -> None:
    found, told = read(f"it: {{{text}}}\n", lambda reader, item: read_mounts(reader, fields(item), HERE))
    assert (found, told) == ((expected,), [])


def test_those_of_both_keys_in_their_order() -> None:
    text = "it: {tmpfs: [/c, /d], volumes: ['a:/a', 'b:/b']}\n"
    found, _ = read(text, lambda reader, item: read_mounts(reader, fields(item), HERE))
    assert [each.target for each in found] == ["/a", "/b", "/c", "/d"]


NEEDS = "needs an absolute `target`, and a `source` unless it is a tmpfs"
OCTAL = "Write octal digits with a leading 0, such as 0400."
KEY = "is a key tradebot does not read"
TEMPORARY = "Write /path or /path:size=64m,mode=1777."


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        ("volumes: [/x]", "volumes[0]", "is '/x', which names no source and absolute target", HINT),
        ("volumes: ['a:x']", "volumes[0]", "is 'a:x', which names no source and absolute target", HINT),
        ("volumes: [':/x']", "volumes[0]", "is ':/x', which names no source and absolute target", HINT),
        ("volumes: ['a:/x:rslave']", "volumes[0]", "has the mode 'rslave'", "Write ro or rw."),
        ("volumes: ['a:/x:ro,rw']", "volumes[0]", "has the mode 'ro,rw'", "Write ro or rw."),
        ("volumes: ['a:/x:ro,z']", "volumes[0]", "has the mode 'ro,z'", "Write ro or rw."),
        (
            "volumes: [{type: npipe, source: a, target: /x}]",
            "volumes[0].type",
            "is 'npipe'",
            "Write one of: bind, volume, tmpfs.",
        ),
        ("volumes: [{source: a, target: /x}]", "volumes[0]", "has no `type`", "Add a `type:` line."),
        ("volumes: [{type: volume, source: a, target: x}]", "volumes[0]", NEEDS, HINT),
        ("volumes: [{type: volume, source: a}]", "volumes[0]", NEEDS, HINT),
        ("volumes: [{type: volume, target: /x}]", "volumes[0]", NEEDS, HINT),
        ("volumes: [{type: bind, target: /x}]", "volumes[0]", NEEDS, HINT),
        ("volumes: [{type: tmpfs, source: a, target: /x}]", "volumes[0]", NEEDS, HINT),
        (
            "volumes: [{type: bind, source: /etc, target: /x, bind: {create_host_path: true}}]",
            "volumes[0].bind.create_host_path",
            "is true; a missing source is an error here",
            "Write false.",
        ),
        (
            "volumes: [{type: tmpfs, target: /x, tmpfs: {mode: 700}}]",
            "volumes[0].tmpfs.mode",
            "is '700'",
            OCTAL,
        ),
        ("tmpfs: t", "tmpfs", "is 't'", TEMPORARY),
        ("tmpfs: [/t:noexec]", "tmpfs[0]", "is '/t:noexec'", TEMPORARY),
        ("tmpfs: ['/t:uid=1']", "tmpfs[0]", "is '/t:uid=1'", TEMPORARY),
        ("tmpfs: ['/t:size=lots']", "tmpfs[0]", "is '/t:size=lots'", TEMPORARY),
        ("tmpfs: ['/t:mode=9']", "tmpfs[0]", "is '/t:mode=9'", TEMPORARY),
    ],
)
def test_what_is_no_mount_says_where_and_what_to_write(text: str, place: str, message: str, hint: str) -> None:
    _, told = read(f"it: {{{text}}}\n", lambda reader, item: read_mounts(reader, fields(item), HERE))
    assert told == [("TB-0815", f"1: it.{place}", message, hint)]


@pytest.mark.parametrize(
    ("text", "key", "names"),
    [
        ("{type: bind, source: /, target: /x, size: 1}", "size", "bind, read_only, source, target, tmpfs, type"),
        ("{type: bind, source: /, target: /x, bind: {selinux: z}}", "bind.selinux", "create_host_path"),
        ("{type: tmpfs, target: /x, tmpfs: {uid: 1}}", "tmpfs.uid", "mode, size"),
    ],
)
def test_a_key_of_a_mount_that_nothing_reads(text: str, key: str, names: str) -> None:
    _, told = read(f"it: {{volumes: [{text}]}}\n", lambda reader, item: read_mounts(reader, fields(item), HERE))
    said = f"Supported here: {names}."
    assert told == [("TB-0813", f"1: it.volumes[0].{key}", KEY, said)]


def test_a_folder_that_is_not_there_is_named_as_it_was_looked_for(tmp_path: Path) -> None:
    found, told = read(
        "it: {volumes: ['./gone:/x:ro']}\n",
        lambda reader, item: read_mounts(reader, fields(item), Paths(tmp_path, "")),
    )
    assert found == (Mount(BIND, str(tmp_path / "gone"), "/x", read_only=True),)
    hint = "Create it or correct the path. An engine would make an empty folder of it."
    assert told == [("TB-0816", "1: it.volumes[0]", f"mounts {tmp_path}/gone, which does not exist", hint)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[]", ()),
        ("", ()),
        ("[key]", (SecretMount("key", "/run/secrets/key"),)),
        ("[{source: key}]", (SecretMount("key", "/run/secrets/key"),)),
        ("[{source: key, target: other}]", (SecretMount("key", "/run/secrets/other"),)),
        ("[{source: key, target: /etc/key, mode: 0440}]", (SecretMount("key", "/etc/key", 0o440),)),
        (
            "[{source: k, mode: 0o400}, b]",
            (SecretMount("k", "/run/secrets/k", 0o400), SecretMount("b", "/run/secrets/b")),
        ),
    ],
)  # fmt: skip
def test_secrets_as_a_service_sees_them(text: str, expected: tuple[SecretMount, ...]) -> None:
    assert read(f"it: {text}\n", lambda reader, item: read_references(reader, item, "/run/secrets")) == (expected, [])


@pytest.mark.parametrize(
    ("text", "code", "place", "message", "hint"),
    [
        ("{target: a}", "TB-0815", "[0]", "has no `source`", "Add a `source:` line."),
        ("{source: a, mode: 400}", "TB-0815", "[0].mode", "is '400'", OCTAL),
        ("{source: a, mode: 0888}", "TB-0815", "[0].mode", "is '0888'", OCTAL),
        ("{source: a, uid: 1}", "TB-0813", "[0].uid", KEY, "Supported here: mode, source, target."),
    ],
)  # fmt: skip
def test_what_is_no_secret_of_a_service(text: str, code: str, place: str, message: str, hint: str) -> None:
    _, told = read(f"it: [{text}]\n", lambda reader, item: read_references(reader, item, "/"))
    assert told == [(code, f"1: it{place}", message, hint)]
