# SPDX-License-Identifier: Apache-2.0
"""Lists brought in from spreadsheets: read, understood, checked, shown, written, undone.

A *form* says which columns a kind of list has. A *batch* is one file on its way in; a *checked row* is a
line of it with what was understood and what is wrong. Reading is done by a child process that can come to
no harm. This file stays empty of imports: the child must start without the rest of the house.
"""
