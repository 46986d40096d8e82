# SPDX-License-Identifier: Apache-2.0
"""Areas, grids, compounds, buildings, dwellings, gates: where people are."""
