import { writeFileSync } from "node:fs";
import { run } from "../../src/ground/process/index.ts";
import { httpLoad, type LoadPlan, type LoadRequest, type LoadResult } from "./http-load.ts";
import { isThere } from "./peers.ts";

/** True when `wrk` is there; it takes less of the machine than our own generator. */
export const hasWrk: boolean = isThere("wrk", ["-v"]) || isThere("sh", ["-c", "command -v wrk"]);

/** As much load as the connections carry, by `wrk` where it is there, else by our own generator. */
export async function fullLoad(
  request: LoadRequest,
  plan: Omit<LoadPlan, "rate">,
): Promise<LoadResult> {
  if (!hasWrk) return httpLoad(request, plan);
  const script = `${request.bodyFile}.lua`;
  writeFileSync(
    script,
    `local file = io.open("${request.bodyFile}", "rb")\nwrk.method = "POST"\nwrk.body = file:read("*a")\nwrk.headers["Content-Type"] = "${request.contentType}"\n`,
  );
  const wrk = async (seconds: number): Promise<string> => {
    const { stdout } = await run(
      [
        "wrk",
        "-t1",
        `-c${plan.connections}`,
        `-d${seconds}`,
        "--timeout",
        "30",
        "--latency",
        "-s",
        script,
        `http://127.0.0.1:${request.port}${request.path}`,
      ],
      { timeoutMs: 300_000 },
    );
    return stdout.toString();
  };
  await wrk(plan.warmUp ?? 1);
  const text = await wrk(plan.seconds);
  const errors =
    Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0) +
    Number(/timeout (\d+)/.exec(text)?.[1] ?? 0);
  return {
    rps: Number(/Requests\/sec: +([\d.]+)/.exec(text)?.[1]),
    p50Ms: msOf(text, 50),
    p99Ms: msOf(text, 99),
    errors,
    answerBytes: 0,
  };
}

function msOf(text: string, percent: number): number {
  const [, number = "", unit = ""] =
    new RegExp(`${percent}% +([\\d.]+)(us|ms|s|m)\\n`).exec(text) ?? [];
  return Number(number) * ({ us: 0.001, ms: 1, s: 1000, m: 60_000 }[unit] ?? Number.NaN);
}
