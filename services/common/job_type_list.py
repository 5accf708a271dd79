"""The job types of this installation, as ``GET /job-types`` gives them; ``tradebot`` runs this where no API answers.

``python -m services.common.job_type_list`` writes the document.
"""

import json
import sys
from typing import Any

from services.common.jobtypes import Registry, registry


def job_type_list(found: Registry) -> dict[str, Any]:
    """Every type with the JSON schema of its payload, and the plug-ins that could not be loaded."""
    types = [
        {
            "name": job_type.name,
            "version": job_type.version,
            "schema": job_type.schema(),
            "timeout_s": job_type.timeout_s,
            "max_attempts": job_type.max_attempts,
        }
        for _, job_type in sorted(found.types.items())
    ]
    return {
        "job_types": types,
        "quarantined": [{"name": each.name, "error": each.error} for each in found.quarantined],
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(job_type_list(registry())))
