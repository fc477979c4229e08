"""A GeoReport v2 client that works with the servers cities really run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from types import TracebackType
from typing import TypeVar
from urllib.parse import quote

import httpx

from base.errors import ConfigurationError
from base.tracing import pass_on
from dispatch.open311 import reader
from dispatch.open311.errors import (
    DispatchNotFoundError,
    DispatchRejectedError,
    DispatchUnreachableError,
)
from dispatch.open311.json_format import Node
from dispatch.open311.models import (
    Created,
    Discovery,
    RequestDraft,
    RequestFilter,
    RequestUpdate,
    Service,
    ServiceDefinition,
    ServiceRequest,
    UpdateDraft,
)
from dispatch.open311.transport import Pairs, Transport
from dispatch.open311.writer import Format, plain, write_time

IDEMPOTENCY_HEADER = "Idempotency-Key"

Result = TypeVar("Result")


class Open311Client:
    """Synchronous client of one GeoReport v2 endpoint; safe to share between threads.

    Args:
        base_url: the endpoint, for example ``http://127.0.0.1:8311``.
        api_key: sent with everything that files or changes something; may be empty.
        format: the format asked for; answers in the other one are read as well.
        timeout: seconds for each network step and for reading one answer.
        http: a client to use instead of an own one; it is not closed here.
        jurisdiction_id: for endpoints that serve several jurisdictions.

    Raises:
        ConfigurationError: ``base_url`` is not an http(s) address.

    Every method raises a :class:`~dispatch.open311.errors.DispatchError`:
    ``DispatchUnreachableError`` (try again), ``DispatchRejectedError`` (permanent) or
    ``DispatchUnreadableError``.
    """

    def __init__(  # noqa: PLR0913 - keyword-only options with defaults
        self,
        base_url: str,
        api_key: str,
        *,
        format: Format = "json",  # noqa: A002 - the specification's own word
        timeout: float = 10.0,
        http: httpx.Client | None = None,
        jurisdiction_id: str | None = None,
    ) -> None:
        _check_url(base_url)
        self._api_key = api_key
        self._own = http is None
        self._http = httpx.Client(event_hooks={"request": [pass_on]}) if http is None else http
        self._transport = Transport(self._http, base_url, format, timeout)
        self._jurisdiction_id = jurisdiction_id

    def __enter__(self) -> Open311Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection pool if it is our own."""
        if self._own:
            self._http.close()

    def discovery(self) -> Discovery | None:
        """Return the endpoint's service-discovery document, ``None`` on servers without one.

        The specification lets it lie anywhere: make a client of that address to read it there.
        """
        try:
            return self._read("discovery", [], reader.read_discovery)
        except DispatchRejectedError as error:
            if error.status in {400, 404, 405, 410}:
                return None
            raise

    def services(self) -> tuple[Service, ...]:
        """Return the kinds of request the city takes."""
        return self._read("services", [], reader.read_services)

    def service_definition(self, code: str) -> ServiceDefinition | None:
        """Return the attributes of a service, ``None`` on servers that have no definitions.

        A 400 counts as absent too: some servers answer it where the specification says 404.
        """
        try:
            return self._read(
                f"services/{quote(code, safe='')}",
                [],
                lambda tree: reader.read_definition(tree, code),
            )
        except DispatchRejectedError as error:
            if error.status in {400, 404, 405, 410}:
                return None
            raise
        except DispatchUnreachableError as error:
            if error.status == 501:
                return None
            raise

    def create(self, draft: RequestDraft, idempotency_key: str) -> Created:
        """File a request.

        The same ``idempotency_key`` may be sent again after ``DispatchUnreachableError``; a server
        that honours it answers with the request it already has.
        """
        fields = _draft_fields(draft, self._api_key, draft.jurisdiction_id or self._jurisdiction_id)
        headers = {IDEMPOTENCY_HEADER: idempotency_key}
        tree = self._transport.post("requests", fields, headers, draft.uploads)
        return reader.read_created(tree)

    def request_id_for(self, token: str) -> str | None:
        """Return the id that became of a token, ``None`` while the city has not given one.

        A token the server does not know (yet) is ``None`` too.
        """
        try:
            return self._read(f"tokens/{quote(token, safe='')}", [], reader.read_token)
        except DispatchRejectedError as error:
            if error.status in {400, 404}:
                return None
            raise

    def request(self, service_request_id: str) -> ServiceRequest:
        """Return one request.

        Raises:
            DispatchNotFoundError: the server does not know it (404, 400 or an empty list).
        """
        path = f"requests/{quote(service_request_id, safe='')}"
        try:
            found = self._read(path, [("extensions", "true")], reader.read_requests)
        except DispatchRejectedError as error:
            if error.status == 400:
                raise DispatchNotFoundError(error.detail, status=400) from error
            raise
        for request in found:
            if request.service_request_id == service_request_id:
                return request
        raise DispatchNotFoundError(
            f"request {service_request_id} is not in the answer", status=200
        )

    def requests(
        self, wanted: RequestFilter | None = None, *, page: int = 1, page_size: int = 100
    ) -> tuple[ServiceRequest, ...]:
        """Return one page of the requests that fit ``wanted``; pages count from 1."""
        query: Pairs = [
            ("page", str(page)),
            ("page_size", str(page_size)),
            ("extensions", "true"),
        ]
        if wanted is not None:
            query += _filter_fields(wanted)
        return self._read("requests", query, reader.read_requests)

    def all_requests(
        self, wanted: RequestFilter | None = None, *, page_size: int = 100
    ) -> Iterator[ServiceRequest]:
        """Walk every page. Ends at a page without news, so servers that ignore ``page`` end too."""
        seen: set[str] = set()
        page = 1
        while True:
            found = self.requests(wanted, page=page, page_size=page_size)
            fresh = [item for item in found if item.service_request_id not in seen]
            if not fresh:
                return
            seen.update(item.service_request_id for item in fresh)
            yield from fresh
            page += 1

    def updates(self, since: datetime | None = None) -> tuple[RequestUpdate, ...]:
        """Return the steps taken at or after ``since`` (aware), oldest first.

        A server may answer only the first part of a long list: ask again from the time of the
        last one received.
        """
        query = _given("start_date", write_time(since) if since else None)
        return self._read("servicerequestupdates", query, reader.read_updates)

    def post_update(self, draft: UpdateDraft) -> str | None:
        """Send a citizen's words or step; return the server's id for it if it gives one.

        Sending the same draft again is harmless on servers that honour ``update_id``.
        """
        fields = _given("api_key", self._api_key)
        fields += _given("jurisdiction_id", self._jurisdiction_id)
        fields += [
            ("update_id", draft.update_id),
            ("service_request_id", draft.service_request_id),
            ("updated_datetime", write_time(draft.updated_datetime)),
            ("status", draft.status),
            ("description", plain(draft.description)),
        ]
        for name in ("email", "first_name", "last_name", "phone"):
            fields += _given(name, getattr(draft, name))
        fields += [("media_url", url) for url in draft.media_urls]
        headers = {IDEMPOTENCY_HEADER: draft.update_id}
        tree = self._transport.post("servicerequestupdates", fields, headers, draft.uploads)
        return reader.read_posted_update(tree)

    def _read(self, path: str, query: Pairs, read: Callable[[Node], Result]) -> Result:
        params = query + _given("jurisdiction_id", self._jurisdiction_id)
        return read(self._transport.get(path, params))


def _check_url(base_url: str) -> None:
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL as error:
        raise ConfigurationError(f"dispatch URL {base_url!r}: {error}") from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise ConfigurationError(f"dispatch URL {base_url!r} is not an http(s) address")


def _given(name: str, value: str | None) -> Pairs:
    return [(name, value)] if value else []


def _filter_fields(wanted: RequestFilter) -> Pairs:
    fields = _given("service_request_id", ",".join(wanted.service_request_ids))
    fields += _given("service_code", ",".join(wanted.service_codes))
    fields += _given("status", wanted.status)
    times = {
        "start_date": wanted.start,
        "end_date": wanted.end,
        "updated_after": wanted.updated_after,
        "updated_before": wanted.updated_before,
    }
    return fields + [(name, write_time(moment)) for name, moment in times.items() if moment]


def _draft_fields(draft: RequestDraft, api_key: str, jurisdiction_id: str | None) -> Pairs:
    fields = _given("api_key", api_key)
    fields += _given("jurisdiction_id", jurisdiction_id)
    fields += [("service_code", draft.service_code)]
    if draft.lat is not None and draft.long is not None:
        fields += [("lat", f"{draft.lat:.7f}"), ("long", f"{draft.long:.7f}")]
    fields += _given("address_string", plain(draft.address_string or ""))
    fields += _given("address_id", draft.address_id)
    fields += _given("description", plain(draft.description))
    for name in ("email", "device_id", "account_id", "first_name", "last_name", "phone"):
        fields += _given(name, getattr(draft, name))
    for code, value in draft.attributes.items():
        if isinstance(value, str):
            fields += [(f"attribute[{code}]", plain(value))]
        else:
            fields += [(f"attribute[{code}][]", plain(part)) for part in value]
    return fields + [("media_url", url) for url in draft.media_urls]
