import { DATATYPES } from "../tensor/index.ts";
import type { JsonSchema } from "./json-schema.ts";

const TENSORS: JsonSchema = {
  type: "array",
  maxItems: 1000,
  items: {
    type: "object",
    additionalProperties: false,
    required: ["name", "datatype", "shape"],
    properties: {
      name: { type: "string", title: "a name", minLength: 1, maxLength: 4096 },
      datatype: { type: "string", enum: DATATYPES },
      shape: {
        type: "array",
        maxItems: 32,
        items: { type: "integer", minimum: -1 },
        description: "Length of each axis; -1 for one of any length.",
        examples: [[-1, 4]],
      },
    },
  },
};

/** `signature:` of the project file. */
export const SIGNATURE: JsonSchema = {
  type: "object",
  description:
    "What a class takes and gives, where neither metadata.json nor its type hints say it; requests are checked against it.",
  additionalProperties: false,
  properties: { inputs: TENSORS, outputs: TENSORS },
};
