"""Every refusal as ``{"error": {"code", "message"}}`` with the fitting HTTP status."""

from __future__ import annotations

from collections.abc import Mapping

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from base.asgi import ANSWER_HEADER
from base.errors import InputError, ShiminError, TooLargeError, TooManyError, UpstreamError
from base.tracing import HEADER, traced

log = structlog.get_logger(__name__)

_STATUS = {
    "unauthorized": 401,
    "session_missing": 401,
    "signature_invalid": 401,
    "forbidden_origin": 403,
    "photo_not_image": 415,
    "video_not_video": 415,
    "audio_not_audio": 415,
    "too_many_requests": 429,
}
_UNEXPECTED = "系统出了点问题，您的消息还没有处理，请过一会儿再试。急事请拨打12345。"


def status_of(error: ShiminError) -> int:
    """Return the HTTP status for an error of ours."""
    if error.code in _STATUS:
        return _STATUS[error.code]
    if isinstance(error, TooManyError):
        return 429
    if isinstance(error, TooLargeError):
        return 413
    if isinstance(error, InputError):
        return 422
    return 503 if isinstance(error, UpstreamError) else 500


def refusal(status: int, code: str, message: str) -> JSONResponse:
    """Return the error answer of the Chat API."""
    return JSONResponse({"error": {"code": code, "message": message}}, status)


def refusal_of(path: str, error: ShiminError) -> JSONResponse:
    """Return the answer to an error of ours, and log it."""
    status = status_of(error)
    level = log.error if status >= 500 else log.info
    level("refused", path=path, status=status, code=error.code, detail=error.detail)
    answer = refusal(status, error.code, error.message)
    if isinstance(error, TooManyError):
        answer.headers["Retry-After"] = str(error.wait)
    return answer


def install(app: FastAPI, headers: Mapping[str, str]) -> None:
    """Register the handlers.

    Args:
        app: the application.
        headers: security headers for the answer to an unexpected error, which Starlette
            sends from outside every middleware, the one of traces included.
    """

    @app.exception_handler(ShiminError)
    async def _ours(request: Request, error: ShiminError) -> JSONResponse:
        return refusal_of(request.url.path, error)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        log.info("refused", path=request.url.path, code=first["type"], detail=where)
        if first["type"] == "json_invalid":
            return refusal(400, "json_malformed", "消息格式有误，请重新发送。")
        return refusal(422, "request_invalid", f"消息内容有误（{where}），请检查后再发。")

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        if error.status_code == 404:
            return refusal(404, "not_found", "没有找到您要的内容。")
        log.info("refused", path=request.url.path, status=error.status_code)
        return refusal(error.status_code, "request_refused", "这个请求不被支持。")

    @app.exception_handler(Exception)
    async def _unexpected(request: Request, error: Exception) -> JSONResponse:
        answer = refusal(500, "unexpected", _UNEXPECTED)
        with traced(request.scope.get(HEADER)) as step:
            log.error("unexpected", path=request.url.path, exc_info=error)
            answer.headers.update({**headers, ANSWER_HEADER: step.trace_id})
        return answer
