# SPDX-License-Identifier: Apache-2.0
"""Pure planning engines: (problem, seed) -> plan, with an independent check, a bound and reasons."""
