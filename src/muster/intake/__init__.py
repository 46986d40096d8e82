# SPDX-License-Identifier: Apache-2.0
"""The front door: takes batches of facts from devices, journals them, answers with a signed receipt.

It checks the envelope and that the lease was once issued by a trusted instance, nothing else: whether a fact
may be applied is fold's question. No Django here.
"""
