# SPDX-License-Identifier: Apache-2.0
"""What everybody may import: clock, ids, errors, terms, messages, crypto, codes. Pure Python, no Django."""
