# SPDX-License-Identifier: Apache-2.0
"""Who people are to Muster, what they may do, and the phones they carry."""
