import type { Readable } from "node:stream";

// One client doing one job, in a process of its own: prints a line of JSON with what it took.
// Arguments: client (ours, undici), job (upload, gets, start), URL, amount.
const [client = "", job = "", address = "", amount = "1"] = process.argv.slice(2);
const CHUNK = Buffer.alloc(1 << 20, 7);
const LANES = 16;

/** What a client is measured by. */
interface Client {
  /** PUTs a stream of so many mebibytes. */
  upload(url: URL, mebibytes: number): Promise<void>;
  /** One GET, its body read to its end. */
  get(url: URL): Promise<void>;
}

async function* content(mebibytes: number): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < mebibytes; index += 1) yield CHUNK;
}

async function ours(): Promise<Client> {
  const built = new URL("../../dist/ground/http/index.js", import.meta.url).href;
  const { createHttpClient } = (await import(
    built
  )) as typeof import("../../src/ground/http/index.ts");
  const http = createHttpClient();
  return {
    async upload(url, mebibytes) {
      const size = mebibytes * CHUNK.byteLength;
      const response = await http.send({
        action: "bench",
        method: "PUT",
        url,
        body: { kind: "stream", content: content(mebibytes), size },
      });
      await response.discard();
    },
    async get(url) {
      const response = await http.send({ action: "bench", method: "GET", url });
      await response.readBytes(1 << 20);
    },
  };
}

async function undici(): Promise<Client> {
  const { Agent, request } = await import("undici");
  const dispatcher = new Agent({ connections: 32 });
  return {
    async upload(url, mebibytes) {
      const { body } = await request(url, {
        dispatcher,
        method: "PUT",
        headers: { "content-length": String(mebibytes * CHUNK.byteLength) },
        body: content(mebibytes) as unknown as Readable, // it takes any iterable; its types do not say so
      });
      await body.dump();
    },
    async get(url) {
      const { body } = await request(url, { dispatcher });
      await body.arrayBuffer();
    },
  };
}

async function work(subject: Client): Promise<void> {
  const url = new URL(address);
  if (job === "upload") return subject.upload(url, Number(amount));
  let left = job === "start" ? 1 : Number(amount);
  await Promise.all(
    Array.from({ length: Math.min(LANES, left) }, async () => {
      while (left-- > 0) await subject.get(url);
    }),
  );
}

const make = client === "ours" ? ours : undici;
// Only the scenario of the start counts the import.
const made = job === "start" ? undefined : await make();
const begin = performance.now();
const before = process.cpuUsage();
await work(made ?? (await make()));
const { user, system } = process.cpuUsage(before);
const ms = performance.now() - begin;
process.stdout.write(
  `${JSON.stringify({ ms, cpuMs: (user + system) / 1000, rssMib: process.resourceUsage().maxRSS / 1024 })}\n`,
);
process.exit(0);
