import { choice, count, needed, scaled, text } from "../options/kinds.ts";
import { parseCountOrNone } from "../options/values.ts";
import type { CommandSpec, Options } from "../options/option.ts";
import type { BenchRequest } from "./bench.ts";
import type { ClientRequest } from "./make-client.ts";
import type { TargetRequest } from "./open-target.ts";
import type { PredictRequest } from "./predict.ts";

/** Languages that a client is written in. */
const CLIENT_LANGUAGES = ["ts", "python"] as const;
/** How predictions are shown. */
const SHOWN = ["table", "json", "ndjson"] as const;

/** A request with what only the command line knows. */
export interface PredictWords extends PredictRequest {
  /** Default: a table on a terminal's lines. */
  readonly output: (typeof SHOWN)[number];
}

const TARGET: Options<TargetRequest> = {
  target: needed("<target>", "a URL, a folder or file of a model, or an image"),
  workers: count("--workers <number>", "worker processes of a folder"),
  python: text("--python <path>", "interpreter for a folder"),
};
const FORM = choice("--form <name>", "what the input is (default: by its name; - is json)", [
  "csv",
  "ndjson",
  "json",
  "text",
  "image",
  "raw",
]);
const MODEL = text("--model <name>", "model of a server that has several");
const PROTOCOL = choice("--protocol <name>", "how it is asked (default: found out by asking)", [
  "v2",
  "v1",
  "seldon",
  "service",
]);

/** `slipway predict TARGET INPUT`. */
export const PREDICT_COMMAND: CommandSpec<PredictWords> = {
  options: {
    ...TARGET,
    input: needed("[input]", "a file of inputs; - for standard input", { byDefault: "-" }),
    form: FORM,
    model: MODEL,
    protocol: PROTOCOL,
    output: {
      ...choice("-o, --output <form>", "how the answer is shown", SHOWN, { byDefault: "table" }),
      read: ([given = []]) => SHOWN.find((name) => name === given.at(-1)) ?? "table",
    },
    batchRows: count(
      "--batch-rows <number>",
      "rows of a table or of lines that are sent together (default: 64)",
    ),
    timeoutMs: scaled("--timeout <seconds>", "longest wait for an answer", 1000, { byDefault: 60 }),
    draw: text("--draw <file>", "write the picture with boxes around what was found, as PNG"),
  },
  registry: {},
  notes: [
    "A table (.csv, .tsv) has a row on each line; a first line of names is left out, and names the inputs where there are several.\n.ndjson and .jsonl have a value or an object on each line. .json is one request: lists for the only input, or an object of\nlists by the names of inputs. Pictures are given to the server as they are.",
  ],
  examples: [
    "slipway predict http://localhost:9000 rows.csv",
    "echo '[[5.1,3.5,1.4,0.2]]' | slipway predict ./iris",
    "slipway predict store:iris rows.csv -o ndjson",
    "slipway predict http://localhost:9000 cat.jpg --model resnet",
    "slipway predict ./pets dogs.jpg --draw found.png",
  ],
};

/** A measurement with what only the command line knows. */
export interface BenchWords extends BenchRequest {
  /** File for the report. */
  readonly report?: string | undefined;
}

/** `slipway bench TARGET`. */
export const BENCH_COMMAND: CommandSpec<BenchWords> = {
  options: {
    ...TARGET,
    input: text(
      "--input <file>",
      "what is sent (default: zeros in the shape that the model states)",
    ),
    form: FORM,
    model: MODEL,
    protocol: PROTOCOL,
    connections: count(
      "--connections <number>",
      "requests at the same time (default: 1, 2, 4 and so on, while that brings more)",
    ),
    rate: count("--rate <number>", "requests a second, whether answers come or not"),
    durationMs: scaled("--duration <seconds>", "length of each measurement", 1000, {
      byDefault: 5,
    }),
    warmUpMs: {
      ...text("--warm-up <seconds>", "time before anything is counted", { byDefault: 1 }),
      read: ([given = []]) => 1000 * parseCountOrNone(given.at(-1) ?? "1"),
    },
    p99LimitMs: count("--p99 <ms>", "highest p99 that the best load may have"),
    report: text("--report <file>", "write a page with tables and plots"),
  },
  registry: {},
  notes: [
    "With --rate the time of a request counts from when it was due, so that a server that stands still is not measured as quick.",
  ],
  examples: [
    "slipway bench http://localhost:9000 --p99 50",
    "slipway bench ./iris --report iris.html",
    "slipway bench http://localhost:9000 --rate 200 --duration 30 --input row.json",
  ],
};

/** `slipway client LANGUAGE TARGET`. */
export const CLIENT_COMMAND: CommandSpec<ClientRequest> = {
  options: {
    language: {
      ...choice("<language>", "ts or python", CLIENT_LANGUAGES, { isRequired: true }),
      read: ([given = []]) => CLIENT_LANGUAGES.find((name) => name === given.at(-1)) ?? "ts",
    },
    ...TARGET,
    model: text("--model <name>", "only this model (default: all that the server lists)"),
    file: text("-o, --output <file>", "write it there"),
  },
  registry: {},
  notes: [
    "The client is one file without dependencies: a class with a method for each model, typed by the names, datatypes and shapes that\nthe server states. It asks over Open Inference V2; 64-bit integers stay exact. The same server gives the same text.",
  ],
  examples: [
    "slipway client ts http://localhost:9000 -o iris-client.ts",
    "slipway client python ./iris -o iris_client.py",
  ],
};
