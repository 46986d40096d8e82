# SPDX-License-Identifier: Apache-2.0
"""Muster (每一户): reach every household; no household, no person missed."""

__version__ = "0.1.0"
