# SPDX-License-Identifier: Apache-2.0
"""Cities and days as data."""
