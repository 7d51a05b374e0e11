import { ANY, EMPTY, STRUCT, type ProtoFile } from "../../transport/index.ts";

/** Of TensorFlow's messages only what is served. @see tensorflow/core/framework/tensor.proto */
export const TENSOR_PROTO: ProtoFile = {
  name: "tensorflow/core/framework/tensor.proto",
  package: "tensorflow",
  messages: {
    TensorShapeProto: ["repeated TensorShapeProto.Dim dim = 2", "bool unknown_rank = 3"],
    "TensorShapeProto.Dim": ["int64 size = 1", "string name = 2"],
    TensorProto: [
      "enum DataType dtype = 1",
      "TensorShapeProto tensor_shape = 2",
      "int32 version_number = 3",
      "bytes tensor_content = 4",
      "repeated float float_val = 5",
      "repeated double double_val = 6",
      "repeated int32 int_val = 7",
      "repeated bytes string_val = 8",
      "repeated int64 int64_val = 10",
      "repeated bool bool_val = 11",
      "repeated int32 half_val = 13",
      "repeated uint32 uint32_val = 16",
      "repeated uint64 uint64_val = 17",
    ],
  },
  enums: {
    DataType: [
      "DT_INVALID",
      "DT_FLOAT",
      "DT_DOUBLE",
      "DT_INT32",
      "DT_UINT8",
      "DT_INT16",
      "DT_INT8",
      "DT_STRING",
      "DT_INT64 = 9",
      "DT_BOOL = 10",
      "DT_BFLOAT16 = 14",
      "DT_UINT16 = 17",
      "DT_HALF = 19",
      "DT_UINT32 = 22",
      "DT_UINT64 = 23",
    ],
  },
};

const MESSAGE = "SeldonMessage) SeldonMessage";
const VALUE = ".google.protobuf.Value";
const FEEDBACK = "SendFeedback(Feedback) SeldonMessage";

/** The contract's messages and services, for reflection. @see prediction.proto */
export const SELDON_PROTO: ProtoFile = {
  name: "proto/prediction.proto",
  package: "seldon.protos",
  imports: [ANY, STRUCT, EMPTY, TENSOR_PROTO],
  messages: {
    SeldonMessage: [
      "Status status = 1",
      "Meta meta = 2",
      "DefaultData data = 3 in data_oneof",
      "bytes binData = 4 in data_oneof",
      "string strData = 5 in data_oneof",
      `${VALUE} jsonData = 6 in data_oneof`,
      ".google.protobuf.Any customData = 7 in data_oneof",
    ],
    DefaultData: [
      "repeated string names = 1",
      "Tensor tensor = 2 in data_oneof",
      ".google.protobuf.ListValue ndarray = 3 in data_oneof",
      ".tensorflow.TensorProto tftensor = 4 in data_oneof",
    ],
    Tensor: ["repeated int32 shape = 1", "repeated double values = 2"],
    Meta: [
      "string puid = 1",
      `map<string, ${VALUE}> tags = 2`,
      "map<string, int32> routing = 3",
      "map<string, string> requestPath = 4",
      "repeated Metric metrics = 5",
    ],
    Metric: [
      "string key = 1",
      "enum Metric.MetricType type = 2",
      "float value = 3",
      "map<string, string> tags = 4",
    ],
    SeldonMessageList: ["repeated SeldonMessage seldonMessages = 1"],
    Status: [
      "int32 code = 1",
      "string info = 2",
      "string reason = 3",
      "enum Status.StatusFlag status = 4",
    ],
    Feedback: [
      "SeldonMessage request = 1",
      "SeldonMessage response = 2",
      "float reward = 3",
      "SeldonMessage truth = 4",
    ],
    SeldonModelMetadataRequest: ["string name = 1"],
    SeldonMessageMetadata: [
      "string messagetype = 1",
      `${VALUE} schema = 2`,
      "string name = 3",
      "string datatype = 4",
      "repeated int64 shape = 5",
    ],
    SeldonModelMetadata: [
      "string name = 1",
      "repeated string versions = 2",
      "string platform = 3",
      "repeated SeldonMessageMetadata inputs = 4",
      "repeated SeldonMessageMetadata outputs = 5",
      "map<string, string> custom = 6",
    ],
    SeldonGraphMetadata: [
      "string name = 1",
      "map<string, SeldonModelMetadata> models = 2",
      "repeated SeldonMessageMetadata inputs = 3",
      "repeated SeldonMessageMetadata outputs = 4",
    ],
  },
  enums: {
    "Metric.MetricType": ["COUNTER", "GAUGE", "TIMER"],
    "Status.StatusFlag": ["SUCCESS", "FAILURE"],
  },
  services: {
    Generic: [
      `TransformInput(${MESSAGE}`,
      `TransformOutput(${MESSAGE}`,
      `Route(${MESSAGE}`,
      "Aggregate(SeldonMessageList) SeldonMessage",
      FEEDBACK,
    ],
    Model: [`Predict(${MESSAGE}`, FEEDBACK, "Metadata(.google.protobuf.Empty) SeldonModelMetadata"],
    Router: [`Route(${MESSAGE}`, FEEDBACK],
    Transformer: [`TransformInput(${MESSAGE}`],
    OutputTransformer: [`TransformOutput(${MESSAGE}`],
    Combiner: ["Aggregate(SeldonMessageList) SeldonMessage"],
    Seldon: [
      `Predict(${MESSAGE}`,
      FEEDBACK,
      "ModelMetadata(SeldonModelMetadataRequest) SeldonModelMetadata",
      "GraphMetadata(.google.protobuf.Empty) SeldonGraphMetadata",
    ],
  },
};
