import { ANY, type ProtoFile } from "../../transport/index.ts";
import { TENSOR_PROTO } from "../seldon-service/seldon-descriptors.ts";

const TENSOR = ".tensorflow.TensorProto";
const SIGNATURE: ProtoFile = {
  name: "tensorflow/core/protobuf/meta_graph.proto",
  package: "tensorflow",
  imports: [TENSOR_PROTO],
  messages: {
    TensorInfo: ["string name = 1", "enum DataType dtype = 2", "TensorShapeProto tensor_shape = 3"],
    SignatureDef: [
      "map<string, TensorInfo> inputs = 1",
      "map<string, TensorInfo> outputs = 2",
      "string method_name = 3",
    ],
  },
};
const INT64: ProtoFile = {
  name: "google/protobuf/wrappers.proto",
  package: "google.protobuf",
  messages: { Int64Value: ["int64 value = 1"] },
};
const SPEC = "ModelSpec model_spec = 1";

/** What is served of TensorFlow Serving's services. @see tensorflow_serving/apis */
export const SERVING_PROTO: ProtoFile = {
  name: "tensorflow_serving/apis/prediction_service.proto",
  package: "tensorflow.serving",
  imports: [ANY, INT64, TENSOR_PROTO, SIGNATURE],
  messages: {
    ModelSpec: [
      "string name = 1",
      ".google.protobuf.Int64Value version = 2 in version_choice",
      "string signature_name = 3",
      "string version_label = 4 in version_choice",
    ],
    PredictRequest: [
      SPEC,
      `map<string, ${TENSOR}> inputs = 2`,
      "repeated string output_filter = 3",
    ],
    PredictResponse: [`map<string, ${TENSOR}> outputs = 1`, "ModelSpec model_spec = 2"],
    SignatureDefMap: ["map<string, .tensorflow.SignatureDef> signature_def = 1"],
    GetModelMetadataRequest: [SPEC, "repeated string metadata_field = 2"],
    GetModelMetadataResponse: [SPEC, "map<string, .google.protobuf.Any> metadata = 2"],
    StatusProto: ["int32 error_code = 1", "string error_message = 2"],
    GetModelStatusRequest: [SPEC],
    ModelVersionStatus: [
      "int64 version = 1",
      "enum ModelVersionStatus.State state = 2",
      "StatusProto status = 3",
    ],
    GetModelStatusResponse: ["repeated ModelVersionStatus model_version_status = 1"],
  },
  enums: {
    "ModelVersionStatus.State": [
      "UNKNOWN",
      "START = 10",
      "LOADING = 20",
      "AVAILABLE = 30",
      "UNLOADING = 40",
      "END = 50",
    ],
  },
  services: {
    PredictionService: [
      "Predict(PredictRequest) PredictResponse",
      "GetModelMetadata(GetModelMetadataRequest) GetModelMetadataResponse",
    ],
    ModelService: ["GetModelStatus(GetModelStatusRequest) GetModelStatusResponse"],
  },
};
