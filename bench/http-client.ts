import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { isMainThread, Worker, parentPort } from "node:worker_threads";
import { readFileSync } from "node:fs";
import { interleave, publish, type Contestant, type Outcome } from "./lib/interleave.ts";
import { describeMachine } from "./lib/machine.ts";

/** Takes every body and answers every GET, in a thread of its own so that the measuring process is not its clock. */
if (!isMainThread) {
  const answer = Buffer.alloc(512, 97);
  const server = createServer((request, response) => {
    if (request.method === "GET") return void response.end(answer);
    request.resume();
    return void request.once("end", () => response.writeHead(201).end());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  parentPort?.postMessage((server.address() as AddressInfo).port);
} else {
  const isQuick = process.argv.includes("--quick");
  const sink = new Worker(new URL(import.meta.url));
  const [port] = await once(sink, "message");
  const url = `http://127.0.0.1:${port}/`;
  const rounds = isQuick ? 1 : 9;
  publish("http-client", machineWithUndici(), {
    "upload of a stream, 512 MiB": await compare(["upload", url, isQuick ? "16" : "512"], rounds),
    "4,000 GETs of 512 bytes, 16 at once": await compare(
      ["gets", url, isQuick ? "100" : "4000"],
      rounds,
    ),
    "import and first GET": await compare(["start", url, "1"], isQuick ? 1 : 15),
  });
  await sink.terminate();
}

/** `ms` is processor time: what the client costs, whatever else the machine does meanwhile. */
async function compare(words: readonly string[], rounds: number): Promise<readonly Outcome[]> {
  const child = resolve(import.meta.dirname, "lib/http-client-child.ts");
  const contestant = (name: string, client: string): Contestant => ({
    name,
    run: async () => {
      const text = execFileSync(process.execPath, [child, client, ...words], { encoding: "utf8" });
      const { ms, cpuMs, rssMib } = JSON.parse(text) as Record<"ms" | "cpuMs" | "rssMib", number>;
      return { ms: cpuMs, "wall ms": ms, "peak MiB": rssMib };
    },
  });
  return interleave([contestant("slipway", "ours"), contestant("undici", "undici")], rounds);
}

function machineWithUndici(): ReturnType<typeof describeMachine> {
  const manifest = join(import.meta.dirname, "../node_modules/undici/package.json");
  const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { readonly version: string };
  const machine = describeMachine({});
  return { ...machine, versions: { undici: version } };
}
