# SPDX-License-Identifier: Apache-2.0
"""Teams: work, commando, volunteer, delivery, testing; their members, posts and zones with named holders."""
