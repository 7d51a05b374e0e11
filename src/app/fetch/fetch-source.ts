import { createHttpClient } from "../../ground/http/index.ts";
import { MEDIA_TYPES, uncompressed } from "../../images/oci/index.ts";
import { readTar } from "../../images/tar/index.ts";
import {
  fetchModel,
  limitsIn,
  parseHosts,
  type FetchContext,
  type FetchedModel,
  type FetchProgress,
  type ModelSource,
} from "../../models/fetch/index.ts";
import { accessTo } from "../places/registry-access.ts";
import type { Environment, Places } from "../session.ts";
import { createModelImages } from "./image-parts.ts";

/** Who fetches: a session, or the start of an image that has none. */
export type Fetcher = Places & { readonly environment: Environment };

/** What is fetched, and where it goes. */
export interface FetchOrder {
  readonly source: ModelSource;
  /** Absolute. */
  readonly folder: string;
  readonly onProgress?: ((progress: FetchProgress) => void) | undefined;
}

/** Brings a model from its source into a folder. @throws as `fetchModel` */
export async function fetchSource(order: FetchOrder, fetcher: Fetcher): Promise<FetchedModel> {
  const { environment, access, emit, signal } = fetcher;
  const hosts = parseHosts(environment["HOSTS"]);
  const { ca } = await accessTo("", fetcher);
  using client = createHttpClient({ hosts, ca, env: environment, userAgent: access.userAgent });
  await using images = createModelImages({ ...fetcher, access: { ...access, hosts } });
  const context: FetchContext = {
    ...{ client, environment, readTar, signal },
    uncompressed: (stored, compression, options) =>
      uncompressed(stored, TAR_TYPES[compression], options),
    openImage: (name) => images.open(name),
    limits: limitsIn(environment),
    onProgress: order.onProgress,
    onWarning: (text) => emit({ kind: "warning", text }),
  };
  return await fetchModel(order.source, order.folder, context);
}

const TAR_TYPES = { gzip: MEDIA_TYPES.layerTarGzip, zstd: MEDIA_TYPES.layerTarZstd } as const;
