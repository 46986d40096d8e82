# SPDX-License-Identifier: Apache-2.0
"""What happened, where, under which pack, from when until when; and whether it is a drill."""
