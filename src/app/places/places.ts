import { hostname } from "node:os";
import { resolve } from "node:path";
import {
  anySource,
  parseLocation,
  type CopyOptions,
  type Location,
} from "../../images/copy/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import { parseReference, type Reference, type Sink, type Source } from "../../images/oci/index.ts";
import type { Registry, RegistryOptions, Repository } from "../../images/registry/index.ts";
import type { Store } from "../../images/store/index.ts";
import type { Engine } from "../../images/engine/index.ts";
import type { Places } from "../session.ts";
import { accessTo } from "./registry-access.ts";

/** A place that images are read from; dispose it. */
export interface ReadPlace extends AsyncDisposable {
  readonly source: Source;
  readonly reference: Reference;
  /** As the user wrote it. */
  readonly name: string;
  /** Repositories that have layers of it, as that of a base which was never downloaded. */
  readonly mountFrom?: readonly Reference[];
  /** Finds what refers to a manifest, where the place can tell. */
  readonly referrersOf?: CopyOptions["referrersOf"];
}

/** A place that images are written to, blob by blob. */
export interface WritePlace extends AsyncDisposable {
  readonly sink: Sink;
  readonly reference: Reference;
  readonly name: string;
}

const NOTHING = (): Promise<void> => Promise.resolve();

/** The local store of this user. */
export async function openStore({ directories }: Places): Promise<Store> {
  const { createStore } = await import("../../images/store/index.ts");
  return createStore({ dataDir: directories.data, cacheDir: directories.cache });
}

/** A name that can only be one of a registry. @throws ToolError `USAGE`. */
export function registryReference(name: string): Reference {
  const location = parseLocation(name);
  if (location.kind === "registry") return location.reference;
  throw new ToolError("USAGE", `name the image "${name}": it is not in a registry`);
}

/** Where a name that could be a registry's is looked for. */
export interface NameOptions {
  /** Names of registries mean the local store's image of that name. Default false. */
  readonly isInStore?: boolean | undefined;
  /** A name without a registry's host means the store's image of that name when there is one. Default false. */
  readonly isStoreFirst?: boolean | undefined;
}

/** Opens what `text` names for reading. @throws ToolError `REFERENCE_INVALID`, and what opening the place throws. */
export async function openForReading(
  text: string,
  session: Places,
  options: NameOptions = {},
): Promise<ReadPlace> {
  const location = parseLocation(text);
  switch (location.kind) {
    case "store":
      return openStored(text, location.reference, session);
    case "registry":
      return (await isMeantInStore(text, location.reference, { ...options, session }))
        ? openStored(text, location.reference, session)
        : openRegistryImage(text, location.reference, session);
    case "oci": {
      const { openLayout } = await import("../../images/layout/index.ts");
      return {
        name: text,
        source: openLayout(resolve(session.cwd, location.path)),
        reference: namedIn(location),
        [Symbol.asyncDispose]: NOTHING,
      };
    }
    case "oci-archive":
    case "docker-archive": {
      const { openArchive } = await import("../../images/layout/index.ts");
      const archive = await openArchive(resolve(session.cwd, location.path), {
        signal: session.signal,
      });
      return {
        name: text,
        source: archive,
        reference: namedIn(location),
        [Symbol.asyncDispose]: () => archive[Symbol.asyncDispose](),
      };
    }
    case "docker-daemon":
    case "podman":
      return openEngineImage(text, location, session);
    default:
      return location satisfies never;
  }
}

/** True when the name says which registry it means; `iris:v1` does not, and is what was packed here when there is such an image. */
export function namesRegistry(text: string): boolean {
  return /^(?:docker:\/\/|localhost\/|[^/]*[.:][^/]*\/)/.test(text);
}

/** Whether a name is one of the local store. */
export async function isInStore(text: string, session: Places): Promise<boolean> {
  const location = parseLocation(text);
  if (location.kind !== "registry") return location.kind === "store";
  return isMeantInStore(text, location.reference, { isStoreFirst: true, session });
}

async function isMeantInStore(
  text: string,
  reference: Reference,
  { isInStore, isStoreFirst, session }: NameOptions & { readonly session: Places },
): Promise<boolean> {
  if (isInStore === true || isStoreFirst !== true || namesRegistry(text)) return isInStore === true;
  await using store = await openStore(session);
  return await store.resolve(reference, session).then(
    () => true,
    () => false,
  );
}

/** Opens a store, registry or layout folder for writing. @throws ToolError `USAGE` for places that are written as a whole. */
export async function openForWriting(
  text: string,
  session: Places,
  options: NameOptions = {},
): Promise<WritePlace> {
  const location = parseLocation(text);
  if (location.kind === "store" || (location.kind === "registry" && options.isInStore === true)) {
    const store = await openStore(session);
    return {
      name: text,
      sink: store,
      reference: location.reference,
      [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    };
  }
  if (location.kind === "registry") {
    const { source, ...rest } = await openRepository(location.reference, session);
    return { name: text, sink: source, ...rest };
  }
  if (location.kind === "oci") {
    const { createLayout } = await import("../../images/layout/index.ts");
    return {
      name: text,
      sink: await createLayout(resolve(session.cwd, location.path)),
      reference: namedIn(location),
      [Symbol.asyncDispose]: NOTHING,
    };
  }
  throw new ToolError("USAGE", `write to "${text}": it is written as a whole`);
}

/** An image of the store; blobs of a base that was never downloaded come from the base's own registry. */
async function openStored(text: string, reference: Reference, session: Places): Promise<ReadPlace> {
  const store = await openStore(session);
  const { basesOf } = await import("./base-layers.ts");
  const bases: OpenRepository[] = [];
  const mountFrom = await basesOf(store, await store.resolve(reference, session), session);
  for (const base of mountFrom) bases.push(await openRepository(base, session));
  return {
    name: text,
    reference,
    mountFrom,
    source: anySource(store, ...bases.map(({ source }) => source)),
    async [Symbol.asyncDispose]() {
      for (const base of bases) await base[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}

/** A repository that is open, and its registry's client; disposing closes its connections. */
export interface OpenRepository extends AsyncDisposable {
  readonly source: Repository;
  readonly reference: Reference;
  readonly registry: Registry;
}

/** How a registry is reached and who we are there. */
export async function registryOptions(host: string, session: Places): Promise<RegistryOptions> {
  const { createKeychain } = await import("../../images/registry/index.ts");
  const login = session.access.login;
  const explicit =
    login === undefined
      ? undefined
      : {
          registry: login.registry,
          credential: {
            kind: "basic",
            username: login.username,
            password: login.password,
          } as const,
        };
  return {
    host,
    ...(await accessTo(host, session)),
    keychain: createKeychain({ environment: session.access.environment, explicit }),
    stateDir: session.directories.state,
    environment: session.access.environment,
    hosts: session.access.hosts,
    plainHttp: session.access.isPlainHttp,
    userAgent: session.access.userAgent,
    onWarning: (warning: string) => session.emit({ kind: "warning", text: `${host}: ${warning}` }),
  };
}

/** One repository of a registry, with the user's credentials. */
export async function openRepository(
  reference: Reference,
  session: Places,
): Promise<OpenRepository> {
  const { createRegistry } = await import("../../images/registry/index.ts");
  const registry = createRegistry(await registryOptions(reference.registry, session));
  return {
    source: registry.repository(reference.repository),
    reference,
    registry,
    [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose](),
  };
}

/**
 * Asks each registry whether it takes a push under the name, before anything is made for it.
 * @throws RegistryError `REGISTRY_UNAUTHORIZED`, `REGISTRY_FORBIDDEN`, `REGISTRY_UNREACHABLE` and the like.
 */
export async function checkPushes(names: readonly string[], session: Places): Promise<void> {
  await Promise.all(
    names.map(async (name) => {
      await using repository = await openRepository(registryReference(name), session);
      await repository.source.checkPush(session);
    }),
  );
}

async function openRegistryImage(
  text: string,
  reference: Reference,
  session: Places,
): Promise<ReadPlace> {
  const place = await openRepository(reference, session);
  return {
    ...place,
    name: text,
    referrersOf: (subject, options) => place.source.referrers(subject.digest, options),
  };
}

/** A name for what a folder or archive holds: its tag when one was given, else whatever it holds alone. */
function namedIn(location: { readonly path: string; readonly tag?: string }): Reference {
  const plain: Reference = { registry: "", repository: "" };
  return location.tag === undefined ? plain : { ...plain, tag: location.tag };
}

async function openEngineImage(
  text: string,
  location: Extract<Location, { readonly name: string }>,
  session: Places,
): Promise<ReadPlace> {
  const [{ createTempDir, writeFileAtomic }, { openArchive }, engine] = await Promise.all([
    import("../../ground/process/index.ts"),
    import("../../images/layout/index.ts"),
    openEngine(location, session),
  ]);
  const folder = await createTempDir(`slipway-${hostname()}`);
  const path = `${folder.path}/image.tar`;
  await writeFileAtomic(path, engine.save(location.name, { signal: session.signal }), {
    signal: session.signal,
  });
  const archive = await openArchive(path, { signal: session.signal });
  return {
    name: text,
    source: archive,
    reference: parseReference(location.name),
    async [Symbol.asyncDispose]() {
      await archive[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** The engine that a location names. @throws ToolError `ENGINE_MISSING`. */
export async function openEngine(
  location: { readonly kind: "docker-daemon" | "podman" },
  session: Places,
): Promise<Engine> {
  const { createEngine, findEngine } = await import("../../images/engine/index.ts");
  const kind = location.kind === "podman" ? "podman" : "docker";
  const options = await findEngine({ prefer: kind, signal: session.signal });
  if (options.kind !== kind)
    throw new ToolError("ENGINE_MISSING", `use ${kind}: it does not answer`, {
      hint: `start ${kind}, or use ${options.kind}, which answers`,
    });
  return createEngine(options);
}
