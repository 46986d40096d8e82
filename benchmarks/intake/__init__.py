# SPDX-License-Identifier: Apache-2.0
"""How much the front door takes, and what it does with more."""
