// Fetching a model's archive from loopback, in turn with `curl | tar x`: whole processes, from start to exit. Sparse weights would be
// unfair to neither, but say nothing: the archive holds random bytes.
import { randomFillSync } from "node:crypto";
import { createReadStream, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { interleave, publish, type Contestant } from "./lib/interleave.ts";
import { describeMachine } from "./lib/machine.ts";
import { timedRun } from "./lib/timed-run.ts";

const isQuick = process.argv.includes("--quick");
const bytes = (isQuick ? 64 : 1024) * 2 ** 20;
const folder = mkdtempSync(join(tmpdir(), "slipway-bench-fetch-"));
const child = resolve(import.meta.dirname, "lib/fetch-child.ts");
const archive = join(folder, "model.tar");

/** Serves the archive by ranges; the first answer of a round may be cut in its middle. */
function startStore(): Promise<{ readonly url: string; close(): void; cutAt: number }> {
  const state = { url: "", cutAt: 0, close: (): void => void server.close() };
  const size = statSync(archive).size;
  const server = createServer((request, response) => {
    const [, from = "0", to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
    const isPart = request.headers.range !== undefined;
    const start = Number(from);
    const end = to === undefined || to === "" ? size : Number(to) + 1;
    response.writeHead(isPart ? 206 : 200, {
      "content-length": end - start,
      "accept-ranges": "bytes",
      etag: '"bench"',
      ...(isPart && { "content-range": `bytes ${start}-${end - 1}/${size}` }),
    });
    const isCut = state.cutAt > start && state.cutAt < end;
    const last = isCut ? state.cutAt : end;
    if (isCut) state.cutAt = 0;
    const file = createReadStream(archive, { start, end: last - 1, highWaterMark: 2 ** 20 });
    file.pipe(response, { end: !isCut });
    if (isCut) file.once("end", () => response.socket?.end());
    response.once("close", () => file.destroy());
  });
  return new Promise((ready) =>
    server.listen(0, "127.0.0.1", () => {
      state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.tar`;
      ready(state);
    }),
  );
}

const weights = join(folder, "weights.bin");
const block = randomFillSync(Buffer.alloc(2 ** 20));
for (let written = 0; written < bytes; written += block.length)
  writeFileSync(weights, block, { flag: "a" });
await timedRun(["tar", "-C", folder, "-cf", archive, "weights.bin"]);
rmSync(weights);
const store = await startStore();

function target(): string {
  return mkdtempSync(join(folder, "target-"));
}

function ours(name: string, cutAt: () => number): Contestant {
  return {
    name,
    run: async () => {
      const place = target();
      store.cutAt = cutAt();
      const { ms, peakMib, stdout } = await timedRun([process.execPath, child, store.url, place]);
      rmSync(place, { recursive: true });
      return { ms, peakMib, ...(JSON.parse(stdout) as Readonly<Record<string, number>>) };
    },
  };
}

const theirs: Contestant = {
  name: "curl | tar x",
  run: async () => {
    const place = target();
    const command = ["sh", "-c", 'curl -sf "$0" | tar x -C "$1"', store.url, place] as const;
    const { ms, cpuMs } = await timedRun(command, { measuresCpu: true });
    rmSync(place, { recursive: true });
    return { ms, cpuMs };
  },
};

try {
  const anywhere = (): number => 1 + Math.floor(Math.random() * (bytes - 2));
  const rounds = isQuick ? 1 : 7;
  publish("fetch-archive", describeMachine({ curl: ["curl", "--version"] }), {
    "1 GB from loopback": await interleave(
      [ours("slipway", () => 0), ours("slipway, cut once", anywhere), theirs],
      rounds,
    ),
  });
} finally {
  store.close();
  rmSync(folder, { recursive: true, force: true });
}
