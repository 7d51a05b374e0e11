import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { fetchPlace } from "../../../../test/support/fetch-place.ts";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const FILES: Readonly<Record<string, string>> = {
  ".gitattributes": "x",
  "config.json": "{}",
  "onnx/model.onnx": "ONNX",
  "onnx/labels.txt": "a\n",
};

interface Hub {
  readonly endpoint: string;
  readonly seen: string[];
  readonly tokens: (string | undefined)[];
}

/** A hub with one repository. @param names - what it says its files are called */
async function startHub(
  t: TestContext,
  names = Object.keys(FILES),
  isDamaged = false,
): Promise<Hub> {
  const seen: string[] = [];
  const tokens: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "", "http://hub.test");
    seen.push(url.pathname);
    tokens.push(request.headers.authorization);
    const sha256 = (name: string): string =>
      createHash("sha256")
        .update(FILES[name] ?? "")
        .digest("hex");
    if (/^\/api\/models\/team\/iris\/revision\/(?:main|v1|[0-9a-f]{40})$/.test(url.pathname)) {
      const siblings = names.map((rfilename) => ({
        rfilename,
        size: FILES[rfilename]?.length,
        ...(rfilename.endsWith(".onnx") && { lfs: { sha256: sha256(rfilename) } }),
      }));
      response.setHeader("content-type", "application/json");
      return void response.end(JSON.stringify({ sha: COMMIT, siblings }));
    }
    const file =
      FILES[decodeURIComponent(url.pathname.replace(`/team/iris/resolve/${COMMIT}/`, ""))];
    if (file === undefined) response.statusCode = 404;
    response.end(isDamaged ? file?.replace("O", "o") : file);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, seen, tokens };
}

test("a repository comes whole, every file from one commit", async (t) => {
  const hub = await startHub(t);
  const place = await fetchPlace(t);
  const model = await place.fetch({
    MODEL_URI: "hf://team/iris",
    HF_ENDPOINT: hub.endpoint,
    HF_TOKEN: "t0k",
  });
  const wanted = Object.fromEntries(
    Object.entries(FILES).filter(([name]) => !name.startsWith(".")),
  );
  assert.deepEqual(await place.files(), wanted);
  assert.equal(model.label, `hf://team/iris@${COMMIT}`);
  assert.ok(
    hub.seen.slice(1).every((path) => path.includes(COMMIT)),
    hub.seen.join(" "),
  );
  assert.deepEqual([...new Set(hub.tokens)], ["Bearer t0k"]);
});

test("a part of a repository is a file or a folder, at a tag or a commit", async (t) => {
  const hub = await startHub(t);
  const place = await fetchPlace(t);
  const env = { HF_ENDPOINT: hub.endpoint };
  await place.fetch({ ...env, MODEL_URI: "hf://team/iris@v1/onnx/model.onnx" });
  assert.deepEqual(await place.files(), { "model.onnx": "ONNX" });
  await place.fetch({ ...env, MODEL_URI: `hf://team/iris@${COMMIT}/onnx` });
  assert.deepEqual(await place.files(), { "labels.txt": "a\n", "model.onnx": "ONNX" });
  const before = hub.seen.length;
  await place.fetch({ ...env, MODEL_URI: `hf://team/iris@${COMMIT}/onnx` });
  assert.equal(hub.seen.length, before, "a commit does not change");
  const again = await place
    .fetch({ ...env, MODEL_URI: "hf://team/iris@v2" })
    .catch((error: unknown) => error);
  assert.equal((again as { code?: string }).code, "REFERENCE_NOT_FOUND");
});

test("a file that is not what the hub lists, and a hostile name, are refused", async (t) => {
  const damaged = await startHub(t, Object.keys(FILES), true);
  const place = await fetchPlace(t);
  await assert.rejects(
    place.fetch({ MODEL_URI: "hf://team/iris", HF_ENDPOINT: damaged.endpoint }),
    {
      code: "DIGEST_MISMATCH",
    },
  );
  const hostile = await startHub(t, ["../../escaped.onnx", "config.json"]);
  await assert.rejects(place.fetch({ MODEL_URI: "hf://team/iris", HF_ENDPOINT: hostile.endpoint }));
  assert.deepEqual(await place.files(), {});
});

test("the model that was fetched is used while the hub cannot be reached", async (t) => {
  const hub = await startHub(t);
  const place = await fetchPlace(t);
  const env = { MODEL_URI: "hf://team/iris/config.json", HF_ENDPOINT: hub.endpoint };
  await place.fetch(env);
  const model = await place.fetch({ ...env, HF_ENDPOINT: "http://127.0.0.1:9" });
  assert.equal(model.isKept, true);
  assert.match(place.warnings.join("\n"), /fetched before is used/);
});
