# SPDX-License-Identifier: Apache-2.0
"""What the engines share and nobody else needs: words, files, budgets."""
