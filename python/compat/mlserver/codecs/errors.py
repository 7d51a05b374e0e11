from ..errors import MLServerError


class CodecNotFound(MLServerError):
    def __init__(self, name=None, payload_type=None, is_input=False, is_request=False):
        what = ("input " if is_input else "output ") + (("request" if is_input else "response") if is_request else "field")
        about = [" with name '%s'" % name if name else "", " with type %s" % payload_type if payload_type else ""]
        super().__init__("Codec not found for %s%s" % (what, "".join(about)))


class CodecError(MLServerError):
    def __init__(self, msg):
        super().__init__("There was an error encoding / decoding the payload: %s" % msg)
