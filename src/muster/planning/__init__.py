# SPDX-License-Identifier: Apache-2.0
"""Pure planning engines: (problem, seed) -> plan, with an independent check, a bound and reasons."""

from muster.planning._kernel.keeping import settle_place

# Before any engine is imported: numba looks for a place to keep what it compiled as it meets each kernel.
settle_place()
