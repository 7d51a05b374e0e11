import assert from "node:assert/strict";
import { test } from "node:test";
import {
  arrayText,
  DenseArrayReader,
  JsonError,
  JsonReader,
  nodeText,
  pythonFloat,
  pythonRepr,
  pythonStr,
  pythonType,
  readNode,
  stringText,
} from "./index.ts";

const STYLE = { sortKeys: true, asciiOnly: true };

function parse(text: string | Buffer): ReturnType<typeof readNode> {
  const reader = new JsonReader();
  reader.open(Buffer.from(text));
  const node = readNode(reader);
  reader.finish();
  return node;
}

function dense(text: string): string | undefined {
  const reader = new JsonReader();
  reader.open(Buffer.from(text));
  reader.peek();
  const tensor = new DenseArrayReader().read(reader);
  if (tensor === undefined) {
    reader.skip();
    reader.finish();
    return undefined;
  }
  return `${tensor.datatype}[${tensor.shape.join(",")}] ${arrayText(tensor, "nested").toString()}`;
}

const DENSE: readonly (readonly [text: string, want: string | undefined])[] = [
  ["[[1,2],[3,4]]", "INT64[2,2] [[1,2],[3,4]]"],
  ["[1, 2.5]", "FP64[2] [1.0,2.5]"],
  ["[]", "FP64[0] []"],
  ["[[],[]]", "FP64[2,0] [[],[]]"],
  ["[[[]],[[]]]", "FP64[2,1,0] [[[]],[[]]]"],
  ["[true,false]", "BOOL[2] [true,false]"],
  ["[[-0]]", "INT64[1,1] [[0]]"],
  ["[-0.0]", "FP64[1] [-0.0]"],
  ["[NaN,Infinity,-Infinity]", "FP64[3] [NaN,Infinity,-Infinity]"],
  ["[1e400]", "FP64[1] [Infinity]"],
  ["[9007199254740993,-1]", "INT64[2] [9007199254740993,-1]"],
  ["[9007199254740993,0.5]", "FP64[2] [9007199254740992.0,0.5]"],
  ["[9223372036854775808]", undefined],
  ["[[1,2],[3]]", undefined],
  ["[[1],2]", undefined],
  ["[1,[2]]", undefined],
  ["[[],2]", undefined],
  ["[[],[1]]", undefined],
  ["[[[1]],[]]", undefined],
  ["[[],[[]]]", undefined],
  ["[true,1]", undefined],
  ["[1,true]", undefined],
  ['["a"]', undefined],
  ["[null]", undefined],
  ["[{}]", undefined],
  [`${"[".repeat(40)}1${"]".repeat(40)}`, undefined],
];

for (const [text, want] of DENSE)
  test(`the array ${text.slice(0, 40)} is ${want ?? "left to user code"}`, () =>
    assert.equal(dense(text), want));

const FLOATS: readonly (readonly [value: number, want: string])[] = [
  [1, "1.0"],
  [-0, "-0.0"],
  [0.1, "0.1"],
  [1e15, "1000000000000000.0"],
  [1e16, "1e+16"],
  [1.5e-5, "1.5e-05"],
  [1e-4, "0.0001"],
  [1e22, "1e+22"],
  [1e100, "1e+100"],
  [123456789012345680, "1.2345678901234568e+17"],
  [Math.fround(0.1), "0.10000000149011612"],
  [NaN, "NaN"],
  [-Infinity, "-Infinity"],
  [5e-324, "5e-324"],
];

for (const [value, want] of FLOATS)
  test(`${value} is written ${want}`, () => assert.equal(pythonFloat(value), want));

test("values keep the form that Python gives them", () => {
  const text = '{"b":[1,1.0,1e2,-0,true,null,18446744073709551616],"a":{"k\\n":"é\\u007f"}}';
  assert.equal(
    nodeText(parse(text), STYLE),
    '{"a":{"k\\n":"\\u00e9\\u007f"},"b":[1,1.0,100.0,0,true,null,18446744073709551616]}',
  );
  assert.equal(
    nodeText(parse(text), { sortKeys: false, asciiOnly: false }),
    '{"b":[1,1.0,100.0,0,true,null,18446744073709551616],"a":{"k\\n":"é\u007f"}}',
  );
});

test("Python's repr is imitated", () => {
  const text =
    '{"a":"it\'s","b":"say \\"x\\" it\'s","c":[null,true,1.0,NaN,-Infinity,"\\u200b\\n\\u0007\\ud83d\\ude00"]}';
  assert.equal(
    pythonRepr(parse(text)),
    `{'a': "it's", 'b': 'say "x" it\\'s', 'c': [None, True, 1.0, nan, -inf, '\\u200b\\n\\x07😀']}`,
  );
  assert.equal(pythonStr("text"), "text");
  assert.deepEqual(
    [null, true, "s", parse("1"), parse("1.5"), parse("[]"), parse("{}")].map(pythonType),
    ["NoneType", "bool", "str", "int", "float", "list", "dict"],
  );
  assert.equal(pythonRepr("\u{e000}\u{f0000}"), "'\\ue000\\U000f0000'");
});

test("text beyond the basic plane is escaped as two units", () =>
  assert.equal(stringText("😀", true), '"\\ud83d\\ude00"'));

test("long strings with escapes are read, and with raw control characters refused", () => {
  const long = `${"x".repeat(100)}\\"${"y".repeat(100)}\\\\`;
  assert.equal(parse(`"${long}"`), `${"x".repeat(100)}"${"y".repeat(100)}\\`);
  const reader = new JsonReader();
  for (const text of [`"${"x".repeat(100)}\u0001"`, `"${"x".repeat(100)}`, '"\\x"']) {
    reader.open(Buffer.from(text));
    assert.throws(() => reader.skip(), JsonError);
  }
});

test("a byte order mark is passed over, and other encodings refused", () => {
  assert.deepEqual(parse(Buffer.from("\ufeff[]")), []);
  assert.throws(() => parse(Buffer.from([0x22, 0xff, 0x22])), JsonError);
});

test("nesting has a limit", () => {
  assert.throws(() => parse("[".repeat(100_000)), /nested deeper/);
  assert.throws(() => parse('{"a":'.repeat(100_000)), /nested deeper/);
});

test("many elements of every datatype are written", () => {
  const count = 300;
  const value = (
    datatype: "FP16" | "BF16" | "FP32" | "BOOL" | "UINT8" | "INT32" | "UINT64",
    data: Uint8Array,
  ): string => arrayText({ name: "", datatype, shape: [3, 100], data }, "nested").toString();
  assert.match(
    value("FP16", new Uint8Array(Uint16Array.from({ length: count }, () => 0x3c00).buffer)),
    /^\[\[1\.0,1\.0.*\]\]$/,
  );
  assert.match(
    value("BF16", new Uint8Array(Uint16Array.from({ length: count }, () => 0x3f80).buffer)),
    /^\[\[1\.0,1\.0/,
  );
  assert.match(
    value("FP32", new Uint8Array(Float32Array.from({ length: count }, () => 0.1).buffer)),
    /^\[\[0\.10000000149011612,/,
  );
  assert.match(value("BOOL", new Uint8Array(count)), /^\[\[false,false/);
  assert.match(value("UINT8", new Uint8Array(count).fill(255)), /^\[\[255,255/);
  assert.match(
    value("INT32", new Uint8Array(Int32Array.from({ length: count }, () => -70_000).buffer)),
    /^\[\[-70000,/,
  );
  assert.match(
    value(
      "UINT64",
      new Uint8Array(BigUint64Array.from({ length: count }, () => 2n ** 64n - 1n).buffer),
    ),
    /^\[\[18446744073709551615,/,
  );
});

test("text elements and scalars are written", () => {
  const data = Buffer.from([1, 0, 0, 0, 0x61, 2, 0, 0, 0, 0xc3, 0xa9]);
  assert.equal(
    arrayText({ name: "", datatype: "BYTES", shape: [2], data }, "nested").toString(),
    '["a","\\u00e9"]',
  );
  assert.equal(
    arrayText(
      { name: "", datatype: "INT64", shape: [], data: new Uint8Array(BigInt64Array.of(7n).buffer) },
      "nested",
    ),
    "7",
  );
  assert.equal(
    arrayText(
      { name: "", datatype: "INT64", shape: [], data: new Uint8Array(BigInt64Array.of(7n).buffer) },
      "flat",
    ),
    "[7]",
  );
});

test("a number of more digits than Python takes is refused at once", () => {
  const reader = new JsonReader();
  for (const text of [
    "9".repeat(10_000_000),
    `0.${"3".repeat(10_000_000)}`,
    `-1${"0".repeat(4300)}`,
  ]) {
    reader.open(Buffer.from(`[${text}]`));
    reader.peek();
    const before = process.cpuUsage();
    assert.throws(() => new DenseArrayReader().read(reader), /a number of more than 4300 digits/);
    // What reads them one by one again and again would take hours; measuring coverage alone takes seconds.
    assert.ok(process.cpuUsage(before).user < 20_000_000);
  }
});
