import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Datatype } from "../../../models/tensor/index.ts";
import { isRaw, type InferRequest, type Parameters } from "../../plane/index.ts";
import { FrameError, FrameReader, type IncomingFrame } from "./frame-reader.ts";
import { FrameWriter, UnsendableError } from "./frame-writer.ts";

interface Fixture {
  readonly name: string;
  readonly hex: string;
  readonly value: {
    readonly type: "request" | "response";
    readonly id: number;
    readonly requestId?: string;
    readonly extra?: Pick<InferRequest, "parameters" | "outputs" | "headers">;
    readonly parameters?: string;
    readonly hasMore?: boolean;
    readonly tensors: readonly {
      readonly name: string;
      readonly datatype: Datatype;
      readonly shape: readonly number[];
      readonly data: string;
      readonly parameters?: Parameters;
    }[];
  };
}

const FILE = join(import.meta.dirname, "../../../../test/fixtures/frames/tensor-frames.json");
const fixtures = JSON.parse(readFileSync(FILE, "utf8")) as readonly Fixture[];

function requestOf({ requestId, extra, tensors }: Fixture["value"]): InferRequest {
  return {
    inputs: tensors.map((tensor) => ({ ...tensor, data: Buffer.from(tensor.data, "hex") })),
    ...(requestId !== undefined && { id: requestId }),
    ...extra,
  };
}

function encode(id: number, request: InferRequest): Buffer {
  const writer = new FrameWriter(undefined, 0);
  writer.infer(id, request);
  return Buffer.concat(writer.take());
}

function decode(bytes: Buffer): Extract<IncomingFrame, { type: "tensors" }> {
  const [frame, ...others] = new FrameReader(undefined).frames(bytes);
  assert.ok(frame?.type === "tensors" && others.length === 0);
  return frame;
}

for (const { name, hex, value } of fixtures) {
  if (value.type === "request")
    test(`a request on tensors is written as agreed: ${name}`, () => {
      assert.equal(encode(value.id, requestOf(value)).toString("hex"), hex);
    });
  else
    test(`an answer of tensors is read as agreed: ${name}`, () => {
      const { id, hasMore, response } = decode(Buffer.from(hex, "hex"));
      assert.deepEqual([id, hasMore], [value.id, value.hasMore ?? false]);
      assert.deepEqual(response.parameters, value.parameters && JSON.parse(value.parameters));
      const outputs = isRaw(response.outputs) ? [] : response.outputs;
      assert.deepEqual(
        outputs.map((output) => ({ ...output, data: Buffer.from(output.data).toString("hex") })),
        value.tensors,
      );
    });
}

test("every cut and every changed byte of an answer of tensors is refused or read, and nothing else", () => {
  for (const { hex, value } of fixtures.filter((fixture) => fixture.value.type === "response")) {
    const whole = Buffer.from(hex, "hex");
    for (let at = 4; at < whole.byteLength; at += 1) {
      for (const change of [1, 0x80, 0xff]) {
        const broken = Buffer.from(whole);
        broken[at] = (broken[at] ?? 0) ^ change;
        try {
          for (const frame of new FrameReader(undefined).frames(broken))
            assert.ok(frame.id !== undefined, value.type);
        } catch (error) {
          assert.ok(error instanceof FrameError, String(error));
        }
      }
    }
  }
});

test("what does not go on the wire is refused before anything is written", () => {
  const tensor = { name: "x", datatype: "UINT8", data: new Uint8Array(0) } as const;
  const writer = new FrameWriter(undefined, 0);
  for (const inputs of [
    [{ ...tensor, shape: Array.from({ length: 33 }, () => 1) }],
    [{ ...tensor, shape: [-1] }],
    Array.from({ length: 1025 }, () => ({ ...tensor, shape: [0] })),
    { contentType: "", bytes: new Uint8Array(0) },
  ])
    assert.throws(() => writer.infer(1, { inputs }), UnsendableError);
  assert.deepEqual(writer.take(), []);
});
