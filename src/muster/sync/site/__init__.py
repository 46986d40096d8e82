# SPDX-License-Identifier: Apache-2.0
"""A site that lives alone: a laptop that is a part of the city while no line reaches it.

Nouns: site (a house with its own key, certified by the city's, for some grids until a day), bundle (the
sealed file that it grows from), passing on (its journal to the city's front door), bringing back (the city's
news).
"""
