"""Errors of the package. `status_code` is that of the answer."""


class MLServerError(Exception):
    def __init__(self, msg, status_code=400):
        super().__init__(msg)
        self.status_code = status_code


class InvalidModelURI(MLServerError):
    def __init__(self, name, model_uri=None):
        super().__init__("Invalid URI specified for model %s%s" % (name, " (%s)" % model_uri if model_uri else ""), 422)


class ModelNotFound(MLServerError):
    def __init__(self, name, version=None):
        super().__init__("Model %s%s not found" % (name, "" if version is None else " with version %s" % version), 404)


class ModelNotReady(MLServerError):
    def __init__(self, name, version=None):
        super().__init__("Model %s%s is not ready yet." % (name, "" if version is None else " with version %s" % version))


class InferenceError(MLServerError):
    pass


class ModelParametersMissing(MLServerError):
    def __init__(self, model_name):
        super().__init__("Parameters missing for model %s" % model_name)
