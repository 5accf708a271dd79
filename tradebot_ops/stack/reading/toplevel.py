"""Networks, volumes, secrets and configs declared at the top of the description."""

from collections.abc import Mapping

from tradebot_ops.stack.model import Network, SecretFile, Volume
from tradebot_ops.stack.problems import Code
from tradebot_ops.stack.reading.document import Item
from tradebot_ops.stack.reading.mounts import Paths
from tradebot_ops.stack.reading.read import Reader

NETWORK = frozenset({"name", "driver", "internal", "external"})
VOLUME = frozenset({"name", "driver", "external"})
FILE = frozenset({"file"})


def read_networks(reader: Reader, item: Item | None, project: str) -> dict[str, Network]:
    """Declared networks, and the ``default`` one every project has."""
    found = {"default": Network(f"{project}_default")}
    for key, child in reader.mapping(item).items():
        fields = reader.fields(child, NETWORK)
        external = reader.boolean(fields.get("external"))
        found[key] = Network(
            name=_full_name(reader, fields, project, key, external=external),
            driver=reader.text(fields.get("driver")),
            internal=reader.boolean(fields.get("internal")),
            external=external,
        )
    return found


def read_volumes(reader: Reader, item: Item | None, project: str) -> dict[str, Volume]:
    found = {}
    for key, child in reader.mapping(item).items():
        fields = reader.fields(child, VOLUME)
        external = reader.boolean(fields.get("external"))
        name = _full_name(reader, fields, project, key, external=external)
        found[key] = Volume(name, external, reader.text(fields.get("driver")))
    return found


def _full_name(reader: Reader, fields: Mapping[str, Item], project: str, key: str, *, external: bool) -> str:
    return reader.text(fields.get("name")) or (key if external else f"{project}_{key}")


def read_files(reader: Reader, item: Item | None, paths: Paths, *, must_exist: bool) -> dict[str, SecretFile]:
    """Secrets or configs. Only configs must exist: missing secrets are made at the first ``up``."""
    found = {}
    for key, child in reader.mapping(item).items():
        fields = reader.fields(child, FILE)
        for file in reader.required(child, fields, "file"):
            path = paths.resolve(reader.text(file))
            if must_exist and not path.is_file():
                reader.fail(file, f"names {path}, which does not exist", "Create it.", Code.MISSING_FILE)
            found[key] = SecretFile(key, path, _derive(reader, fields.get("x-tradebot")))
    return found


def _derive(reader: Reader, item: Item | None) -> str:
    return reader.text(reader.fields(item, frozenset({"derive"})).get("derive"))
