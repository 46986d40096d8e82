# SPDX-License-Identifier: Apache-2.0
"""`python -m muster.intake`: the front door alone, by the environment."""

from muster.intake.serve import main

main()
