import { createHttpClient } from "../../src/ground/http/index.ts";
import { MEDIA_TYPES, uncompressed } from "../../src/images/oci/index.ts";
import { readTar } from "../../src/images/tar/index.ts";
import { fetchModel, limitsIn, parseModelUri } from "../../src/models/fetch/index.ts";

/** A process that fetches the model of a URL into a folder, to be killed: `fetch-child.ts URL FOLDER`. Prints how many bytes have come. */
const [url = "", folder = ""] = process.argv.slice(2);
using client = createHttpClient();
await fetchModel(parseModelUri(url, {}), folder, {
  ...{ client, readTar, environment: {}, limits: limitsIn({}) },
  uncompressed: (stored, compression, options) =>
    uncompressed(
      stored,
      compression === "gzip" ? MEDIA_TYPES.layerTarGzip : MEDIA_TYPES.layerTarZstd,
      options,
    ),
  onProgress: ({ bytes }) => void process.stdout.write(`${bytes}\n`),
  openImage: () => Promise.reject(new Error("no image is opened here")),
});
