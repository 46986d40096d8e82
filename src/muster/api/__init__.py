# SPDX-License-Identifier: Apache-2.0
"""The thin surface: /api/v1, the sync door of phones, and the plain pages."""
