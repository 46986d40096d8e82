# SPDX-License-Identifier: Apache-2.0
"""The one API object with its routers and error answers."""

from __future__ import annotations

from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from muster import __version__
from muster.api import (
    campaigns,
    care,
    deployments,
    devices,
    dispatch,
    drill,
    duplicates,
    fact_files,
    flags,
    hours,
    imports,
    notifications,
    offers,
    phone_trips,
    phone_work,
    placed,
    placement,
    places,
    plans,
    problems,
    register,
    reinforcement,
    request_help,
    request_map,
    request_steps,
    requests,
    responders,
    rounds,
    session,
    sheet_pictures,
    sheet_returns,
    sheets,
    site_calls,
    sites,
    situation,
    team_help,
    teams,
    trip_series,
    trips,
    untold,
)
from muster.base.errors import Refusal

api = NinjaAPI(
    title="Muster", version=__version__, urls_namespace="api", openapi_url="/openapi.json", docs_url="/docs"
)
for module in (
    session,
    places,
    campaigns,
    sheets,  # before rounds, whose last path has a free word in it
    sheet_pictures,
    sheet_returns,
    rounds,
    register,
    situation,
    devices,
    flags,
    drill,
    imports,
    plans,
    placed,
    placement,
    untold,
    teams,
    duplicates,
    notifications,
    trips,
    trip_series,
    dispatch,
    requests,
    care,
    request_help,
    request_map,
    request_steps,
    responders,
    reinforcement,
    deployments,
    hours,
    offers,
    team_help,
    sites,
    fact_files,
):
    api.add_router("", module.router)

sync_api = NinjaAPI(title="Muster sync", version="1", urls_namespace="sync", openapi_url=None, docs_url=None)
sync_api.add_router("", devices.sync_router)
sync_api.add_router("", phone_work.sync_router)
sync_api.add_router("", placed.sync_router)
sync_api.add_router("", phone_trips.sync_router)
sync_api.add_router("", notifications.sync_router)
sync_api.add_router("", site_calls.sync_router)
sync_api.add_router("", fact_files.sync_router)

for one in (api, sync_api):
    one.add_exception_handler(Refusal, problems.on_refusal)
    one.add_exception_handler(ValidationError, problems.on_validation)
    one.add_exception_handler(AuthenticationError, problems.on_unauthenticated)
    one.add_exception_handler(HttpError, problems.on_http_error)
