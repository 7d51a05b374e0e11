"""The messages of the Open Inference Protocol as plain objects, with the constructors that the package's pydantic models have."""

import json
from enum import Enum


class Datatype(str, Enum):
    BOOL = "BOOL"
    UINT8 = "UINT8"
    UINT16 = "UINT16"
    UINT32 = "UINT32"
    UINT64 = "UINT64"
    INT8 = "INT8"
    INT16 = "INT16"
    INT32 = "INT32"
    INT64 = "INT64"
    FP16 = "FP16"
    FP32 = "FP32"
    FP64 = "FP64"
    BYTES = "BYTES"


class BaseModel:
    """Keyword arguments as attributes; those that are left out are None. Objects may be given as dictionaries."""

    _required = ()
    _optional = ()
    _converters = {}
    _keeps_more = False

    def __init__(self, **values):
        missing = [name for name in self._required if name not in values]
        if missing:
            raise ValueError("%s: %s is missing" % (type(self).__name__, ", ".join(missing)))
        for name in (*self._required, *self._optional):
            setattr(self, name, values.pop(name, None))
        if self._keeps_more:
            for name, value in values.items():
                setattr(self, name, value)

    def __setattr__(self, name, value):
        convert = self._converters.get(name)
        object.__setattr__(self, name, value if convert is None or value is None else convert(value))

    def model_dump(self, exclude_unset=True, exclude_none=True, **_):
        """As dictionaries and lists; what is None is left out."""
        found = {name: _plain(value) for name, value in vars(self).items() if not name.startswith("_")}
        return {name: value for name, value in found.items() if value is not None} if exclude_none else found

    def dict(self, **options):
        return self.model_dump(**options)

    def model_dump_json(self, **options):
        return json.dumps(self.model_dump(**options), default=_json_item)

    def json(self, **options):
        return self.model_dump_json(**options)

    @classmethod
    def model_validate(cls, obj):
        return obj if isinstance(obj, cls) else cls(**obj)

    @classmethod
    def parse_obj(cls, obj):
        return cls.model_validate(obj)

    @classmethod
    def model_validate_json(cls, text):
        return cls(**json.loads(text))

    @classmethod
    def parse_raw(cls, text):
        return cls.model_validate_json(text)

    def model_copy(self, update=None, **_):
        copied = object.__new__(type(self))
        vars(copied).update(vars(self))
        for name, value in (update or {}).items():
            setattr(copied, name, value)
        return copied

    def __eq__(self, other):
        return type(self) is type(other) and self.model_dump() == other.model_dump()

    def __repr__(self):
        return "%s(%s)" % (type(self).__name__, ", ".join("%s=%r" % pair for pair in self.model_dump().items()))


def _plain(value):
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, TensorData):
        return value.root
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _json_item(value):
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError("a %s has no form in JSON" % type(value).__name__)


def _each(kind):
    return lambda values: [kind.model_validate(value) for value in values]


def _datatype(value):
    return Datatype(value).value


class TensorData:
    """The numbers or texts of a tensor. `root` is the list; `array` the array where it was made of one."""

    def __init__(self, root=None, array=None):
        self._root = root
        self.array = array

    @classmethod
    def from_array(cls, array):
        return cls(array=array)

    @property
    def root(self):
        if self._root is None and self.array is not None:
            self._root = flat_list(self.array)
        return self._root

    def __iter__(self):
        return iter(self.root)

    def __getitem__(self, index):
        return self.root[index]

    def __len__(self):
        return len(self.root)

    def __eq__(self, other):
        return self.root == getattr(other, "root", other)

    def __repr__(self):
        return repr(self.root)


def flat_list(array):
    """The elements in row-major order; those of BYTES are text where all of them are UTF-8, as a request in JSON has them."""
    items = array.reshape(-1).tolist()
    if not items or not isinstance(items[0], bytes):
        return items
    try:
        return [item.decode("utf-8") for item in items]
    except (AttributeError, UnicodeDecodeError):
        return items


def _data(value):
    return value if isinstance(value, TensorData) else TensorData(value)


class Parameters(BaseModel):
    _optional = ("content_type", "headers")
    _keeps_more = True


class MetadataTensor(BaseModel):
    _required = ("name", "datatype", "shape")
    _optional = ("parameters",)
    _converters = {"datatype": _datatype, "parameters": Parameters.model_validate}


class RequestInput(BaseModel):
    _required = ("name", "shape", "datatype", "data")
    _optional = ("parameters",)
    _converters = {"datatype": _datatype, "shape": list, "data": _data, "parameters": Parameters.model_validate}


class ResponseOutput(RequestInput):
    pass


class RequestOutput(BaseModel):
    _required = ("name",)
    _optional = ("parameters",)
    _converters = {"parameters": Parameters.model_validate}


class InferenceRequest(BaseModel):
    _required = ("inputs",)
    _optional = ("id", "parameters", "outputs")
    _converters = {"inputs": _each(RequestInput), "outputs": _each(RequestOutput), "parameters": Parameters.model_validate}


class InferenceResponse(BaseModel):
    _required = ("model_name", "outputs")
    _optional = ("model_version", "id", "parameters")
    _converters = {"outputs": _each(ResponseOutput), "parameters": Parameters.model_validate}


class MetadataModelResponse(BaseModel):
    _required = ("name", "platform")
    _optional = ("versions", "inputs", "outputs", "parameters")
    _converters = {"inputs": _each(MetadataTensor), "outputs": _each(MetadataTensor), "parameters": Parameters.model_validate}
