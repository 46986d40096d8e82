# SPDX-License-Identifier: Apache-2.0
"""The wheel's dependencies are the lines of requirements/runtime.in: one list, read by people and builds
alike.
"""

from pathlib import Path

from hatchling.metadata.plugin.interface import MetadataHookInterface


class RequirementsHook(MetadataHookInterface):
    """Fills `dependencies` from requirements/runtime.in."""

    def update(self, metadata: dict) -> None:
        lines = Path(self.root, "requirements", "runtime.in").read_text(encoding="utf-8").splitlines()
        metadata["dependencies"] = [line for line in lines if line and not line.startswith(("#", "-"))]
