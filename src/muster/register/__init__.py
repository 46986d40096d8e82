# SPDX-License-Identifier: Apache-2.0
"""Households, persons and their needs: the ledger of who lives where."""
