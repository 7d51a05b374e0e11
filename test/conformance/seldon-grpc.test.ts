import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { pythonEnv } from "../support/python-env.ts";
import { GRPC_GROUPS, type GrpcDeviation, type GrpcGroup } from "../support/seldon/grpc-cases.ts";
import {
  startGrpcClient,
  startOurGrpc,
  startWrapperGrpc,
  type GrpcAnswer,
  type GrpcClient,
} from "../support/seldon/grpc.ts";
import { CLASS_PACKAGES, WRAPPER_PACKAGES } from "../support/seldon/servers.ts";

type Answers = ReadonlyMap<string, GrpcAnswer>;

// The wrapper itself and our server in both modes, asked the same things by Seldon's own stubs.
describe("seldon-core 1.17.1 and our server over gRPC, side by side", { concurrency: 2 }, () => {
  for (const group of GRPC_GROUPS) {
    test(group.id, async (t) => {
      const [wrapper, classes] = [
        await pythonEnv(t, { packages: WRAPPER_PACKAGES }),
        await pythonEnv(t, { packages: CLASS_PACKAGES }),
      ];
      if (wrapper === undefined || classes === undefined) return;
      const client = (grpc: number): Promise<GrpcClient> =>
        startGrpcClient({ python: wrapper.python, target: `127.0.0.1:${grpc}` });
      await using theirs = await startWrapperGrpc(group.server, wrapper.bin);
      const wanted = await askAll(group, await client(theirs.grpc));
      for (const mode of ["strict", "default"] as const) {
        const env = {
          ...group.server.env,
          ...(mode === "strict" && { SELDON_STRICT_COMPAT: "1" }),
        };
        await using ours = await startOurGrpc({ ...group.server, env }, classes.python);
        const got = await askAll(group, await client(ours.grpc));
        const wrong = [...got].flatMap(([id, answer]) =>
          differenceOf(answer, {
            mode,
            wanted: wanted.get(id),
            deviation: deviationOf(group, id, mode),
          }).map((what) => `${mode}: ${id}: ${what}`),
        );
        assert.deepEqual(wrong, []);
      }
    });
  }
});

async function askAll({ calls }: GrpcGroup, client: GrpcClient): Promise<Answers> {
  await using asked = client;
  const answers = new Map<string, GrpcAnswer>();
  for (const [id, call] of Object.entries(calls)) answers.set(id, await asked.call(call));
  return answers;
}

function deviationOf(
  { different, better }: GrpcGroup,
  id: string,
  mode: "strict" | "default",
): GrpcDeviation | undefined {
  return different?.[id] ?? (mode === "default" ? better?.[id] : undefined);
}

interface Expectation {
  readonly mode: "strict" | "default";
  readonly wanted: GrpcAnswer | undefined;
  readonly deviation: GrpcDeviation | undefined;
}

const CALLING = "Exception calling application: ";

/** What is wrong with an answer; nothing when nothing is. */
function differenceOf(
  got: GrpcAnswer,
  { mode, wanted, deviation }: Expectation,
): readonly string[] {
  const shown = `got ${shownOf(got)}, the wrapper has ${wanted === undefined ? "nothing" : shownOf(wanted)}`;
  if (wanted === undefined) return [shown];
  if (deviation !== undefined) {
    if (shownOf(got) === shownOf(wanted)) return [`is not different any more: ${shown}`];
    return got.code === deviation.code && (deviation.matches ?? /(?:)/).test(shownOf(got))
      ? []
      : [shown];
  }
  if (got.code !== wanted.code || got.code === "OK")
    return isSame(got, wanted, mode) ? [] : [shown];
  // The wrapper trips over its own message about an answer of an unknown type.
  if (wanted.details.includes("can only concatenate str") && got.details !== wanted.details)
    return mode === "strict" || got.details.includes("Unknown data type returned as payload")
      ? []
      : [shown];
  // The library's own errors have no text over gRPC; outside of strict mode ours say what they are.
  const isSilent = wanted.details === CALLING && mode === "default";
  return isSilent
    ? got.details.startsWith(CALLING) && got.details !== CALLING
      ? []
      : [shown]
    : got.details === wanted.details
      ? []
      : [shown];
}

/** The wrapper writes its label `method` into the tags of the metrics that user code returned; we do so in strict mode. */
function isSame(got: GrpcAnswer, wanted: GrpcAnswer, mode: "strict" | "default"): boolean {
  if (got.hex === wanted.hex && got.code === wanted.code) return true;
  const text = JSON.stringify(wanted.answer ?? "");
  return (
    mode === "default" &&
    /"tags":\{[^{}]*"method":/.test(text) &&
    JSON.stringify(got.answer) ===
      text.replaceAll(/("tags":\{[^{}]*?)(?:,"method":"\w+"|"method":"\w+",)/g, "$1")
  );
}

function shownOf({ code, details, answer, hex }: GrpcAnswer): string {
  return `${code} ${details}${answer === undefined ? "" : JSON.stringify(answer)} ${hex?.slice(0, 200) ?? ""}`;
}
