# SPDX-License-Identifier: Apache-2.0
"""Requests: residents order, the community dispatches, people accept (点单 派单 接单)."""
