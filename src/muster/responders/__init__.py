# SPDX-License-Identifier: Apache-2.0
"""Responders: people who serve. Check-in, skills, teams, posts, reinforcement (报到 下沉 增援)."""
