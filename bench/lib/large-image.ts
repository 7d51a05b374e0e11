import { createHash, randomFillSync } from "node:crypto";

/** An image of random layers in a registry. */
export interface LargeImage {
  readonly name: string;
  /** URLs of its blobs, config first. */
  readonly blobs: readonly string[];
}

/** Pushes an image of layers that nothing can compress, by the registry's own API. @param host - `127.0.0.1:5000` */
export async function pushLargeImage(
  host: string,
  repository: string,
  { layers, layerBytes }: { readonly layers: number; readonly layerBytes: number },
): Promise<LargeImage> {
  const base = `http://${host}/v2/${repository}`;
  const content = Buffer.allocUnsafe(layerBytes);
  const descriptors: { mediaType: string; digest: string; size: number }[] = [];
  for (let index = 0; index < layers; index += 1) {
    for (let at = 0; at < layerBytes; at += 2 ** 26)
      randomFillSync(content, at, Math.min(2 ** 26, layerBytes - at));
    const digest = await pushBlob(base, content);
    const mediaType = "application/vnd.oci.image.layer.v1.tar";
    descriptors.push({ mediaType, digest, size: layerBytes });
  }
  const config = Buffer.from(
    JSON.stringify({
      architecture: "amd64",
      os: "linux",
      rootfs: { type: "layers", diff_ids: descriptors.map(({ digest }) => digest) },
    }),
  );
  const configType = "application/vnd.oci.image.config.v1+json";
  const configDigest = await pushBlob(base, config);
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const response = await fetch(`${base}/manifests/v1`, {
    method: "PUT",
    headers: { "content-type": mediaType },
    body: JSON.stringify({
      schemaVersion: 2,
      mediaType,
      config: { mediaType: configType, digest: configDigest, size: config.length },
      layers: descriptors,
    }),
  });
  if (!response.ok) throw new Error(`push the manifest: ${response.status}`);
  const digests = [configDigest, ...descriptors.map(({ digest }) => digest)];
  return {
    name: `${host}/${repository}:v1`,
    blobs: digests.map((digest) => `${base}/blobs/${digest}`),
  };
}

async function pushBlob(base: string, content: Buffer<ArrayBuffer>): Promise<string> {
  const digest = `sha256:${createHash("sha256").update(content).digest("hex")}`;
  const begun = await fetch(`${base}/blobs/uploads/`, { method: "POST" });
  const url = new URL(begun.headers.get("location") ?? "", base);
  url.searchParams.set("digest", digest);
  const put = await fetch(url, {
    method: "PUT",
    headers: { "content-type": "application/octet-stream" },
    body: content,
  });
  if (!put.ok) throw new Error(`push a blob: ${put.status}`);
  return digest;
}
