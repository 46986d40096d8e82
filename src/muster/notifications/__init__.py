# SPDX-License-Identifier: Apache-2.0
"""One outbox: what is told to somebody outside the screen, with a delivery state of its own."""
