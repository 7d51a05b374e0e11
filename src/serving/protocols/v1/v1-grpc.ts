import { isRaw } from "../../plane/index.ts";
import type { GrpcCall } from "../../transport/index.ts";
import { isLargeMessage, type FlatFields } from "../codecs/large-message.ts";
import { checkTakes } from "../called-model.ts";
import type { GrpcServices, Plane } from "../protocol.ts";
import { requestInvalid } from "../request-errors.ts";
import { unaryMethods } from "../v2/v2-grpc.ts";
import { modelForCall, modelOf } from "./documents.ts";
import {
  readPredict,
  readSpecRequest,
  writeMetadata,
  writePredict,
  writeStatus,
} from "./grpc-messages.ts";
import { SERVING_PROTO } from "./grpc-proto.ts";
import { refuseBodies } from "./v1-routes.ts";

const PREDICTION = "/tensorflow.serving.PredictionService/";
const MODEL = "/tensorflow.serving.ModelService/";

/** TensorFlow Serving's gRPC: predictions, metadata and status. Examples of features to classify or regress are not taken. */
export function v1Grpc(plane: Plane): GrpcServices {
  const { models } = plane;
  const unary = unaryMethods(plane);
  return {
    files: [SERVING_PROTO],
    methods: new Map([
      [
        `${PREDICTION}Predict`,
        unary("v1-predict", (message, call) => predict(plane, call, message), Infinity),
      ],
      [
        `${PREDICTION}GetModelMetadata`,
        unary("v1-metadata", async (message) => {
          const { model: path, fields } = readSpecRequest(message);
          const unknown = fields.find((field) => field !== "signature_def");
          if (unknown !== undefined || fields.length === 0)
            throw requestInvalid(
              `metadata_field is ${unknown === undefined ? "empty" : `"${unknown.slice(0, 100)}"`}, and signature_def is wanted`,
            );
          const model = modelOf(models, path);
          await model.wake();
          return writeMetadata(model, model.predictor.describe().signature);
        }),
      ],
      [
        `${MODEL}GetModelStatus`,
        unary("v1-metadata", async (message) => {
          const { model: path } = readSpecRequest(message);
          const isOne = path.version !== undefined || path.label !== undefined;
          return writeStatus(
            isOne ? [modelOf(models, path)] : models.versions(path.name).toReversed(),
          );
        }),
      ],
    ]),
  };
}

/** `tensor_content` of the values of `inputs`, which is taken as it is. */
const FLAT: FlatFields = new Map([[18, new Map([[18, new Map([[34, "flat"]])]])]]);

async function predict(plane: Plane, call: GrpcCall, message: Buffer): Promise<Uint8Array> {
  const { codecs } = plane;
  const {
    model: path,
    inputs,
    outputs: wanted,
  } = isLargeMessage(message, FLAT)
    ? await codecs.run("v1-proto-read", message)
    : readPredict(message);
  const model = await modelForCall(plane.models, path);
  const { predictor } = model;
  checkTakes(model, "tensors", "TensorFlow Serving's gRPC");
  const { wantsHeaders } = predictor.describe();
  const { span, requestId } = call;
  const { outputs } = await predictor.infer({
    inputs,
    ...(wanted.length > 0 && { outputs: wanted }),
    ...(requestId !== undefined && { id: requestId }),
    ...(span !== undefined && { trace: span }),
    ...(wantsHeaders && { headers: call.textHeaders }),
    caller: call,
  });
  if (isRaw(outputs)) refuseBodies(model.name);
  return writePredict(model, outputs);
}
