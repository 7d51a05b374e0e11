import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { WireError } from "../../../ground/wire/index.ts";
import { seldonJsonToProto, seldonProtoToJson } from "./seldon-json-mapping.ts";

const again = (json: string): string =>
  seldonProtoToJson(
    seldonJsonToProto(Buffer.from(json), "SeldonMessage"),
    "SeldonMessage",
  ).toString();

test("messages come back as they went in, numbers of arrays with their point", () => {
  for (const [json, wanted = json] of [
    ["{}"],
    ['{"data":{"names":["a","b"],"ndarray":[[1.5,"x",null,true,{"k":[]}]]}}'],
    ['{"data":{"ndarray":[1]}}', '{"data":{"ndarray":[1.0]}}'],
    ['{"data":{"tensor":{"shape":[1,2],"values":[1.0,-0.5]}}}'],
    [
      '{"data":{"tftensor":{"dtype":"DT_INT64","tensor_shape":{"dim":[{"size":"2"}]},"int64_val":["1","-2"]}}}',
      '{"data":{"tftensor":{"dtype":"DT_INT64","tensorShape":{"dim":[{"size":"2"}]},"int64Val":["1","-2"]}}}',
    ],
    ['{"binData":"AAH/"}'],
    ['{"strData":"\\u00e9"}', '{"strData":"é"}'],
    ['{"jsonData":{"a":[1.0,{"b":null}]}}'],
    [
      '{"meta":{"puid":"p","tags":{"t":[1.0]},"routing":{"r":-1},"requestPath":{"n":"i"},"metrics":[{"key":"k","type":"GAUGE","value":0.1,"tags":{"a":"b"}}]}}',
    ],
    ['{"status":{"code":500,"info":"no","status":"FAILURE"}}'],
  ] as const)
    assert.equal(again(json), wanted);
});

test("whatever bytes come, there is a text or a WireError", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        JSON.parse(seldonProtoToJson(Buffer.from(bytes), "Feedback").toString());
      } catch (error) {
        assert.ok(error instanceof WireError, String(error));
      }
    }),
  );
});

test("values that a field cannot hold are refused", () => {
  for (const json of [
    "[]",
    '{"data":3}',
    '{"strData":4}',
    '{"meta":{"routing":{"a":"x"}}}',
    '{"data":{"tensor":{"values":["x"]}}}',
    `{"jsonData":${"[".repeat(200)}${"]".repeat(200)}}`,
  ])
    assert.throws(
      () => again(json),
      (error) => error instanceof Error,
      json,
    );
});
