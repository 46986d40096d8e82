# SPDX-License-Identifier: Apache-2.0
"""Sheets: a round's list on paper or as a spreadsheet, and what comes back on it."""
