import assert from "node:assert/strict";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import fc from "fast-check";
import { isToolError } from "../../ground/errors/index.ts";
import { digestOf, MEDIA_TYPES, type Descriptor, type Reference } from "../oci/index.ts";
import { parseAuthFile } from "./keychain/auth-file.ts";
import { createRegistry, type Registry } from "./index.ts";

/** What a registry answers to one request. */
interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const DIGEST = digestOf(Buffer.from("hello"));
const BLOB: Descriptor = { mediaType: MEDIA_TYPES.layerTar, digest: DIGEST, size: 5 };

/** Mostly plausible, never to be trusted. */
const reply: fc.Arbitrary<Reply> = fc.record({
  status: fc.constantFrom(
    200,
    200,
    201,
    202,
    204,
    206,
    301,
    302,
    307,
    308,
    400,
    401,
    403,
    404,
    405,
    409,
    413,
    416,
    418,
    429,
    500,
    503,
    599,
  ),
  headers: fc.dictionary(
    fc.constantFrom(
      "location",
      "range",
      "content-range",
      "content-type",
      "docker-content-digest",
      "www-authenticate",
      "link",
      "retry-after",
      "oci-chunk-min-length",
      "oci-subject",
      "warning",
    ),
    fc.oneof(
      fc.constantFrom(
        DIGEST,
        "0-4",
        "0-0",
        "bytes 0-4/5",
        "0",
        "-1",
        "1e9",
        "/v2/a/blobs/uploads/1",
        "http://127.0.0.1:1/x",
        "https://[::1]/",
        "//evil.test/x",
        "\\\\x",
        "?",
        `Bearer realm="http://127.0.0.1:1/token",service="s"`,
        "Basic",
        `Bearer realm="`,
        '</v2/a/tags/list?n=1>; rel="next"',
        `299 - "text"`,
        MEDIA_TYPES.imageManifest,
        MEDIA_TYPES.imageIndex,
      ),
      fc.stringMatching(/^[\x20-\x7e]{0,60}$/),
    ),
    { maxKeys: 6 },
  ),
  body: fc.oneof(
    fc.constantFrom(
      "",
      "hello",
      "{}",
      "[]",
      "null",
      `{"tags":["v1",7]}`,
      `{"repositories":null}`,
      `{"token":7}`,
      `{"token":"t","expires_in":-1}`,
      `{"errors":[null,{"code":7}]}`,
      `{"manifests":[{"digest":"x"}]}`,
    ),
    fc.json({ maxDepth: 3 }),
    fc.string({ maxLength: 200 }),
  ),
});

type Act = (registry: Registry, reference: Reference) => Promise<unknown>;

const ACTS: Readonly<Record<string, Act>> = {
  resolve: (registry, reference) => registry.repository("a").resolve(reference),
  "open a blob": async (registry) => {
    const bytes = Buffer.concat(await Array.fromAsync(registry.repository("a").open(BLOB)));
    assert.equal(digestOf(bytes), DIGEST, "only the right bytes come through");
  },
  "open a manifest": async (registry) => {
    const bytes = Buffer.concat(
      await Array.fromAsync(
        registry.repository("a").open({ ...BLOB, mediaType: MEDIA_TYPES.imageManifest }),
      ),
    );
    assert.equal(digestOf(bytes), DIGEST);
  },
  push: (registry) => registry.repository("a").put(BLOB, chunk("hello")),
  "push and resume": (registry) =>
    registry
      .repository("a")
      .putFrom({ ...BLOB, size: 9 * 2 ** 20 }, (offset) => chunk("x".repeat(9 * 2 ** 20 - offset))),
  mount: (registry, reference) =>
    registry.repository("a").mount(BLOB, { ...reference, repository: "b" }),
  tag: (registry, reference) =>
    registry.repository("a").tag({ ...BLOB, mediaType: MEDIA_TYPES.imageManifest }, reference),
  "list tags": (registry) => Array.fromAsync(registry.repository("a").listTags()),
  catalog: (registry) => Array.fromAsync(registry.catalog()),
  referrers: (registry) => registry.repository("a").referrers(DIGEST),
  delete: (registry) => registry.repository("a").deleteManifest(DIGEST),
};

for (const [name, act] of Object.entries(ACTS)) {
  test(`${name}: whatever a registry answers, only errors of ours come out, and it ends`, async (t) => {
    const script: Reply[] = [];
    let at = 0;
    const host = await serve(t, (response) => answer(response, script[at++ % script.length]));
    await fc.assert(
      fc.asyncProperty(fc.array(reply, { minLength: 1, maxLength: 6 }), async (replies) => {
        script.splice(0, script.length, ...replies);
        at = 0;
        await using registry = createRegistry({
          host,
          sleep: async () => undefined,
          timeouts: { connectMs: 2000, idleMs: 2000, answerMs: 2000 },
        });
        await act(registry, { registry: host, repository: "a", tag: "v1" }).catch(
          (error: unknown) =>
            assert.ok(
              isToolError(error),
              `not of ours: ${String(error)}\n${error instanceof Error ? error.stack : ""}`,
            ),
        );
      }),
      { numRuns: 60 },
    );
    assert.ok(at > 0, "it was asked");
  });
}

test("whatever a file of credentials holds, it is read or refused with an error of ours that quotes nothing", () => {
  const value = fc.oneof(
    fc.constant("aHVudGVyMjpodW50ZXIy"),
    fc.string(),
    fc.integer(),
    fc.constant(null),
    fc.array(fc.string()),
  );
  const file = fc.record(
    {
      auths: fc.oneof(
        fc.dictionary(
          fc.string(),
          fc.oneof(
            value,
            fc.dictionary(
              fc.constantFrom(
                "auth",
                "username",
                "password",
                "identitytoken",
                "registrytoken",
                "__proto__",
              ),
              value,
            ),
          ),
        ),
        value,
      ),
      credHelpers: fc.oneof(fc.dictionary(fc.string(), value), value),
      credsStore: value,
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(
      fc.oneof(
        file.map((document) => JSON.stringify(document)),
        fc.json(),
        fc.string().map((text) => `hunter2${text}`),
      ),
      (text) => {
        try {
          parseAuthFile(text, "place");
        } catch (error) {
          assert.ok(isToolError(error) && error.code === "CREDENTIAL_INVALID", String(error));
          assert.ok(!error.message.includes("hunter2"));
        }
      },
    ),
    { numRuns: 500 },
  );
});

async function* chunk(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

function answer(
  response: ServerResponse,
  { status, headers, body }: Reply = { status: 500, headers: {}, body: "" },
): void {
  response.writeHead(status, headers);
  response.end(response.req.method === "HEAD" || status === 204 ? undefined : body);
}

async function serve(t: TestContext, handle: (response: ServerResponse) => void): Promise<string> {
  const server = createServer((request, response) => {
    request.resume();
    request.once("end", () => handle(response));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
