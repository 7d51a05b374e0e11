import type { ProtoFile } from "./descriptors.ts";

const PACKAGE = "google.protobuf";

/** `google.protobuf.Any`. */
export const ANY: ProtoFile = {
  name: "google/protobuf/any.proto",
  package: PACKAGE,
  messages: { Any: ["string type_url = 1", "bytes value = 2"] },
};

/** `google.protobuf.Empty`. */
export const EMPTY: ProtoFile = {
  name: "google/protobuf/empty.proto",
  package: PACKAGE,
  messages: { Empty: [] },
};

/** `google.protobuf.Value` and what belongs to it. */
export const STRUCT: ProtoFile = {
  name: "google/protobuf/struct.proto",
  package: PACKAGE,
  messages: {
    Struct: ["map<string, Value> fields = 1"],
    Value: [
      "enum NullValue null_value = 1 in kind",
      "double number_value = 2 in kind",
      "string string_value = 3 in kind",
      "bool bool_value = 4 in kind",
      "Struct struct_value = 5 in kind",
      "ListValue list_value = 6 in kind",
    ],
    ListValue: ["repeated Value values = 1"],
  },
  enums: { NullValue: ["NULL_VALUE"] },
};
