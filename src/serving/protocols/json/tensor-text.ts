import { isUtf8 } from "node:buffer";
import { InferenceError } from "../../../ground/errors/index.ts";
import { byteItems } from "../../../models/tensor/index.ts";
import type { NamedTensor } from "../../plane/index.ts";
import { shortName } from "../request-errors.ts";
import { arrayText, nestTexts } from "./array-text.ts";
import { stringText } from "./json-node.ts";

/** Outputs of `BYTES` whose names end so are written as `{"b64": text}`. */
const BASE64_SUFFIX = "_bytes";

/**
 * A tensor as nested lists, in ASCII. Elements of `BYTES` are text, or `{"b64": text}` in a tensor whose name ends in `_bytes`.
 * @returns text, or the bytes of a long text.
 * @throws InferenceError `REQUEST_INVALID` for bytes that are no UTF-8 in a tensor of another name
 * @see TensorFlow Serving's api_rest.md, "Encoding binary values"
 */
export function tensorText(tensor: NamedTensor): string | Buffer {
  return tensor.datatype === "BYTES"
    ? nestTexts(tensor.shape, byteItemTexts(tensor))
    : arrayText(tensor, "nested", true);
}

/** The JSON text of each element of a `BYTES` tensor, in order, as `tensorText` writes them. @throws the same errors */
export function byteItemTexts({ name, data }: NamedTensor): readonly string[] {
  const isBase64 = name.endsWith(BASE64_SUFFIX);
  return byteItems(data).map((item) => {
    const bytes = Buffer.from(item.buffer, item.byteOffset, item.byteLength);
    if (isBase64) return `{"b64":"${bytes.toString("base64")}"}`;
    if (isUtf8(bytes)) return stringText(bytes.toString("utf8"), true);
    throw new InferenceError(
      "REQUEST_INVALID",
      `write the output "${shortName(name)}": BYTES that are no UTF-8 cannot be sent as JSON text`,
      {
        tensor: name,
        hint: `give the output a name that ends in ${BASE64_SUFFIX}, or ask over V2 for binary_data`,
      },
    );
  });
}
