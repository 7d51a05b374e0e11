import { arrayText, DenseArrayReader, JsonReader } from "../src/serving/protocols/json/index.ts";
import { readPredict } from "../src/serving/protocols/v1/read-predict.ts";
import { readInferJson } from "../src/serving/protocols/v2/read-infer-json.ts";
import { interleave, publish, type Contestant, type Outcome } from "./lib/interleave.ts";
import { describeMachine } from "./lib/machine.ts";

const isQuick = process.argv.includes("--quick");
const COUNT = isQuick ? 1000 : 100_000;
const ROUNDS = isQuick ? 1 : 15;
/** Of one round: the compiler needs some. */
const CALLS = isQuick ? 1 : 10;

const NUMBERS: Readonly<Record<string, readonly number[]>> = {
  "six decimals": valuesOf((index) => Math.round(Math.sin(index) * 1e6) / 1e6),
  "all digits of a double": valuesOf((index) => Math.sin(index)),
  "whole numbers below 256": valuesOf((index) => (index * 7919) % 256),
};

function valuesOf(at: (index: number) => number): readonly number[] {
  return Array.from({ length: COUNT }, (_, index) => at(index));
}

/** Runs something some times; `ms` is the time of the best call, which other programs disturb least. */
function contestant(name: string, bytes: number, call: () => unknown): Contestant {
  return {
    name,
    run: async () => {
      let ms = Infinity;
      for (let index = 0; index < CALLS; index += 1) {
        const startedAt = performance.now();
        call();
        ms = Math.min(ms, performance.now() - startedAt);
      }
      return { ms, "MB/s": bytes / ms / 1000 };
    },
  };
}

async function compare(values: readonly number[]): Promise<readonly Outcome[]> {
  const reader = new JsonReader();
  const dense = new DenseArrayReader();
  const flat = Buffer.from(JSON.stringify(values));
  const v2 = Buffer.from(
    JSON.stringify({ inputs: [{ name: "x", shape: [COUNT], datatype: "FP32", data: values }] }),
  );
  const v1 = Buffer.from(JSON.stringify({ instances: values }));
  const read = (): ReturnType<DenseArrayReader["read"]> => {
    reader.open(flat);
    return dense.read(reader);
  };
  const tensor = read();
  if (tensor === undefined) throw new Error("the array is not dense");
  return interleave(
    [
      contestant("ndarray", flat.byteLength, read),
      contestant("V2, FP32", v2.byteLength, () => readInferJson(reader, v2)),
      contestant("V1, no datatype", v1.byteLength, () => readPredict(reader, v1, undefined)),
      contestant("JSON.parse", flat.byteLength, () => JSON.parse(flat.toString("latin1"))),
      contestant("written", arrayText(tensor, "flat").length, () => arrayText(tensor, "flat")),
      contestant("JSON.stringify", flat.byteLength, () => JSON.stringify(values)),
    ],
    ROUNDS,
  );
}

const parts: Record<string, readonly Outcome[]> = {};
for (const [name, values] of Object.entries(NUMBERS)) parts[name] = await compare(values);
if (!isQuick) publish("json-numbers", describeMachine({}), parts);
