# SPDX-License-Identifier: Apache-2.0
"""Lists taken out of the register: what a screen shows, with the same filters, as a spreadsheet."""
