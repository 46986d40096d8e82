# SPDX-License-Identifier: Apache-2.0
"""Placement: who serves where. A plan is proposed, changed by hand, adopted, taken back."""
