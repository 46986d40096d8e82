# SPDX-License-Identifier: Apache-2.0
"""The `muster` command: thin; each module registers its sub-commands."""
