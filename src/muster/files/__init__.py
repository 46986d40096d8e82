# SPDX-License-Identifier: Apache-2.0
"""Attachments by content hash: pictures of what is wrong at a door, of a paper list, of a prescription."""
