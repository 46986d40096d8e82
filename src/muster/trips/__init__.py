# SPDX-License-Identifier: Apache-2.0
"""就医保障: trips to care and back, a clock on each hop, and care that books itself again."""
