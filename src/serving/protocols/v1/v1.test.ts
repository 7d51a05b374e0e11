import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isToolError } from "../../../ground/errors/index.ts";
import {
  byteItems,
  bytesOf,
  elementsOf,
  type Datatype,
  type TensorSpec,
} from "../../../models/tensor/index.ts";
import { packItems, type NamedTensor } from "../../plane/index.ts";
import { JsonReader } from "../json/index.ts";
import { readPredict, type PredictCall } from "./read-predict.ts";
import { writePredictions } from "./write-predictions.ts";

const spec = (name: string, datatype: Datatype, shape: readonly number[]): TensorSpec => ({
  ...{ name, datatype, shape },
});
const ROWS = [spec("x", "FP32", [-1, 2])];
const NUMBERS = [spec("x", "FP32", [-1])];
const TEXTS = [spec("text", "BYTES", [-1])];
const PAIR = [spec("a", "INT32", [-1, 2]), spec("b", "INT64", [-1])];

function read(body: unknown, specs?: readonly TensorSpec[]): PredictCall {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return readPredict(new JsonReader(), Buffer.from(text), specs);
}

/** Name, datatype, shape and elements of each tensor. */
function shown({ inputs }: PredictCall): readonly unknown[] {
  return inputs.map((tensor) => [
    tensor.name,
    tensor.datatype,
    tensor.shape,
    tensor.datatype === "BYTES"
      ? byteItems(tensor.data).map((item) => Buffer.from(item).toString("latin1"))
      : [...elementsOf(tensor)],
  ]);
}

test("rows of the only input become its tensor, with or without its name", () => {
  const rows = [["x", "FP32", [2, 2], [1, 2, 3, 4.5]]];
  const plain = read(
    {
      instances: [
        [1, 2],
        [3, 4.5],
      ],
    },
    ROWS,
  );
  assert.deepEqual(shown(plain), rows);
  assert.equal(plain.form, "rows");
  assert.equal(plain.isUntyped, false);
  assert.deepEqual(shown(read({ instances: [{ x: [1, 2] }, { x: [3, 4.5] }] }, ROWS)), rows);
  assert.deepEqual(shown(read({ instances: [2, 3] }, NUMBERS)), [["x", "FP32", [2], [2, 3]]]);
});

test("named rows take their keys in any order, and 64-bit integers stay exact", () => {
  const body =
    '{"instances":[{"b":9007199254740993,"a":[1,2]},{"a":[3,4],"b":-9223372036854775808}]}';
  assert.deepEqual(shown(read(body, PAIR)), [
    ["b", "INT64", [2], [9007199254740993n, -9223372036854775808n]],
    ["a", "INT32", [2, 2], [1, 2, 3, 4]],
  ]);
});

test("columns are tensors whole, of the only input or by name", () => {
  const one = read({ inputs: [[1, 2]] }, ROWS);
  assert.deepEqual(shown(one), [["x", "FP32", [1, 2], [1, 2]]]);
  assert.equal(one.form, "columns");
  assert.deepEqual(shown(read({ inputs: { b: [5], a: [[1, 2]] } }, PAIR)), [
    ["b", "INT64", [1], [5n]],
    ["a", "INT32", [1, 2], [1, 2]],
  ]);
  assert.deepEqual(shown(read({ inputs: 3 }, NUMBERS)), [["x", "FP32", [], [3]]]);
});

test("base64 stands wherever text of BYTES may stand", () => {
  const instances = ["ä", { b64: "//4A" }, { b64: "" }, { b64: "aGVsbG8" }];
  const items = ["Ã¤", "ÿþ\0", "", "hello"];
  assert.deepEqual(shown(read({ instances }, TEXTS)), [["text", "BYTES", [4], items]]);
  assert.deepEqual(shown(read({ inputs: { text: instances } }, TEXTS)), [
    ["text", "BYTES", [4], items],
  ]);
  assert.deepEqual(shown(read({ inputs: instances.slice(1, 2) }, TEXTS))[0], [
    ...["text", "BYTES", [1], ["ÿþ\0"]],
  ]);
  assert.deepEqual(shown(read({ instances: [{ b64: 1 }] }, [spec("b64", "FP32", [-1])])), [
    ["b64", "FP32", [1], [1]],
  ]);
});

test("a model without a signature gets the datatypes that JSON shows, over all rows", () => {
  const of = (instances: string): readonly unknown[] => shown(read(`{"instances":${instances}}`));
  assert.deepEqual(of("[[1],[2.5]]"), [["input", "FP64", [2, 1], [1, 2.5]]]);
  assert.deepEqual(of("[9007199254740993]"), [["input", "INT64", [1], [9007199254740993n]]]);
  assert.deepEqual(of("[true,false]"), [["input", "BOOL", [2], [1, 0]]]);
  assert.deepEqual(of('["a",{"b64":"Yg=="}]'), [["input", "BYTES", [2], ["a", "b"]]]);
  assert.deepEqual(of('[{"k":1,"t":"u"}]'), [
    ["k", "INT64", [1], [1n]],
    ["t", "BYTES", [1], ["u"]],
  ]);
  assert.equal(read({ instances: [1] }).isUntyped, true);
  for (const bad of ['[1,"a"]', "[true,1]", "[null]", "[18446744073709551616]", "[[1],2]"])
    assert.throws(() => of(bad), { code: "TENSOR_INVALID" }, bad);
});

test("half floats are read as whole ones and left for the model to convert, if they fit", () => {
  const half = [spec("h", "FP16", [-1])];
  const call = read({ instances: [1.5] }, half);
  assert.deepEqual([call.isUntyped, shown(call)], [true, [["h", "FP32", [1], [1.5]]]]);
  assert.throws(() => read({ instances: [1, 70_000] }, half), /"h": element 1 is 70000/);
});

const REFUSED: readonly (readonly [what: string, body: unknown, specs: TensorSpec[], RegExp])[] = [
  ["both keys", { instances: [1], inputs: [1] }, NUMBERS, /both instances and inputs/],
  ["neither", {}, NUMBERS, /neither instances nor inputs/],
  ["a key twice", '{"instances":[1],"instances":[2]}', NUMBERS, /"instances" twice/],
  ["no list", { instances: "abc" }, NUMBERS, /instances is no list/],
  ["no rows", { instances: [] }, NUMBERS, /instances is empty/],
  ["no object", "[1]", NUMBERS, /no JSON object/],
  ["an empty body", "", NUMBERS, /no JSON object|no JSON at byte 0/],
  ["JSON that breaks off", '{"instances":["a"', NUMBERS, /no JSON at byte 17/],
  ["another signature", { signature_name: "no", instances: [1] }, NUMBERS, /signature "no"/],
  ["a signature without text", { signature_name: 1, instances: [1] }, NUMBERS, /no text/],
  [
    "a ragged row",
    { instances: [[1, 2], [3]] },
    ROWS,
    /"x": value 1 does not have the shape \(2,\)/,
  ],
  ["a deeper row", { instances: [[1, 2], [[3, 4]]] }, ROWS, /"x"/],
  ["text for a number", { instances: ["abc"] }, NUMBERS, /"x": element 0 is "abc".*no FP32/],
  ["null for a number", { instances: [1, null] }, NUMBERS, /element 1 is null/],
  ["a boolean for a number", { instances: [true] }, NUMBERS, /element 0 is true/],
  ["a number for text", { instances: [5] }, TEXTS, /element 0 is 5.*no BYTES/],
  ["base64 that is none", { instances: [{ b64: "@@@" }] }, TEXTS, /"@@@" is no base64/],
  ["an object among texts", { instances: ["a", { text: "b" }] }, TEXTS, /an object stands/],
  ["a value among objects", { instances: [{ text: "b" }, "a"] }, TEXTS, /instance 1 is no object/],
  ["base64 for numbers", { instances: [{ b64: "AA==" }] }, NUMBERS, /no such input.*"x"/],
  ["an unknown input", { inputs: { y: [1] } }, NUMBERS, /"y".*it takes "x"/],
  ["a row too few names", '{"instances":[{"a":[1,2],"b":1},{"b":1}]}', PAIR, /"a".*instance 1/],
  ["a name twice", '{"instances":[{"b":1,"b":2}]}', PAIR, /"b".*twice/],
  ["bare rows for two inputs", { instances: [1] }, PAIR, /takes "a", "b"/],
  ["bare columns for two inputs", { inputs: [1] }, PAIR, /takes "a", "b"/],
  ["a number beyond its datatype", { inputs: { a: [2 ** 31] } }, PAIR, /2147483648/],
];

for (const [what, body, specs, why] of REFUSED)
  test(`refused with the reason: ${what}`, () => {
    assert.throws(
      () => read(body, specs),
      (error: unknown) => {
        assert.ok(isToolError(error) && /^(?:TENSOR|REQUEST)_INVALID$/.test(error.code));
        assert.match(error.message, why);
        return true;
      },
    );
  });

test("a long first row and many short ones take no more memory than the body has bytes", () => {
  const long = `[${"1,".repeat(50_000)}1]`;
  const body = `{"instances":[${long}${",[]".repeat(50_000)}]}`;
  assert.throws(() => read(body, ROWS), /"x": the request has fewer values/);
  const names = Array.from({ length: 500 }, (_, at) => `"k${at}":[${"1,".repeat(99)}1]`).join(",");
  const many = `{"instances":[{${names}}${",{}".repeat(50_000)}]}`;
  assert.throws(() => read(many), { code: "TENSOR_INVALID" });
});

const tensor = (
  name: string,
  shape: readonly number[],
  { datatype, data }: Pick<NamedTensor, "datatype" | "data">,
): NamedTensor => ({ name, shape, datatype, data });
const floats = (...values: readonly number[]): Pick<NamedTensor, "datatype" | "data"> => ({
  datatype: "FP32",
  data: bytesOf(Float32Array.from(values)),
});
const bytes = (...values: readonly string[]): Pick<NamedTensor, "datatype" | "data"> => ({
  datatype: "BYTES",
  data: packItems(values.map((value) => Buffer.from(value, "latin1"))),
});
const written = (form: PredictCall["form"], ...outputs: readonly NamedTensor[]): string =>
  writePredictions(form, outputs).toString();

test("answers by rows and by columns, of one output and of several", () => {
  const y = tensor("y", [2, 2], floats(1, 2.5, NaN, -Infinity));
  const copy = tensor("copy_bytes", [2], bytes("a", "\xff"));
  const text = tensor("text", [2], bytes("a", '"'));
  assert.equal(written("rows", y), '{"predictions":[[1.0,2.5],[NaN,-Infinity]]}');
  assert.equal(written("columns", y), '{"outputs":[[1.0,2.5],[NaN,-Infinity]]}');
  assert.equal(
    written("rows", y, copy, text),
    '{"predictions":[{"y":[1.0,2.5],"copy_bytes":{"b64":"YQ=="},"text":"a"},{"y":[NaN,-Infinity],"copy_bytes":{"b64":"/w=="},"text":"\\""}]}',
  );
  assert.equal(
    written("columns", copy, text),
    '{"outputs":{"copy_bytes":[{"b64":"YQ=="},{"b64":"/w=="}],"text":["a","\\""]}}',
  );
  assert.equal(written("rows", tensor("y", [0], floats())), '{"predictions":[]}');
  assert.equal(written("columns", tensor("y", [], floats(1))), '{"outputs":1.0}');
});

test("outputs that have no rows, or other numbers of them, and bytes that are no text are refused", () => {
  const two = tensor("two", [2], floats(1, 2));
  const three = tensor("three", [3], floats(1, 2, 3));
  assert.throws(() => written("rows", two, three), /"three" has 3 rows/);
  assert.throws(() => written("rows", tensor("s", [], floats(1))), /"s" has no rows/);
  assert.throws(() => written("columns", tensor("t", [1], bytes("\xff"))), /"t": BYTES/);
});

test("any body is read or refused with a typed error", () => {
  const value = fc.jsonValue({ maxDepth: 4 });
  const item = fc.oneof(value, fc.record({ b64: fc.string() }), fc.record({ x: value }));
  const body = fc.oneof(
    fc.record({ instances: fc.array(item) }),
    fc.record({ inputs: item }),
    value,
  );
  const specs = fc.constantFrom(undefined, ROWS, NUMBERS, TEXTS, PAIR);
  fc.assert(
    fc.property(body, specs, (request, wanted) => {
      try {
        for (const input of read(request, wanted).inputs)
          if (input.datatype !== "BYTES")
            assert.equal(
              elementsOf(input).length,
              input.shape.reduce((product, axis) => product * axis, 1),
            );
      } catch (error) {
        assert.ok(isToolError(error), String(error));
      }
    }),
  );
});

test("what was written by columns reads back as the same tensor", () => {
  fc.assert(
    fc.property(fc.array(fc.float(), { minLength: 1 }), (values) => {
      const answer = written("columns", tensor("x", [values.length], floats(...values)));
      const [back] = read(answer.replace('"outputs"', '"inputs"'), NUMBERS).inputs;
      assert.deepEqual(back && [...elementsOf(back)], values);
    }),
  );
});
