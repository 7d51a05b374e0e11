"""The messages of the package `seldon.protos`, built when imported.

Built from a table rather than generated, because generated code works with few releases of protobuf only. `tftensor` is left
out: it needs TensorFlow's own messages, and a field that is not declared survives as an unknown one.
"""

from __future__ import annotations

from typing import Any, Dict, Optional, Tuple

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory, struct_pb2  # noqa: F401

_FILE = "slipway/seldon_prediction.proto"
_PACKAGE = "seldon.protos"
_SCALARS = {"string": 9, "bytes": 12, "double": 1, "float": 2, "int32": 5}
_VALUE, _LIST, _ANY = ".google.protobuf.Value", ".google.protobuf.ListValue", ".google.protobuf.Any"

# Field number, name, type; `*` repeated, `>` map, `|` in the message's oneof, `!` an enum.
_MESSAGES: Dict[str, Tuple[Tuple[int, str, str], ...]] = {
    "SeldonMessage": (
        (1, "status", "Status"),
        (2, "meta", "Meta"),
        (3, "data", "|DefaultData"),
        (4, "binData", "|bytes"),
        (5, "strData", "|string"),
        (6, "jsonData", "|" + _VALUE),
        (7, "customData", "|" + _ANY),
    ),
    "DefaultData": ((1, "names", "*string"), (2, "tensor", "|Tensor"), (3, "ndarray", "|" + _LIST)),
    "Tensor": ((1, "shape", "*int32"), (2, "values", "*double")),
    "Meta": (
        (1, "puid", "string"),
        (2, "tags", ">" + _VALUE),
        (3, "routing", ">int32"),
        (4, "requestPath", ">string"),
        (5, "metrics", "*Metric"),
    ),
    "Metric": ((1, "key", "string"), (2, "type", "!Metric.MetricType"), (3, "value", "float"), (4, "tags", ">string")),
    "SeldonMessageList": ((1, "seldonMessages", "*SeldonMessage"),),
    "Status": ((1, "code", "int32"), (2, "info", "string"), (3, "reason", "string"), (4, "status", "!Status.StatusFlag")),
    "Feedback": ((1, "request", "SeldonMessage"), (2, "response", "SeldonMessage"), (3, "reward", "float"), (4, "truth", "SeldonMessage")),
    "RequestResponse": ((1, "request", "SeldonMessage"), (2, "response", "SeldonMessage")),
    "SeldonModelMetadataRequest": ((1, "name", "string"),),
    "SeldonMessageMetadata": (
        (1, "messagetype", "string"),
        (2, "schema", _VALUE),
        (3, "name", "string"),
        (4, "datatype", "string"),
        (5, "shape", "*int64"),
    ),
    "SeldonModelMetadata": (
        (1, "name", "string"),
        (2, "versions", "*string"),
        (3, "platform", "string"),
        (4, "inputs", "*SeldonMessageMetadata"),
        (5, "outputs", "*SeldonMessageMetadata"),
        (6, "custom", ">string"),
    ),
    "SeldonGraphMetadata": (
        (1, "name", "string"),
        (2, "models", ">SeldonModelMetadata"),
        (3, "inputs", "*SeldonMessageMetadata"),
        (4, "outputs", "*SeldonMessageMetadata"),
    ),
}
_SCALARS["int64"] = 3
_ENUMS = {"Metric": ("MetricType", ("COUNTER", "GAUGE", "TIMER")), "Status": ("StatusFlag", ("SUCCESS", "FAILURE"))}


def _build_file() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name=_FILE, package=_PACKAGE, syntax="proto3")
    file.dependency.extend(["google/protobuf/any.proto", "google/protobuf/struct.proto"])
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        if any(kind.startswith("|") for _, _, kind in fields):
            message.oneof_decl.add(name="data_oneof")
        if name in _ENUMS:
            enum_name, values = _ENUMS[name]
            enum = message.enum_type.add(name=enum_name)
            for number, value in enumerate(values):
                enum.value.add(name=value, number=number)
        for number, field_name, kind in fields:
            _add_field(message, number, field_name, kind)
    return file


def _add_field(message: Any, number: int, name: str, kind: str) -> None:
    field = message.field.add(name=name, number=number, label=3 if kind[0] in "*>" else 1)
    if kind[0] == "|":
        field.oneof_index = 0
    if kind[0] == ">":
        entry_name = name[0].upper() + name[1:] + "Entry"
        entry = message.nested_type.add(name=entry_name)
        entry.options.map_entry = True
        _set_type(entry.field.add(name="key", number=1, label=1), "string", False)
        _set_type(entry.field.add(name="value", number=2, label=1), kind[1:], False)
        _set_type(field, "%s.%s" % (message.name, entry_name), False)
    else:
        _set_type(field, kind.lstrip("*|!"), kind[0] == "!")


def _set_type(field: Any, kind: str, is_enum: bool) -> None:
    scalar: Optional[int] = _SCALARS.get(kind)
    if scalar is not None:
        field.type = scalar
        return
    field.type = 14 if is_enum else 11
    field.type_name = kind if kind.startswith(".") else ".%s.%s" % (_PACKAGE, kind)


def _classes() -> Dict[str, Any]:
    """In the default pool, where `Any` and `Value` of other code live; what has declared the package before us is taken as it is."""
    pool = descriptor_pool.Default()
    try:
        pool.FindMessageTypeByName(_PACKAGE + ".SeldonMessage")
    except KeyError:
        pool.AddSerializedFile(_build_file().SerializeToString())
    make = getattr(message_factory, "GetMessageClass", None) or message_factory.MessageFactory(pool).GetPrototype
    return {name: make(pool.FindMessageTypeByName("%s.%s" % (_PACKAGE, name))) for name in _MESSAGES}


_made = _classes()
SeldonMessage = _made["SeldonMessage"]
DefaultData = _made["DefaultData"]
Tensor = _made["Tensor"]
Meta = _made["Meta"]
Metric = _made["Metric"]
SeldonMessageList = _made["SeldonMessageList"]
Status = _made["Status"]
Feedback = _made["Feedback"]
RequestResponse = _made["RequestResponse"]
SeldonModelMetadataRequest = _made["SeldonModelMetadataRequest"]
SeldonMessageMetadata = _made["SeldonMessageMetadata"]
SeldonModelMetadata = _made["SeldonModelMetadata"]
SeldonGraphMetadata = _made["SeldonGraphMetadata"]
