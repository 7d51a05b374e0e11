import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  blobOf,
  randomBlob,
  startRegistry,
  type Answer,
  type Blob,
  type RegistryFixture,
  type SendOptions,
} from "../support/registry-fixture.ts";

// What distribution-spec 1.1 says a registry does, one test per statement, keyed by endpoint. The spec is the source;
// the names in brackets are its endpoint ids. The upstream suite is in distribution-suite.test.ts.

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";
const CONFIG = "application/vnd.oci.image.config.v1+json";
const LAYER = "application/vnd.oci.image.layer.v1.tar+gzip";
const EMPTY = "application/vnd.oci.empty.v1+json";
const REPO = "conformance/one";
const OTHER = "conformance/two";

let registry: RegistryFixture;
before(async () => {
  registry = await startRegistry();
});
after(async () => {
  await registry[Symbol.asyncDispose]();
});

const send = (method: string, path: string, options?: SendOptions): Promise<Answer> =>
  registry.send(method, path, options);
const errorCode = (answer: Answer): string => JSON.parse(answer.body.toString()).errors[0].code;
const withQuery = (location: string, query: string): string =>
  `${location}${location.includes("?") ? "&" : "?"}${query}`;

async function startUpload(name: string, query = ""): Promise<string> {
  const answer = await send("POST", `/v2/${name}/blobs/uploads/${query}`, {
    headers: { "Content-Length": "0" },
  });
  assert.equal(answer.status, 202);
  return answer.headers.location ?? assert.fail("an upload has a location");
}

async function pushBlob(name: string, blob: Blob): Promise<Blob> {
  const answer = await send("PUT", withQuery(await startUpload(name), `digest=${blob.digest}`), {
    body: blob.bytes,
  });
  assert.equal(answer.status, 201);
  return blob;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

function descriptorOf(blob: Blob, mediaType: string): Descriptor {
  return { mediaType, digest: blob.digest, size: blob.size };
}

async function manifestOf(name: string, more: object = {}): Promise<Blob> {
  const config = await pushBlob(
    name,
    blobOf(
      JSON.stringify({
        architecture: "amd64",
        os: "linux",
        rootfs: { type: "layers", diff_ids: [] },
        id: randomBlob().digest,
      }),
    ),
  );
  const layer = await pushBlob(name, randomBlob());
  return blobOf(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: descriptorOf(config, CONFIG),
      layers: [descriptorOf(layer, LAYER)],
      ...more,
    }),
  );
}

async function putManifest(
  name: string,
  reference: string,
  manifest: Blob,
  mediaType: string = MANIFEST,
): Promise<Answer> {
  return send("PUT", `/v2/${name}/manifests/${reference}`, {
    body: manifest.bytes,
    headers: { "Content-Type": mediaType },
  });
}

async function pushManifest(name: string, reference: string, more: object = {}): Promise<Blob> {
  const manifest = await manifestOf(name, more);
  const answer = await putManifest(
    name,
    reference === "digest" ? manifest.digest : reference,
    manifest,
  );
  assert.equal(answer.status, 201, answer.body.toString());
  return manifest;
}

async function pushIndex(
  name: string,
  reference: string,
  manifests: readonly object[],
  more: object = {},
): Promise<Blob> {
  const index = blobOf(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests, ...more }));
  assert.equal(
    (await putManifest(name, reference === "digest" ? index.digest : reference, index, INDEX))
      .status,
    201,
  );
  return index;
}

async function assertBlob(name: string, blob: Blob): Promise<void> {
  const head = await send("HEAD", `/v2/${name}/blobs/${blob.digest}`);
  assert.deepEqual(
    [
      head.status,
      head.headers["content-length"],
      head.headers["docker-content-digest"],
      head.body.byteLength,
    ],
    [200, String(blob.size), blob.digest, 0],
  );
  const get = await send("GET", `/v2/${name}/blobs/${blob.digest}`);
  assert.deepEqual(
    [get.status, get.headers["content-length"], get.headers["docker-content-digest"]],
    [200, String(blob.size), blob.digest],
  );
  assert.deepEqual(get.body, blob.bytes);
}

test("[end-1] ping answers 200", async () => {
  for (const path of ["/v2/", "/v2"]) assert.equal((await send("GET", path)).status, 200);
});

describe("pull", () => {
  test("[end-2] a blob comes whole, with length and digest", async () =>
    assertBlob(REPO, await pushBlob(REPO, randomBlob(100_000))));

  test("[end-2] an empty blob and the empty JSON blob come too", async () => {
    for (const blob of [blobOf(""), blobOf("{}")])
      await assertBlob(REPO, await pushBlob(REPO, blob));
  });

  test("[end-2] a blob that is not there is 404 BLOB_UNKNOWN", async () => {
    const { digest } = randomBlob();
    assert.equal((await send("HEAD", `/v2/${REPO}/blobs/${digest}`)).status, 404);
    const answer = await send("GET", `/v2/${REPO}/blobs/${digest}`);
    assert.deepEqual([answer.status, errorCode(answer)], [404, "BLOB_UNKNOWN"]);
  });

  const RANGES: readonly (readonly [string, number, number, number])[] = [
    ["bytes=500-1499", 206, 500, 1500],
    ["bytes=500-", 206, 500, 2048],
    ["bytes=-500", 206, 1548, 2048],
    ["bytes=2000-5000", 206, 2000, 2048],
    ["bytes=0-0", 206, 0, 1],
    ["bytes=-5000", 206, 0, 2048],
  ];
  for (const [range, status, start, end] of RANGES) {
    test(`[end-2] ${range} of 2048 bytes gives bytes ${start} to ${end - 1}`, async () => {
      const blob = await pushBlob(REPO, blobOf(Buffer.alloc(2048, "0123456789abcdefg")));
      const answer = await send("GET", `/v2/${REPO}/blobs/${blob.digest}`, {
        headers: { Range: range },
      });
      assert.deepEqual(
        [answer.status, answer.headers["content-range"], answer.headers["content-length"]],
        [status, `bytes ${start}-${end - 1}/2048`, String(end - start)],
      );
      assert.deepEqual(answer.body, blob.bytes.subarray(start, end));
    });
  }

  for (const range of ["bytes=500-0", "bytes=5000-10000", "bytes=2048-", "bytes=-0"]) {
    test(`[end-2] ${range} of 2048 bytes is 416`, async () => {
      const blob = await pushBlob(REPO, blobOf(Buffer.alloc(2048, "x")));
      const answer = await send("GET", `/v2/${REPO}/blobs/${blob.digest}`, {
        headers: { Range: range },
      });
      assert.deepEqual([answer.status, answer.headers["content-range"]], [416, "bytes */2048"]);
    });
  }

  test("[end-2] a range that is not understood gives the whole blob", async () => {
    const blob = await pushBlob(REPO, randomBlob(100));
    for (const range of ["bytes=0-1,3-4", "lines=1-2", "bytes=x-y", "bytes=-"]) {
      const answer = await send("GET", `/v2/${REPO}/blobs/${blob.digest}`, {
        headers: { Range: range },
      });
      assert.deepEqual([answer.status, answer.body.byteLength], [200, 100], range);
    }
  });

  test("[end-3] a manifest comes by tag and by digest, byte for byte, in its own type", async () => {
    const manifest = await pushManifest(REPO, "pull", {
      "dev.example.unknown": { kept: [1, 2.0, "é"] },
    });
    for (const reference of ["pull", manifest.digest]) {
      const head = await send("HEAD", `/v2/${REPO}/manifests/${reference}`);
      const get = await send("GET", `/v2/${REPO}/manifests/${reference}`);
      for (const { status, headers } of [head, get]) {
        assert.deepEqual(
          [
            status,
            headers["content-type"],
            headers["content-length"],
            headers["docker-content-digest"],
          ],
          [200, MANIFEST, String(manifest.size), manifest.digest],
        );
      }
      assert.equal(head.body.byteLength, 0);
      assert.deepEqual(get.body, manifest.bytes);
    }
  });

  test("[end-3] a manifest or repository that is not there is 404 MANIFEST_UNKNOWN", async () => {
    for (const path of [
      `/v2/${REPO}/manifests/no-such-tag`,
      `/v2/${REPO}/manifests/${randomBlob().digest}`,
      "/v2/conformance/none/manifests/latest",
    ]) {
      assert.equal((await send("HEAD", path)).status, 404);
      const answer = await send("GET", path);
      assert.deepEqual([answer.status, errorCode(answer)], [404, "MANIFEST_UNKNOWN"]);
    }
  });

  test("[end-3] a tag that cannot be one is not there for who reads, and wrong for who writes", async () => {
    const path = `/v2/${REPO}/manifests/.no-tag`;
    for (const method of ["GET", "HEAD"]) assert.equal((await send(method, path)).status, 404);
    assert.equal(
      (await send("PUT", path, { body: "{}", headers: { "Content-Type": MANIFEST } })).status,
      400,
    );
  });

  test("[end-3] a digest that is none is 400 or 404", async () => {
    const answer = await send("GET", `/v2/${REPO}/manifests/sha256:baddigeststring`);
    assert.deepEqual([answer.status, errorCode(answer)], [400, "DIGEST_INVALID"]);
  });

  const ACCEPTS: readonly (readonly [string | undefined, number])[] = [
    [undefined, 200],
    ["*/*", 200],
    ["application/*", 200],
    [MANIFEST, 200],
    [`text/html, ${MANIFEST};q=0.5`, 200],
    [INDEX, 404],
    [`${MANIFEST};q=0`, 404],
  ];
  for (const [accept, status] of ACCEPTS) {
    test(`[end-3] a client that accepts ${accept ?? "whatever it gets"} is answered ${status} for an image manifest`, async () => {
      await pushManifest(REPO, "accept");
      const answer = await send(
        "GET",
        `/v2/${REPO}/manifests/accept`,
        accept === undefined ? {} : { headers: { Accept: accept } },
      );
      assert.equal(answer.status, status);
    });
  }

  test("[end-3] a client that knows no indexes gets the amd64 image by tag, and a refusal by digest", async () => {
    const arm = await pushManifest(REPO, "digest");
    const amd = await pushManifest(REPO, "digest");
    const index = await pushIndex(REPO, "platforms", [
      { ...descriptorOf(arm, MANIFEST), platform: { os: "linux", architecture: "arm64" } },
      { ...descriptorOf(amd, MANIFEST), platform: { os: "linux", architecture: "amd64" } },
    ]);
    const byTag = await send("GET", `/v2/${REPO}/manifests/platforms`, {
      headers: { Accept: MANIFEST },
    });
    assert.deepEqual([byTag.status, byTag.headers["docker-content-digest"]], [200, amd.digest]);
    assert.equal(
      (
        await send("GET", `/v2/${REPO}/manifests/${index.digest}`, {
          headers: { Accept: MANIFEST },
        })
      ).status,
      404,
    );
    assert.equal(
      (
        await send("GET", `/v2/${REPO}/manifests/platforms`, {
          headers: { Accept: `${INDEX}, ${MANIFEST}` },
        })
      ).headers["docker-content-digest"],
      index.digest,
    );
  });
});

for (const algorithm of ["sha256", "sha512"] as const) {
  describe(`push a ${algorithm} blob`, () => {
    const random = (size?: number): Blob => randomBlob(size, algorithm);
    const start = (): Promise<string> =>
      startUpload(REPO, algorithm === "sha512" ? "?digest-algorithm=sha512" : "");

    test("[end-4b] with one POST", async () => {
      const blob = random();
      const answer = await send("POST", `/v2/${REPO}/blobs/uploads/?digest=${blob.digest}`, {
        body: blob.bytes,
      });
      assert.equal(answer.status, 201);
      assert.deepEqual((await send("GET", answer.headers.location ?? "")).body, blob.bytes);
      await assertBlob(REPO, blob);
    });

    test("[end-4a, end-6] with POST and PUT", async () => {
      const blob = random();
      const answer = await send("PUT", withQuery(await start(), `digest=${blob.digest}`), {
        body: blob.bytes,
        headers: { "Content-Type": "application/octet-stream" },
      });
      assert.equal(answer.status, 201);
      assert.deepEqual((await send("GET", answer.headers.location ?? "")).body, blob.bytes);
    });

    for (const lastIn of ["PATCH", "PUT"]) {
      test(`[end-5, end-6] in three chunks, the last one by ${lastIn}`, async () => {
        const blob = random(3 * 1024 - 5);
        let location = await start();
        for (const [from, to] of [
          [0, 1024],
          [1024, 2048],
          [2048, blob.size],
        ] as const) {
          if (lastIn === "PUT" && to === blob.size) break;
          const answer = await send("PATCH", location, {
            body: blob.bytes.subarray(from, to),
            headers: { "Content-Range": `${from}-${to - 1}` },
          });
          assert.deepEqual([answer.status, answer.headers.range], [202, `0-${to - 1}`]);
          location = answer.headers.location ?? "";
        }
        const last =
          lastIn === "PUT"
            ? {
                body: blob.bytes.subarray(2048),
                headers: { "Content-Range": `2048-${blob.size - 1}` },
              }
            : {};
        assert.equal(
          (await send("PUT", withQuery(location, `digest=${blob.digest}`), last)).status,
          201,
        );
        await assertBlob(REPO, blob);
      });
    }

    test("[end-5] as one stream without a length", async () => {
      const blob = random(300_000);
      const stream = async function* (): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < blob.size; at += 70_000) yield blob.bytes.subarray(at, at + 70_000);
      };
      const answer = await send("PATCH", await start(), { body: stream() });
      assert.deepEqual([answer.status, answer.headers.range], [202, `0-${blob.size - 1}`]);
      assert.equal(
        (await send("PUT", withQuery(answer.headers.location ?? "", `digest=${blob.digest}`)))
          .status,
        201,
      );
      await assertBlob(REPO, blob);
    });

    test("[end-5, end-13] a chunk out of order is 416, and the status tells where to go on", async () => {
      const blob = random(2048);
      const location = await start();
      assert.equal(
        (
          await send("PATCH", location, {
            body: blob.bytes.subarray(1024),
            headers: { "Content-Range": "1024-2047" },
          })
        ).status,
        416,
      );
      assert.equal(
        (
          await send("PATCH", location, {
            body: blob.bytes.subarray(0, 1024),
            headers: { "Content-Range": "0-1023" },
          })
        ).status,
        202,
      );
      assert.equal(
        (
          await send("PATCH", location, {
            body: blob.bytes.subarray(0, 1024),
            headers: { "Content-Range": "0-1023" },
          })
        ).status,
        416,
      );
      const status = await send("GET", location);
      assert.deepEqual([status.status, status.headers.range], [204, "0-1023"]);
      assert.ok(status.headers.location !== undefined);
      assert.equal(
        (
          await send("PUT", withQuery(location, `digest=${blob.digest}`), {
            body: blob.bytes.subarray(1000),
            headers: { "Content-Range": "1000-2047" },
          })
        ).status,
        416,
      );
      assert.equal(
        (
          await send("PUT", withQuery(location, `digest=${blob.digest}`), {
            body: blob.bytes.subarray(1024),
            headers: { "Content-Range": "1024-2047" },
          })
        ).status,
        201,
      );
      await assertBlob(REPO, blob);
    });

    test("[end-4b, end-6] content of another digest is 400 DIGEST_INVALID and is not there afterwards", async () => {
      const blob = random();
      const wrong = Buffer.concat([blob.bytes, Buffer.from("oh no")]);
      const answers = [
        await send("POST", `/v2/${REPO}/blobs/uploads/?digest=${blob.digest}`, { body: wrong }),
        await send("PUT", withQuery(await start(), `digest=${blob.digest}`), { body: wrong }),
      ];
      const location = await start();
      await send("PATCH", location, { body: wrong });
      answers.push(await send("PUT", withQuery(location, `digest=${blob.digest}`)));
      for (const answer of answers)
        assert.deepEqual([answer.status, errorCode(answer)], [400, "DIGEST_INVALID"]);
      assert.equal((await send("HEAD", `/v2/${REPO}/blobs/${blob.digest}`)).status, 404);
      assert.equal((await send("GET", location)).status, 404);
    });
  });
}

describe("push", () => {
  test("[end-6] a close without a digest, or with one that is none, is 400", async () => {
    const location = await startUpload(REPO);
    for (const query of [
      "x=1",
      "digest=",
      "digest=sha256:12",
      "digest=md5:d41d8cd98f00b204e9800998ecf8427e",
    ]) {
      const answer = await send("PUT", withQuery(location, query));
      assert.deepEqual([answer.status, errorCode(answer)], [400, "DIGEST_INVALID"], query);
    }
  });

  test("an upload that was cancelled is gone", async () => {
    const location = await startUpload(REPO);
    assert.equal((await send("DELETE", location)).status, 204);
    for (const method of ["GET", "PATCH", "PUT", "DELETE"]) {
      const answer = await send(
        method,
        method === "PUT" ? withQuery(location, `digest=${randomBlob().digest}`) : location,
      );
      assert.equal(answer.status, 404, method);
      assert.equal(errorCode(answer), "BLOB_UPLOAD_UNKNOWN");
    }
  });

  test("an upload belongs to the repository it was started in", async () => {
    const location = await startUpload(REPO);
    assert.equal((await send("GET", location.replace(REPO, OTHER))).status, 404);
  });

  test("[end-5] a chunk whose range and length differ is 400", async () => {
    const answer = await send("PATCH", await startUpload(REPO), {
      body: "12345",
      headers: { "Content-Range": "0-9" },
    });
    assert.deepEqual([answer.status, errorCode(answer)], [400, "SIZE_INVALID"]);
  });

  test("[end-11] a blob is visible in another repository after a mount, and not before", async () => {
    const blob = await pushBlob(OTHER, randomBlob());
    assert.equal((await send("HEAD", `/v2/${REPO}/blobs/${blob.digest}`)).status, 404);
    const answer = await send(
      "POST",
      `/v2/${REPO}/blobs/uploads/?mount=${blob.digest}&from=${OTHER}`,
      { headers: { "Content-Length": "0" } },
    );
    assert.deepEqual(
      [answer.status, answer.headers.location],
      [201, `/v2/${REPO}/blobs/${blob.digest}`],
    );
    await assertBlob(REPO, blob);
  });

  test("[end-11] a mount without a source finds the blob", async () => {
    const blob = await pushBlob(OTHER, randomBlob());
    assert.equal(
      (
        await send("POST", `/v2/${REPO}/blobs/uploads/?mount=${blob.digest}`, {
          headers: { "Content-Length": "0" },
        })
      ).status,
      201,
    );
    await assertBlob(REPO, blob);
  });

  test("[end-11] a mount of what is not there starts an upload", async () => {
    const blob = randomBlob();
    for (const from of [`&from=${OTHER}`, "&from=Not%20A%20Name", ""]) {
      const answer = await send("POST", `/v2/${REPO}/blobs/uploads/?mount=${blob.digest}${from}`, {
        headers: { "Content-Length": "0" },
      });
      assert.equal(answer.status, 202);
      assert.equal((await send("GET", answer.headers.location ?? "")).status, 204);
    }
  });

  test("[end-7] a manifest goes in by tag and by digest, and its location can be pulled", async () => {
    const manifest = await manifestOf(REPO);
    for (const reference of ["push", manifest.digest]) {
      const answer = await putManifest(REPO, reference, manifest);
      assert.deepEqual(
        [answer.status, answer.headers["docker-content-digest"]],
        [201, manifest.digest],
      );
      assert.deepEqual((await send("GET", answer.headers.location ?? "")).body, manifest.bytes);
    }
  });

  test("[end-7] parameters of the content type are ignored, and no content type means the manifest's own", async () => {
    const manifest = await manifestOf(REPO);
    assert.equal(
      (await putManifest(REPO, "typed", manifest, `${MANIFEST}; charset=utf-8`)).status,
      201,
    );
    assert.equal(
      (await send("PUT", `/v2/${REPO}/manifests/untyped`, { body: manifest.bytes })).status,
      201,
    );
    assert.equal(
      (await send("GET", `/v2/${REPO}/manifests/untyped`)).headers["content-type"],
      MANIFEST,
    );
  });

  test("[end-7] a sha512 manifest goes in by digest", async () => {
    const { bytes } = await manifestOf(REPO);
    const manifest = blobOf(bytes, "sha512");
    assert.equal((await putManifest(REPO, manifest.digest, manifest)).status, 201);
    const answer = await send("GET", `/v2/${REPO}/manifests/${manifest.digest}`);
    assert.deepEqual(
      [answer.status, answer.headers["docker-content-digest"]],
      [200, manifest.digest],
    );
  });

  test("[end-7] tags given with a digest are set at once", async () => {
    const manifest = await manifestOf(REPO);
    const answer = await putManifest(REPO, `${manifest.digest}?tag=param-a&tag=param-b`, manifest);
    assert.deepEqual([answer.status, answer.headers["oci-tag"]], [201, "param-a, param-b"]);
    for (const tag of ["param-a", "param-b"])
      assert.equal(
        (await send("HEAD", `/v2/${REPO}/manifests/${tag}`)).headers["docker-content-digest"],
        manifest.digest,
      );
  });

  test("[end-7] a manifest of another digest is 400 DIGEST_INVALID", async () => {
    const manifest = await manifestOf(REPO);
    for (const reference of [randomBlob().digest, "sha256:baddigeststring"]) {
      const answer = await putManifest(REPO, reference, manifest);
      assert.deepEqual([answer.status, errorCode(answer)], [400, "DIGEST_INVALID"]);
    }
  });

  test("[end-7] a manifest whose blobs are not in the repository is MANIFEST_BLOB_UNKNOWN", async () => {
    const elsewhere = await manifestOf(OTHER);
    const answer = await putManifest(REPO, "missing", elsewhere);
    assert.deepEqual([answer.status, errorCode(answer)], [400, "MANIFEST_BLOB_UNKNOWN"]);
    const child = await pushManifest(OTHER, "digest");
    const index = blobOf(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: INDEX,
        manifests: [descriptorOf(child, MANIFEST)],
      }),
    );
    assert.equal(
      errorCode(await putManifest(REPO, "missing", index, INDEX)),
      "MANIFEST_BLOB_UNKNOWN",
    );
    assert.equal((await send("HEAD", `/v2/${REPO}/manifests/missing`)).status, 404);
  });

  test("[end-7] a manifest of just under 4 MiB is taken, a larger one is 413", async () => {
    const large = await pushManifest(REPO, "large", {
      annotations: Object.fromEntries(
        Array.from({ length: 390 }, (_, at) => [`large-annotation-${at}`, "A".repeat(10_000)]),
      ),
    });
    assert.deepEqual((await send("GET", `/v2/${REPO}/manifests/large`)).body, large.bytes);
    const tooLarge = await manifestOf(REPO, { annotations: { a: "A".repeat(4 << 20) } });
    assert.equal((await putManifest(REPO, "too-large", tooLarge)).status, 413);
  });

  const SHAPES: readonly (readonly [string, () => Promise<Blob>, string])[] = [
    [
      "an artifact with an empty config",
      async () => {
        const empty = await pushBlob(REPO, blobOf("{}"));
        const file = await pushBlob(REPO, randomBlob());
        return blobOf(
          JSON.stringify({
            schemaVersion: 2,
            mediaType: MANIFEST,
            artifactType: "application/vnd.example+type",
            config: descriptorOf(empty, EMPTY),
            layers: [descriptorOf(file, "application/vnd.example.file")],
          }),
        );
      },
      MANIFEST,
    ],
    ["an image without layers", async () => manifestOf(REPO, { layers: [] }), MANIFEST],
    [
      "an empty index",
      async () => blobOf(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [] })),
      INDEX,
    ],
    [
      "an index of indexes",
      async () => {
        const inner = await pushIndex(REPO, "digest", []);
        return blobOf(
          JSON.stringify({
            schemaVersion: 2,
            mediaType: INDEX,
            manifests: [descriptorOf(inner, INDEX)],
          }),
        );
      },
      INDEX,
    ],
    [
      "a manifest with unknown fields",
      async () => manifestOf(REPO, { "org.example.field": randomBlob().digest }),
      MANIFEST,
    ],
    [
      "a manifest with embedded data",
      async () =>
        manifestOf(REPO, { subject: { ...descriptorOf(blobOf("{}"), EMPTY), data: "e30=" } }),
      MANIFEST,
    ],
    [
      "an image with layers to be had elsewhere",
      async () =>
        manifestOf(REPO, {
          layers: [
            {
              ...descriptorOf(
                randomBlob(),
                "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
              ),
              urls: ["https://store.example.com/layer"],
            },
          ],
        }),
      MANIFEST,
    ],
  ];
  for (const [what, make, mediaType] of SHAPES) {
    test(`[end-7] ${what} is taken`, async () => {
      const manifest = await make();
      assert.equal((await putManifest(REPO, "shape", manifest, mediaType)).status, 201);
      assert.deepEqual((await send("GET", `/v2/${REPO}/manifests/shape`)).body, manifest.bytes);
    });
  }
});

describe("discovery", () => {
  test("[end-8a] an unknown repository has no list of tags", async () => {
    const answer = await send("GET", "/v2/conformance/nothing/tags/list");
    assert.deepEqual([answer.status, errorCode(answer)], [404, "NAME_UNKNOWN"]);
  });

  test("[end-8a, end-8b] tags come in order, whole, from a tag on, and by pages", async () => {
    const name = "conformance/tags";
    const manifest = await manifestOf(name);
    const tags = ["TEST", "a1", "b2", "c3", "test0", "test1"];
    for (const tag of tags.toReversed())
      assert.equal((await putManifest(name, tag, manifest)).status, 201);
    const list = async (query: string): Promise<[string[], string | undefined]> => {
      const answer = await send("GET", `/v2/${name}/tags/list${query}`);
      assert.equal(answer.status, 200);
      const body = JSON.parse(answer.body.toString());
      assert.equal(body.name, name);
      return [body.tags, answer.headers["link"] as string | undefined];
    };
    assert.deepEqual(await list(""), [tags, undefined]);
    assert.deepEqual(await list("?last=b2"), [["c3", "test0", "test1"], undefined]);
    assert.deepEqual(await list("?n=0"), [[], undefined]);
    assert.deepEqual(await list("?n=100"), [tags, undefined]);
    assert.deepEqual((await list("?n=2&last=a1"))[0], ["b2", "c3"]);
    const seen: string[] = [];
    for (let query: string | undefined = "?n=4"; query !== undefined;) {
      const [page, link] = await list(query);
      seen.push(...page);
      query = /<[^>?]*(\?[^>]*)>; rel="next"/.exec(link ?? "")?.[1];
    }
    assert.deepEqual(seen, tags);
  });

  test("[end-8b] a page size that is no number is 400", async () => {
    for (const n of ["x", "-1", "1e9", ""])
      assert.equal((await send("GET", `/v2/${REPO}/tags/list?n=${n}`)).status, 400, n);
  });

  test("[end-12a] no referrers is an empty index, also in a repository that does not exist", async () => {
    for (const name of [REPO, "conformance/nothing"]) {
      const answer = await send("GET", `/v2/${name}/referrers/${randomBlob().digest}`);
      assert.deepEqual([answer.status, answer.headers["content-type"]], [200, INDEX]);
      assert.deepEqual(JSON.parse(answer.body.toString()), {
        schemaVersion: 2,
        mediaType: INDEX,
        manifests: [],
      });
    }
    assert.equal((await send("GET", `/v2/${REPO}/referrers/sha256:bad`)).status, 400);
  });

  test("[end-12a, end-12b] referrers come with type and annotations, filtered, and go away with their manifest", async () => {
    const name = "conformance/referrers";
    const subject = await pushManifest(name, "subject");
    const about = { subject: descriptorOf(subject, MANIFEST) };
    const byConfig = await pushManifest(name, "digest", { ...about });
    const sbom = await pushManifest(name, "digest", {
      ...about,
      artifactType: "application/vnd.example.sbom",
      annotations: { "org.example.format": "json" },
    });
    const tagged = await pushManifest(name, "tagged", {
      ...about,
      artifactType: "application/vnd.example.signature",
    });
    const index = await pushIndex(name, "digest", [], { ...about });
    const list = async (
      query = "",
    ): Promise<{
      readonly manifests: readonly Readonly<Record<string, unknown>>[];
      readonly applied: unknown;
    }> => {
      const answer = await send("GET", `/v2/${name}/referrers/${subject.digest}${query}`);
      assert.equal(answer.status, 200);
      return {
        manifests: JSON.parse(answer.body.toString()).manifests,
        applied: answer.headers["oci-filters-applied"],
      };
    };
    const expected = [
      { ...descriptorOf(byConfig, MANIFEST), artifactType: CONFIG },
      {
        ...descriptorOf(sbom, MANIFEST),
        artifactType: "application/vnd.example.sbom",
        annotations: { "org.example.format": "json" },
      },
      { ...descriptorOf(tagged, MANIFEST), artifactType: "application/vnd.example.signature" },
      descriptorOf(index, INDEX),
    ].sort((a, b) => (a.digest < b.digest ? -1 : 1));
    assert.deepEqual(await list(), { manifests: expected, applied: undefined });
    const filtered = await list("?artifactType=application/vnd.example.sbom");
    assert.deepEqual(
      [filtered.manifests.map(({ digest }) => digest), filtered.applied],
      [[sbom.digest], "artifactType"],
    );
    assert.deepEqual((await list("?artifactType=application/none")).manifests, []);
    assert.equal((await send("DELETE", `/v2/${name}/manifests/${sbom.digest}`)).status, 202);
    assert.equal((await list()).manifests.length, 3);
  });

  test("[end-7] a manifest with a subject is answered with OCI-Subject, whether the subject is there or not", async () => {
    const missing = descriptorOf(randomBlob(), MANIFEST);
    const manifest = await manifestOf(REPO, {
      subject: missing,
      artifactType: "application/vnd.example",
    });
    const answer = await putManifest(REPO, manifest.digest, manifest);
    assert.deepEqual([answer.status, answer.headers["oci-subject"]], [201, missing.digest]);
    const referrers = await send("GET", `/v2/${REPO}/referrers/${missing.digest}`);
    assert.equal(JSON.parse(referrers.body.toString()).manifests[0].digest, manifest.digest);
    const without = await manifestOf(REPO);
    assert.equal(
      (await putManifest(REPO, without.digest, without)).headers["oci-subject"],
      undefined,
    );
  });

  test("referrers are bound to their repository", async () => {
    const subject = descriptorOf(randomBlob(), MANIFEST);
    await pushManifest(OTHER, "digest", { subject });
    assert.deepEqual(
      JSON.parse((await send("GET", `/v2/${REPO}/referrers/${subject.digest}`)).body.toString())
        .manifests,
      [],
    );
  });

  test("the catalog has every repository", async () => {
    await pushManifest(OTHER, "catalog");
    const answer = await send("GET", "/v2/_catalog");
    assert.ok(JSON.parse(answer.body.toString()).repositories.includes(OTHER));
  });
});

describe("management", () => {
  test("[end-9] a deleted tag is gone, its manifest stays", async () => {
    const manifest = await pushManifest(REPO, "delete-tag");
    assert.equal((await send("DELETE", `/v2/${REPO}/manifests/delete-tag`)).status, 202);
    assert.equal((await send("GET", `/v2/${REPO}/manifests/delete-tag`)).status, 404);
    assert.equal((await send("GET", `/v2/${REPO}/manifests/${manifest.digest}`)).status, 200);
    assert.ok(
      !JSON.parse((await send("GET", `/v2/${REPO}/tags/list`)).body.toString()).tags.includes(
        "delete-tag",
      ),
    );
    assert.equal((await send("DELETE", `/v2/${REPO}/manifests/delete-tag`)).status, 404);
  });

  test("[end-9] a deleted manifest is gone with all its tags", async () => {
    const manifest = await pushManifest(REPO, "delete-one");
    await putManifest(REPO, "delete-two", manifest);
    assert.equal((await send("DELETE", `/v2/${REPO}/manifests/${manifest.digest}`)).status, 202);
    for (const reference of [manifest.digest, "delete-one", "delete-two"])
      assert.equal((await send("GET", `/v2/${REPO}/manifests/${reference}`)).status, 404);
    assert.equal((await send("DELETE", `/v2/${REPO}/manifests/${manifest.digest}`)).status, 404);
    assert.equal(
      (await send("DELETE", `/v2/conformance/nothing/manifests/${manifest.digest}`)).status,
      404,
    );
  });

  test("[end-9] who pinned a digest still finds it when the tag has moved on", async () => {
    const first = await pushManifest(REPO, "moving");
    const second = await pushManifest(REPO, "moving");
    assert.equal(
      (await send("HEAD", `/v2/${REPO}/manifests/moving`)).headers["docker-content-digest"],
      second.digest,
    );
    assert.equal((await send("HEAD", `/v2/${REPO}/manifests/${first.digest}`)).status, 200);
  });

  test("[end-10] a deleted blob is gone from its repository only", async () => {
    const blob = await pushBlob(REPO, randomBlob());
    await pushBlob(OTHER, blob);
    assert.equal((await send("DELETE", `/v2/${REPO}/blobs/${blob.digest}`)).status, 202);
    assert.equal((await send("HEAD", `/v2/${REPO}/blobs/${blob.digest}`)).status, 404);
    assert.equal((await send("DELETE", `/v2/${REPO}/blobs/${blob.digest}`)).status, 404);
    await assertBlob(OTHER, blob);
  });

  test("[end-10] a blob that a manifest of the repository needs is not deleted", async () => {
    const manifest = await pushManifest(REPO, "needs");
    const digest = JSON.parse(manifest.bytes.toString()).layers[0].digest;
    const answer = await send("DELETE", `/v2/${REPO}/blobs/${digest}`);
    assert.deepEqual([answer.status, errorCode(answer)], [405, "UNSUPPORTED"]);
    assert.equal((await send("HEAD", `/v2/${REPO}/blobs/${digest}`)).status, 200);
    await send("DELETE", `/v2/${REPO}/manifests/${manifest.digest}`);
    assert.equal((await send("DELETE", `/v2/${REPO}/blobs/${digest}`)).status, 202);
  });
});
