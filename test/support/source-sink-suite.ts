import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test, type TestContext } from "node:test";
import { isToolError } from "../../src/ground/errors/index.ts";
import { type Bytes, oneChunk } from "../../src/ground/bytes/index.ts";
import {
  digestOf,
  imageDescriptor,
  imageFrom,
  MEDIA_TYPES,
  validateImage,
  type Descriptor,
  type Digest,
  type IngestSink,
  type Reference,
  type Sink,
  type Source,
} from "../../src/images/oci/index.ts";
import { randomBytesOf, randomImage } from "./random-image.ts";
import { bytesOf, putBytes } from "./small-image.ts";

/** A place under test. */
export interface SuitePlace {
  readonly place: Source & Sink;
  /** A name that the place can be asked to give; different tags are different names. */
  readonly reference: (tag: string) => Reference;
  /** What else a user would see after a failed put, such as temporary files; should be empty. */
  readonly leftovers?: () => Promise<readonly string[]>;
}

export interface SuiteOptions {
  /** Makes a fresh, empty place; cleans up with `t.after`. `undefined`: it has skipped the test. */
  readonly make: (t: TestContext) => Promise<SuitePlace | undefined>;
  /** Bytes of the large blob. Default 32 MiB. */
  readonly largeBytes?: number;
}

type Case = (
  context: SuitePlace & { readonly t: TestContext; readonly largeBytes: number },
) => Promise<void>;

/** What every Source and Sink must do, whatever it is made of. Registers tests of `node:test` under `name`. */
export function sourceSinkSuite(name: string, options: SuiteOptions): void {
  for (const [title, run] of Object.entries({ ...CASES, ...OFFERS })) {
    test(`${name}: ${title}`, async (t) => {
      const made = await options.make(t);
      if (made !== undefined)
        await run({ ...made, t, largeBytes: options.largeBytes ?? 32 * 2 ** 20 });
    });
  }
}

const CASES: Readonly<Record<string, Case>> = {
  "gives back the bytes that were put": async ({ place }) => {
    const bytes = randomBytesOf(1, 100_000);
    const target = await putBytes(place, bytes, MEDIA_TYPES.layerTar);
    assert.equal(await place.has(target), true);
    assert.equal(digestOf(await bytesOf(place.open(target))), target.digest);
    assert.equal(
      digestOf(await bytesOf(place.open(target))),
      target.digest,
      "a second reading gives the same",
    );
  },

  "does not have what was never put": async ({ place, reference }) => {
    const target = describe(randomBytesOf(2, 100));
    assert.equal(await place.has(target), false);
    await rejectsWith(bytesOf(place.open(target)), ["BLOB_NOT_FOUND"]);
    await rejectsWith(place.resolve(reference("missing")), ["REFERENCE_NOT_FOUND"]);
  },

  "keeps small and odd sizes": async ({ place }) => {
    for (const size of [1, 511, 512, 65_536, 65_537, 1_048_577]) {
      const target = await putBytes(place, randomBytesOf(size, size), MEDIA_TYPES.layerTar);
      assert.equal(digestOf(await bytesOf(place.open(target))), target.digest, `${size} bytes`);
    }
  },

  "moves a tag, and tells tags apart": async ({ place, reference }) => {
    const [one, two] = [await putImage(place, 1), await putImage(place, 2)];
    await place.tag(one, reference("v1"));
    await place.tag(one, reference("keep"));
    assert.equal((await place.resolve(reference("v1"))).digest, one.digest);
    await place.tag(two, reference("v1"));
    assert.deepEqual(pick(await place.resolve(reference("v1"))), pick(two));
    assert.deepEqual(pick(await place.resolve(reference("keep"))), pick(one));
  },

  "resolves a manifest by its digest": async ({ place, reference }) => {
    const image = await putImage(place, 3);
    await place.tag(image, reference("v1"));
    const { registry, repository } = reference("v1");
    assert.deepEqual(
      pick(await place.resolve({ registry, repository, digest: image.digest })),
      pick(image),
    );
  },

  "tags twice without harm": async ({ place, reference }) => {
    const image = await putImage(place, 4);
    await place.tag(image, reference("v1"));
    await place.tag(image, reference("v1"));
    assert.equal((await place.resolve(reference("v1"))).digest, image.digest);
  },

  "does not tag what is not there": async ({ place, reference }) => {
    const missing = { ...describe(Buffer.from("{}")), mediaType: MEDIA_TYPES.imageManifest };
    await rejectsWith(place.tag(missing, reference("v1")), [
      "BLOB_NOT_FOUND",
      "REFERENCE_NOT_FOUND",
    ]);
    await rejectsWith(place.resolve(reference("v1")), ["REFERENCE_NOT_FOUND"]);
  },

  "holds a whole image that validates": async ({ place, reference }) => {
    const image = await putImage(place, 5);
    await place.tag(image, reference("v1"));
    const found = await place.resolve(reference("v1"));
    assert.equal((await validateImage(imageFrom(place, found))).digest, image.digest);
  },

  "refuses content of another digest, and keeps nothing of it": async ({ place, leftovers }) => {
    const bytes = randomBytesOf(6, 200_000);
    const target = describe(bytes);
    const wrong = Buffer.from(bytes);
    wrong[199_999] = (wrong[199_999] ?? 0) ^ 1;
    await rejectsWith(place.put(target, oneChunk(wrong)), ["DIGEST_MISMATCH"]);
    await expectAbsent(place, target, leftovers);
    await place.put(target, oneChunk(bytes));
    assert.equal(await place.has(target), true, "the right content is taken after the wrong one");
  },

  "refuses content of another size, and keeps nothing of it": async ({ place, leftovers }) => {
    const bytes = randomBytesOf(7, 200_000);
    const target = describe(bytes);
    await rejectsWith(place.put(target, oneChunk(bytes.subarray(0, 150_000))), [
      "SIZE_MISMATCH",
      "DIGEST_MISMATCH",
    ]);
    await rejectsWith(place.put(target, oneChunk(Buffer.concat([bytes, Buffer.from("x")]))), [
      "SIZE_MISMATCH",
      "DIGEST_MISMATCH",
    ]);
    await expectAbsent(place, target, leftovers);
  },

  "has nothing after a put whose content failed, and passes the failure on": async ({
    place,
    leftovers,
  }) => {
    const target = describe(randomBytesOf(8, 300_000));
    const failing = async function* (): AsyncGenerator<Uint8Array> {
      yield randomBytesOf(8, 300_000).subarray(0, 100_000);
      throw new Error("the disk went away");
    };
    await assert.rejects(place.put(target, failing()), /the disk went away/);
    await expectAbsent(place, target, leftovers);
  },

  "has nothing after a put that was aborted, and rejects with the signal's reason": async ({
    place,
    leftovers,
  }) => {
    const bytes = randomBytesOf(9, 400_000);
    const target = describe(bytes);
    const controller = new AbortController();
    const reason = new Error("enough");
    let isClosed = false;
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      try {
        yield bytes.subarray(0, 100_000);
        controller.abort(reason);
        yield bytes.subarray(100_000, 200_000);
        yield bytes.subarray(200_000);
      } finally {
        isClosed = true;
      }
    };
    await assert.rejects(
      place.put(target, endless(), { signal: controller.signal }),
      (error: unknown) => error === reason,
    );
    await expectAbsent(place, target, leftovers);
    assert.equal(isClosed, true, "the content is closed");
  },

  "begins nothing under a signal that is aborted already": async ({ place }) => {
    const bytes = randomBytesOf(10, 1000);
    const reason = new Error("too late");
    await assert.rejects(
      place.put(describe(bytes), oneChunk(bytes), { signal: AbortSignal.abort(reason) }),
      (error: unknown) => error === reason,
    );
    assert.equal(await place.has(describe(bytes)), false);
  },

  "stops reading when its signal is aborted": async ({ place, largeBytes }) => {
    const target = await putBytes(
      place,
      randomBytesOf(11, Math.min(largeBytes, 8 * 2 ** 20)),
      MEDIA_TYPES.layerTar,
    );
    const controller = new AbortController();
    const reason = new Error("enough");
    await assert.rejects(
      async () => {
        for await (const chunk of place.open(target, { signal: controller.signal }))
          if (chunk.byteLength > 0) controller.abort(reason);
      },
      (error: unknown) => error === reason,
    );
  },

  "lets a reader leave early": async ({ place }) => {
    const target = await putBytes(place, randomBytesOf(12, 2_000_000), MEDIA_TYPES.layerTar);
    for await (const chunk of place.open(target)) {
      assert.ok(chunk.byteLength > 0);
      break;
    }
    assert.equal(digestOf(await bytesOf(place.open(target))), target.digest);
  },

  "takes the same blob twice, one after the other": async ({ place }) => {
    const bytes = randomBytesOf(13, 50_000);
    const target = await putBytes(place, bytes, MEDIA_TYPES.layerTar);
    await place.put(target, oneChunk(bytes));
    assert.equal(digestOf(await bytesOf(place.open(target))), target.digest);
  },

  "takes the same blob from several puts at once": async ({ place, leftovers }) => {
    const bytes = randomBytesOf(14, 500_000);
    const target = describe(bytes);
    await Promise.all(Array.from({ length: 6 }, () => place.put(target, slowly(bytes))));
    assert.equal(digestOf(await bytesOf(place.open(target))), target.digest);
    assert.deepEqual((await leftovers?.()) ?? [], []);
  },

  "takes different blobs at once": async ({ place }) => {
    const all = Array.from({ length: 12 }, (_, index) =>
      randomBytesOf(100 + index, 40_000 + index),
    );
    await Promise.all(all.map((bytes) => place.put(describe(bytes), slowly(bytes))));
    for (const bytes of all)
      assert.equal(digestOf(await bytesOf(place.open(describe(bytes)))), digestOf(bytes));
  },

  "takes and gives a large blob": async ({ place, largeBytes }) => {
    const large = largeContent(largeBytes);
    await place.put(large.target, large.open());
    const hash = createHash("sha256");
    for await (const chunk of place.open(large.target)) hash.update(chunk);
    assert.equal(`sha256:${hash.digest("hex")}`, large.target.digest);
  },

  "refuses to read a blob under another size": async ({ place }) => {
    const target = await putBytes(place, randomBytesOf(15, 10_000), MEDIA_TYPES.layerTar);
    await rejectsWith(bytesOf(place.open({ ...target, size: 9_999 })), [
      "SIZE_MISMATCH",
      "DIGEST_MISMATCH",
    ]);
    assert.equal(await place.has({ ...target, size: 9_999 }), false);
  },
};

/** What a place may offer beyond the two interfaces; skipped with a reason where it does not. */
const OFFERS: Readonly<
  Record<string, (context: SuitePlace & { readonly t: TestContext }) => Promise<void>>
> = {
  "opens a blob at an offset": async ({ place, t }) => {
    if (place.openFrom === undefined) return t.skip("it does not open at an offset");
    const bytes = randomBytesOf(17, 2_500_000);
    const target = await putBytes(place, bytes, MEDIA_TYPES.layerTar);
    for (const offset of [0, 1, 1_048_576, 2_499_999])
      assert.deepEqual(
        await bytesOf(place.openFrom(target, offset)),
        bytes.subarray(offset),
        `from ${offset}`,
      );
  },

  "finds the digest of what it takes": async ({ place, t }) => {
    if (!isIngestSink(place)) return t.skip("it takes nothing of unknown digest");
    const bytes = randomBytesOf(18, 2_500_000);
    assert.equal(await place.ingest(slowly(bytes), bytes.byteLength), digestOf(bytes));
    assert.equal(digestOf(await bytesOf(place.open(describe(bytes)))), digestOf(bytes));
    assert.equal(
      await place.ingest(slowly(bytes), bytes.byteLength),
      digestOf(bytes),
      "and again when it has it",
    );
  },

  "takes nothing of unknown digest whose size is not what was said": async ({
    place,
    leftovers,
    t,
  }) => {
    if (!isIngestSink(place)) return t.skip("it takes nothing of unknown digest");
    const bytes = randomBytesOf(19, 300_000);
    await rejectsWith(place.ingest(oneChunk(bytes), bytes.byteLength + 1), ["SIZE_MISMATCH"]);
    await rejectsWith(place.ingest(oneChunk(bytes), bytes.byteLength - 1), ["SIZE_MISMATCH"]);
    await expectAbsent(place, describe(bytes), leftovers);
  },

  "has nothing after taking unknown content that failed": async ({ place, leftovers, t }) => {
    if (!isIngestSink(place)) return t.skip("it takes nothing of unknown digest");
    const bytes = randomBytesOf(20, 300_000);
    const failing = async function* (): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, 100_000);
      throw new Error("the disk went away");
    };
    await assert.rejects(place.ingest(failing(), bytes.byteLength), /the disk went away/);
    await expectAbsent(place, describe(bytes), leftovers);
  },
};

function isIngestSink(place: Sink): place is IngestSink {
  return "ingest" in place;
}

/** Puts an image's blobs and manifest. */
async function putImage(place: Sink, seed: number): Promise<Descriptor> {
  const image = randomImage({ seed, layers: 3 });
  for (const layer of await image.layers()) await place.put(await layer.descriptor(), layer.open());
  await putBytes(place, await image.rawConfig(), MEDIA_TYPES.imageConfig);
  const descriptor = await imageDescriptor(image);
  await place.put(descriptor, oneChunk(await image.rawManifest()));
  return descriptor;
}

async function expectAbsent(
  place: Source & Sink,
  target: Descriptor,
  leftovers: SuitePlace["leftovers"],
): Promise<void> {
  assert.equal(await place.has(target), false, "nothing of it is there");
  await rejectsWith(bytesOf(place.open(target)), ["BLOB_NOT_FOUND"]);
  assert.deepEqual((await leftovers?.()) ?? [], []);
}

async function rejectsWith(running: Promise<unknown>, codes: readonly string[]): Promise<void> {
  await assert.rejects(running, (error: unknown) => {
    assert.ok(isToolError(error), `a typed error, not ${String(error)}`);
    assert.ok(
      codes.includes(error.code),
      `${error.code} is none of ${codes.join(", ")}: ${error.message}`,
    );
    return true;
  });
}

function describe(bytes: Uint8Array): Descriptor {
  return { mediaType: MEDIA_TYPES.layerTar, digest: digestOf(bytes), size: bytes.byteLength };
}

function pick({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}

/** Gives way to others between its chunks. */
async function* slowly(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += 20_000) {
    yield bytes.subarray(at, at + 20_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function largeContent(size: number): { readonly target: Descriptor; readonly open: () => Bytes } {
  const piece = randomBytesOf(16, 2 ** 20);
  const count = Math.ceil(size / piece.byteLength);
  const hash = createHash("sha256");
  for (let index = 0; index < count; index += 1) hash.update(piece);
  const digest: Digest = `sha256:${hash.digest("hex")}`;
  const open = async function* (): AsyncGenerator<Uint8Array> {
    for (let index = 0; index < count; index += 1) yield piece;
  };
  return {
    target: { mediaType: MEDIA_TYPES.layerTar, digest, size: count * piece.byteLength },
    open,
  };
}
