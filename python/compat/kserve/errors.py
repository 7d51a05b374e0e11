"""Errors of the package. The worker answers each with the status that KServe gives it."""


class _Reasoned(Exception):
    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


class InvalidInput(_Reasoned, ValueError):
    pass


class InferenceError(RuntimeError):
    def __init__(self, reason, status=None, debug_details=None):
        super().__init__(reason if status is None else "[%s] %s" % (status, reason))
        self.reason = reason
        self.status = status
        self.debug_details = debug_details


class ModelMissingError(Exception):
    def __init__(self, path):
        super().__init__(path)
        self.path = path


class ModelNotFound(_Reasoned):
    def __init__(self, model_name=None):
        super().__init__("Model with name %s does not exist." % model_name)


class ModelNotReady(RuntimeError):
    def __init__(self, model_name, detail=None):
        super().__init__("Model with name %s is not ready.%s" % (model_name, " " + detail if detail else ""))
        self.model_name = model_name


class UnsupportedProtocol(_Reasoned):
    def __init__(self, protocol_version=None):
        super().__init__("Unsupported protocol %s." % protocol_version)
