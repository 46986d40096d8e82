# SPDX-License-Identifier: Apache-2.0
"""Every address of the web process."""

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
