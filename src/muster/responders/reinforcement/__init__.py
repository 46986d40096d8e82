# SPDX-License-Identifier: Apache-2.0
"""Reinforcement (增援): an area asks for people, units send them, they arrive, serve and go home (下沉)."""
