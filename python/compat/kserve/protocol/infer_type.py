"""Requests and answers of the Open Inference Protocol."""

from ..errors import InferenceError, InvalidInput
from ..utils.numpy_codec import from_np_dtype, to_np_dtype


class _Tensor:
    def __init__(self, name, shape, datatype, data=None, parameters=None):
        self.name = name
        self.shape = shape
        self.datatype = datatype.upper()
        self.parameters = parameters
        self._data = data
        self._array = None

    @classmethod
    def from_array(cls, name, datatype, array, parameters=None):
        """One that lists its elements only when `data` is asked for."""
        made = cls(name, list(array.shape), datatype, None, parameters)
        made._array = array
        return made

    @property
    def data(self):
        """The elements in row-major order; those of BYTES are text where all of them are UTF-8, as a request in JSON has them."""
        if self._data is None and self._array is not None:
            items = self._array.reshape(-1).tolist()
            try:
                self._data = [item.decode("utf-8") for item in items] if self.datatype == "BYTES" else items
            except (AttributeError, UnicodeDecodeError):
                self._data = items
        return self._data

    @data.setter
    def data(self, data):
        self._data = data
        self._array = None

    def as_numpy(self):
        import numpy

        dtype = to_np_dtype(self.datatype)
        if dtype is None:
            raise InvalidInput("invalid datatype %s in the tensor %s" % (self.datatype, self.name))
        if self._array is None:
            return numpy.array(self._data, dtype=dtype).reshape(self.shape)
        array = self._array if self._array.flags.writeable else self._array.copy()
        return array.astype(dtype, copy=False).reshape(self.shape)

    def as_string(self):
        if self.datatype != "BYTES":
            raise InvalidInput("invalid datatype %s in the input" % self.datatype)
        texts = [item.decode("utf-8") if isinstance(item, bytes) else item for item in self.as_numpy().reshape(-1).tolist()]
        rows = self.shape[0] if self.shape else 1
        width = len(texts) // rows if rows else 0
        return [texts[row * width : (row + 1) * width] for row in range(rows)]

    def set_data_from_numpy(self, input_tensor, binary_data=True):
        datatype = from_np_dtype(input_tensor.dtype)
        if datatype != self.datatype:
            raise InferenceError("got unexpected datatype %s from numpy array, expected %s" % (datatype, self.datatype))
        if list(input_tensor.shape) != list(self.shape):
            raise InferenceError("got unexpected numpy array shape %s, expected %s" % (list(input_tensor.shape), list(self.shape)))
        self._data = None
        self._array = input_tensor

    def to_dict(self):
        return {"name": self.name, "shape": list(self.shape), "datatype": self.datatype, "data": self.data, "parameters": self.parameters}

    def __eq__(self, other):
        return type(self) is type(other) and self.to_dict() == other.to_dict()

    def __repr__(self):
        return repr(self.to_dict())


class InferInput(_Tensor):
    pass


class InferOutput(_Tensor):
    pass


class RequestedOutput:
    def __init__(self, name, parameters=None):
        self.name = name
        self.parameters = parameters

    @property
    def binary_data(self):
        return (self.parameters or {}).get("binary_data")


class InferRequest:
    def __init__(self, model_name, infer_inputs, request_id=None, raw_inputs=None, from_grpc=False, parameters=None, request_outputs=None, model_version=None):
        self.id = request_id
        self.model_name = model_name
        self.model_version = model_version
        self.inputs = infer_inputs
        self.parameters = parameters
        self.from_grpc = from_grpc
        self.request_outputs = request_outputs

    @property
    def use_binary_outputs(self):
        return bool((self.parameters or {}).get("binary_data_output", False))

    def get_input_by_name(self, name):
        return next((one for one in self.inputs if one.name == name), None)

    def as_dataframe(self):
        import pandas

        return pandas.concat([pandas.DataFrame(one.data, columns=[one.name]) for one in self.inputs], axis=1)

    def to_dict(self):
        return {"id": self.id, "model_name": self.model_name, "inputs": [one.to_dict() for one in self.inputs], "parameters": self.parameters}

    def __repr__(self):
        return repr(self.to_dict())


class InferResponse:
    def __init__(
        self,
        response_id,
        model_name,
        infer_outputs,
        model_version=None,
        raw_outputs=None,
        from_grpc=False,
        parameters=None,
        use_binary_outputs=False,
        requested_outputs=None,
    ):
        self.id = response_id
        self.model_name = model_name
        self.model_version = model_version
        self.outputs = infer_outputs
        self.parameters = parameters
        self.from_grpc = from_grpc

    def get_output_by_name(self, name):
        return next((one for one in self.outputs if one.name == name), None)

    def to_dict(self):
        return {"id": self.id, "model_name": self.model_name, "outputs": [one.to_dict() for one in self.outputs], "parameters": self.parameters}

    def __repr__(self):
        return repr(self.to_dict())
