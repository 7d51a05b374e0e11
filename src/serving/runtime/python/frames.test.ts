import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Datatype } from "../../../models/tensor/index.ts";
import type { ComponentMethod, ComponentRequest, Payload } from "../../plane/index.ts";
import { FrameError, FrameReader, type IncomingFrame } from "./frame-reader.ts";
import { FrameWriter, UnsendableError } from "./frame-writer.ts";
import { FRAME } from "./wire.ts";

const FOLDER = join(import.meta.dirname, "../../../../test/fixtures/frames");

interface Plain {
  kind: Payload["kind"];
  datatype?: Datatype;
  shape?: number[];
  data?: string;
  json?: string;
  text?: string;
}

interface RequestFixture {
  name: string;
  hex?: string;
  value: {
    id: number;
    method: ComponentMethod;
    requestId?: string;
    transport?: "grpc";
    reward?: number;
    routing?: number;
    messages: { payload: Plain; names: string[]; meta?: string }[];
  };
}

interface AnswerFixture {
  name: string;
  hex: string;
  value: Plain & {
    id: number;
    names?: string[];
    defaultNames?: boolean;
    tags?: string;
    metrics?: string;
    isRaw?: boolean;
    isAbsent?: boolean;
  };
}

function payloadOf(plain: Plain): Payload {
  const data = Buffer.from(plain.data ?? "", "hex");
  if (plain.kind === "tensor")
    return {
      kind: "tensor",
      tensor: { name: "", datatype: plain.datatype ?? "FP64", shape: plain.shape ?? [], data },
    };
  if (plain.kind === "text") return { kind: "text", text: plain.text ?? data.toString("utf8") };
  if (plain.kind === "bytes" || plain.kind === "proto" || plain.kind === "any")
    return { kind: plain.kind, bytes: data };
  return { kind: plain.kind, json: plain.json ?? data.toString("utf8") };
}

function requestOf({ value }: RequestFixture): ComponentRequest {
  return {
    ...value,
    messages: value.messages.map((message) => ({
      ...message,
      payload: payloadOf(message.payload),
    })),
  };
}

function encode(id: number, request: ComponentRequest): Buffer {
  const writer = new FrameWriter(undefined, 0);
  writer.request(id, request);
  return Buffer.concat(writer.take());
}

const requests = JSON.parse(
  readFileSync(join(FOLDER, "requests.json"), "utf8"),
) as RequestFixture[];
const answers = JSON.parse(readFileSync(join(FOLDER, "answers.json"), "utf8")) as AnswerFixture[];

if (process.env["UPDATE_FIXTURES"] === "1") {
  for (const fixture of requests)
    fixture.hex = encode(fixture.value.id, requestOf(fixture)).toString("hex");
  writeFileSync(join(FOLDER, "requests.json"), `${JSON.stringify(requests, undefined, 1)}\n`);
}

test("the fixtures are there", () => assert.ok(requests.length > 8 && answers.length > 6));

for (const fixture of requests) {
  test(`a request is written as agreed: ${fixture.name}`, () => {
    assert.equal(encode(fixture.value.id, requestOf(fixture)).toString("hex"), fixture.hex);
  });
}

for (const { name, hex, value } of answers) {
  test(`an answer is read as agreed: ${name}`, () => {
    const [frame, ...others] = [...new FrameReader(undefined).frames(Buffer.from(hex, "hex"))];
    assert.equal(others.length, 0);
    assert.ok(frame?.type === "response");
    assert.equal(frame.id, value.id);
    const { message, isRaw, isAbsent, tags, metrics } = frame.response;
    const payload = payloadOf(value);
    assert.deepEqual(message.payload, payload);
    const defaults = Array.from({ length: value.shape?.[1] ?? 0 }, (_, index) => `t:${index}`);
    assert.deepEqual(message.names, value.defaultNames === true ? defaults : (value.names ?? []));
    assert.deepEqual(
      { isRaw, isAbsent, tags, metrics },
      {
        isRaw: value.isRaw ?? false,
        isAbsent: value.isAbsent,
        tags: value.tags,
        metrics: value.metrics,
      },
    );
  });
}

test("frames are found wherever the stream is cut", () => {
  const stream = Buffer.concat(answers.map(({ hex }) => Buffer.from(hex, "hex")));
  for (let size = 1; size <= stream.byteLength; size += size < 60 ? 1 : 37) {
    const reader = new FrameReader(undefined);
    const ids: number[] = [];
    for (let at = 0; at < stream.byteLength; at += size)
      for (const frame of reader.frames(stream.subarray(at, at + size))) ids.push(frame.id);
    assert.deepEqual(
      ids,
      answers.map(({ value }) => value.id),
      `chunks of ${size}`,
    );
  }
});

test("a broken frame is refused and nothing else comes out", () => {
  let refused = 0;
  let read = 0;
  for (const { hex } of answers) {
    const whole = Buffer.from(hex, "hex");
    for (let at = 0; at < whole.byteLength; at += 1) {
      for (const bit of [1, 0x80, 0xff]) {
        const broken = Buffer.from(whole);
        broken[at] = (broken[at] ?? 0) ^ bit;
        try {
          read += [...new FrameReader(undefined).frames(broken)].length;
        } catch (error) {
          assert.ok(error instanceof FrameError, `byte ${at}: ${String(error)}`);
          refused += 1;
        }
      }
    }
  }
  assert.ok(refused > 100 && read > 100, `refused ${refused}, read ${read}`);
});

test("all frames of a tick come out in order, large payloads by reference", () => {
  const writer = new FrameWriter(undefined, 0);
  const large = new Uint8Array(300_000).fill(7);
  const small = {
    method: "predict",
    messages: [{ payload: { kind: "text", text: "x" }, names: [] }],
  } as const;
  for (let id = 1; id <= 2000; id += 1)
    writer.request(
      id,
      id === 1000
        ? { method: "predict", messages: [{ payload: { kind: "bytes", bytes: large }, names: [] }] }
        : small,
    );
  const bytes = writer.pendingBytes;
  const chunks = writer.take();
  assert.ok(chunks.includes(large));
  const stream = Buffer.concat(chunks);
  assert.equal(stream.byteLength, bytes);
  for (let at = 0, id = 1; at < stream.byteLength; id += 1) {
    assert.equal(stream.readUInt32LE(at + 4), id);
    at += 4 + stream.readUInt32LE(at);
  }
  assert.equal(writer.pendingBytes, 0);
});

test("a request that no frame can hold is refused before anything is written", () => {
  const writer = new FrameWriter(undefined, 0);
  const tensor = (shape: number[]): ComponentRequest => ({
    method: "predict",
    messages: [
      {
        payload: {
          kind: "tensor",
          tensor: { name: "", datatype: "INT8", shape, data: new Uint8Array(0) },
        },
        names: [],
      },
    ],
  });
  for (const shape of [Array.from({ length: 33 }, () => 0), [-1], [1.5], [2 ** 32]])
    assert.throws(() => writer.request(1, tensor(shape)), UnsendableError);
  const many = Array.from(
    { length: 1025 },
    () => ({ payload: { kind: "text", text: "" }, names: [] }) as const,
  );
  assert.throws(() => writer.request(1, { method: "aggregate", messages: many }), UnsendableError);
  assert.equal(writer.pendingBytes, 0);
});

test("a text frame carries its text", () => {
  const writer = new FrameWriter(undefined, 0);
  writer.text(FRAME.log, Buffer.from("hello"));
  const [frame] = [...new FrameReader(undefined).frames(Buffer.concat(writer.take()))] as [
    IncomingFrame,
  ];
  assert.ok(frame.type === "log");
  assert.equal(frame.textA.toString(), "hello");
});
