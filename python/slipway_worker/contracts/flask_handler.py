"""`model_error_handler`: a Flask blueprint whose error handlers may answer for an exception of user code.

Only where the user has Flask installed; the blueprint's routes are not served.
"""

from __future__ import annotations

import logging
from typing import Any, Callable, Optional, Tuple

_LOG = logging.getLogger("slipway.seldon")

Handled = Tuple[int, str, bytes]


def error_handler(user: Any) -> Optional[Callable[[BaseException], Optional[Handled]]]:
    blueprint = getattr(user, "model_error_handler", None)
    if blueprint is None:
        return None
    try:
        import flask  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        _LOG.warning("model_error_handler is ignored: flask is not installed")
        return None
    app = flask.Flask("slipway_user_errors")
    try:
        app.register_blueprint(blueprint)
    except Exception as error:
        _LOG.warning("model_error_handler is ignored: %s", error)
        return None

    def handle(error: BaseException) -> Optional[Handled]:
        if not isinstance(error, Exception):
            return None
        with app.test_request_context("/predict", method="POST"):
            try:
                raise error  # Flask re-raises the running exception when nobody handles it
            except Exception as running:
                try:
                    response = app.make_response(app.handle_user_exception(running))
                except Exception as other:
                    if other is error:
                        return None
                    raise
            return response.status_code, response.content_type or "text/html", response.get_data()

    return handle
