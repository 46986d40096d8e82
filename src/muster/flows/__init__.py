# SPDX-License-Identifier: Apache-2.0
"""Acts that cross domains, each a module with a name."""
