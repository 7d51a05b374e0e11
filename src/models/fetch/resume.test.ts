import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { packed, tarOf, zipOf } from "../../../test/support/archives.ts";
import { fetchPlace } from "../../../test/support/fetch-place.ts";
import { startModelStore } from "../../../test/support/model-store.ts";

const CHILD = resolve(import.meta.dirname, "../../../test/support/fetch-child.ts");
const FILES = {
  "model/model/saved_model.pb": randomBytes(800_000).toString("hex"),
  "model/model/empty": "",
  "model/model/variables/variables.index": "index",
  "model/model/variables/variables.data": randomBytes(700_000).toString("hex"),
};
const CONTENTS = {
  "model.tar": tarOf(FILES),
  "model.tar.gz": packed(tarOf(FILES), "gzip"),
  "model.tar.zst": packed(tarOf(FILES), "zstd"),
  "model.zip": zipOf(FILES),
  "weights.onnx": randomBytes(3_000_000),
};

/** Offset of the first byte that a request asked for. */
function firstByte(headers: Readonly<Record<string, unknown>> | undefined): number {
  const range = headers?.["range"];
  return typeof range === "string" ? Number(/^bytes=(\d+)-/.exec(range)?.[1] ?? 0) : 0;
}

for (const [name, content] of Object.entries(CONTENTS))
  for (const isSummed of [false, true])
    test(`${name} that was ended anywhere is whole the next time${isSummed ? ", its sum checked" : ""}`, async (t) => {
      const sum = createHash("sha256").update(content).digest("hex");
      const store = await startModelStore(t, content, { chunkBytes: 100_000 });
      const env = {
        MODEL_URI: `http://${store.address}/${name}`,
        ...(isSummed && { MODEL_SHA256: sum }),
      };
      for (let cut = 1; cut < content.length; cut += Math.ceil(content.length / 3)) {
        const place = await fetchPlace(t);
        const stop = new AbortController();
        let seen = 0;
        let pieces = 0;
        const onProgress = ({ bytes }: { readonly bytes: number }): void => {
          seen = bytes;
          pieces += 1;
          if (bytes >= cut) stop.abort(new Error("ended"));
        };
        await assert.rejects(place.fetch(env, { signal: stop.signal, onProgress }), /ended/);
        const before = store.requests.length;
        await place.fetch(env);
        const asked = store.requests.slice(before).map(({ headers }) => firstByte(headers));
        assert.ok(asked.length <= 1, "one request at the most");
        // The piece that was on its way through memory comes again; of a packed content that may be more than one.
        const isPlain = name === "model.tar" || name === "weights.onnx";
        if (isPlain && pieces > 1) assert.ok(seen - (asked[0] ?? content.length) <= 2 ** 20);
        if (name === "weights.onnx")
          assert.ok((await readFile(join(place.folder, name))).equals(content));
        else assert.deepEqual(await place.files(), FILES);
        assert.deepEqual(await place.leftovers(), []);
      }
    });

test("a beginning of another content is thrown away", async (t) => {
  const store = await startModelStore(t, CONTENTS["model.tar"], { chunkBytes: 400 });
  const env = { MODEL_URI: `http://${store.address}/model.tar` };
  const place = await fetchPlace(t);
  const stop = new AbortController();
  const onProgress = ({ bytes }: { readonly bytes: number }): void => {
    if (bytes > 1_500_000) stop.abort(new Error("ended"));
  };
  await assert.rejects(place.fetch(env, { signal: stop.signal, onProgress }), /ended/);
  const other = { "model/model/a": "x".repeat(9_000_000), "model/model/b": "y" };
  store.fault({ kind: "changed", content: tarOf(other) });
  await place.fetch(env);
  assert.deepEqual(await place.files(), other);
});

const WEIGHTS = randomBytes(12 * 2 ** 20);
const LARGE = tarOf({ "model/model/weights.bin": WEIGHTS.toString("latin1") });

for (const [name, content] of Object.entries({
  "a tar": LARGE,
  "a tar.gz": packed(LARGE, "gzip"),
  "a zip": zipOf({ "model/model/weights.bin": WEIGHTS.toString("latin1") }),
}))
  test(`${name} whose fetch was killed goes on within a few megabytes of where it was`, async (t) => {
    const stalls = 8 * 2 ** 20;
    const wanted: number[] = [];
    const server = createServer((socket) => {
      socket.on("error", () => undefined); // the client is killed
      socket.once("data", (request) => {
        const from = Number(/range: bytes=(\d+)-/i.exec(request.toString("latin1"))?.[1] ?? 0);
        wanted.push(from);
        const range = `content-range: bytes ${from}-${content.length - 1}/${content.length}`;
        socket.write(
          `HTTP/1.1 ${from > 0 ? "206 Partial Content" : "200 OK"}\r\netag: "a"\r\naccept-ranges: bytes\r\n` +
            `content-length: ${content.length - from}\r\n${range}\r\n\r\n`,
        );
        if (from > 0) socket.end(content.subarray(from));
        else socket.write(content.subarray(0, stalls));
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    t.after(() => server.close());
    const place = await fetchPlace(t);
    const { port } = server.address() as AddressInfo;
    const args = [CHILD, `http://127.0.0.1:${port}/model`, place.folder];
    const first = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    for await (const text of first.stdout.setEncoding("utf8"))
      if (Number(String(text).trim().split("\n").at(-1)) >= stalls) break;
    first.kill("SIGKILL");
    await once(first, "exit");
    const second = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
    assert.deepEqual(await once(second, "exit"), [0, null]);
    const [, from = 0] = wanted;
    assert.ok(from > stalls - 3 * 2 ** 20 && from <= stalls, `it went on at ${from}`);
    const found = await readFile(join(place.folder, "weights.bin"), "utf8");
    assert.equal(found, WEIGHTS.toString("latin1"));
    assert.deepEqual(await place.leftovers(), []);
  });

test("what was left by a fetch of something else goes away", async (t) => {
  const store = await startModelStore(t, CONTENTS["model.tar"], { chunkBytes: 400 });
  const place = await fetchPlace(t);
  const stop = new AbortController();
  const onProgress = (): void => stop.abort(new Error("ended"));
  const uri = (name: string): Record<string, string> => ({
    MODEL_URI: `http://${store.address}/${name}`,
  });
  await assert.rejects(place.fetch(uri("a.tar"), { signal: stop.signal, onProgress }), /ended/);
  assert.equal((await place.leftovers()).length, 1);
  await place.fetch(uri("b.tar"));
  assert.deepEqual(await place.leftovers(), []);
});
