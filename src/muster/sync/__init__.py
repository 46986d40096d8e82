# SPDX-License-Identifier: Apache-2.0
"""From journal to ledger and back to the phone: apply, pull, held list."""
