# SPDX-License-Identifier: Apache-2.0
"""What happened, kept: facts, events and who looked at whom. Append-only."""
