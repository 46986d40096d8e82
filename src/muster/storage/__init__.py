# SPDX-License-Identifier: Apache-2.0
"""How rows are kept: sealed fields, ledger tables, refusing managers, short writes. Django plumbing, no
domain.
"""
