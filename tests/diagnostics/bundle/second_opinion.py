"""detect-secrets, a scanner that knows nothing of how a bundle is cleaned."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.settings import transient_settings

from tradebot_ops.settings.secret import SHOWN

#: They find every id, hash and address.
_NOISY = {"Base64HighEntropyString", "HexHighEntropyString", "IPPublicDetector"}


def found_in(paths: Iterable[Path]) -> list[tuple[str, str, str]]:
    """File, kind and value of each secret; what was hidden is none."""
    kinds: Mapping[str, Any] = get_mapping_from_secret_type_to_class()
    names = [kind.__name__ for kind in kinds.values()]
    secrets = SecretsCollection()
    with transient_settings({"plugins_used": [{"name": name} for name in names if name not in _NOISY]}):
        for path in paths:
            secrets.scan_file(str(path))
    each = [(Path(file).name, secret.type, secret.secret_value or "") for file, secret in secrets]
    return sorted(found for found in each if SHOWN not in found[2])
