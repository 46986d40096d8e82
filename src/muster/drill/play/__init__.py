# SPDX-License-Identifier: Apache-2.0
"""The day player: truth behind doors, what a crew knows, one visit, the walk, the phones, the loop."""
