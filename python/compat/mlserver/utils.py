"""Where the files of a model are."""

import os
import uuid
from urllib.parse import urlparse

from .errors import InvalidModelURI


def to_absolute_path(model_settings, uri):
    """Paths are relative to the settings' file."""
    source = model_settings._source
    return uri if source is None else os.path.normpath(os.path.join(os.path.dirname(source), uri))


async def get_model_uri(settings, wellknown_filenames=()):
    """The file or folder that `parameters.uri` means; in a folder, the first of the well-known files that is there."""
    uri = settings.parameters.uri if settings.parameters else None
    if not uri:
        raise InvalidModelURI(settings.name)
    parts = urlparse(uri, scheme="file")
    if parts.scheme != "file":
        return uri
    path = to_absolute_path(settings, parts.path)
    if not os.path.exists(path):
        raise InvalidModelURI(settings.name, path)
    candidates = [os.path.join(path, name) for name in wellknown_filenames]
    return next((candidate for candidate in candidates if os.path.isfile(candidate)), path)


def generate_uuid():
    return str(uuid.uuid4())
