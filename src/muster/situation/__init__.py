# SPDX-License-Identifier: Apache-2.0
"""Read-only pictures: coverage, missing lists, map layers, snapshots."""
