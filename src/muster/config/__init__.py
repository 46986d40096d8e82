# SPDX-License-Identifier: Apache-2.0
"""How the house is put together: settings, addresses, the WSGI door."""
