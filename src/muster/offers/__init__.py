# SPDX-License-Identifier: Apache-2.0
"""Offers of help and donations: what people, employers, landlords and charities give, and where it goes."""
