# SPDX-License-Identifier: Apache-2.0
"""Campaigns, rounds, rosters and ledger entries: who must be reached, and who has been."""
