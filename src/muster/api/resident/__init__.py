# SPDX-License-Identifier: Apache-2.0
"""The resident's pages: plain HTML of a few kB, no account, no script (点单)."""
