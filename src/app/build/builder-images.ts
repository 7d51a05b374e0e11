import { rm } from "node:fs/promises";
import { join } from "node:path";
import { createEngine } from "../../images/engine/index.ts";
import {
  createImageArchive,
  openLayout,
  tagReference,
  writeArchive,
} from "../../images/layout/index.ts";
import {
  imageDescriptor,
  imageFrom,
  parseReference,
  type Descriptor,
  type Image,
} from "../../images/oci/index.ts";
import { run } from "../../ground/process/index.ts";
import type { Places, Surroundings } from "../session.ts";
import { packedSource } from "../places/packed-source.ts";
import { openForReading, type ReadPlace } from "../places/places.ts";
import { loadImage } from "../run/load-image.ts";
import type { Builder } from "./find-builder.ts";

/** A build to start. Paths absolute. */
interface BuildCall {
  readonly file: string;
  readonly name: string;
  readonly args: readonly string[];
  readonly ignoreFile: string | undefined;
  readonly context: string;
}

/** A builder's images: what it is given and what is taken from it goes away when this is disposed. */
export interface OpenBuilder extends AsyncDisposable {
  readonly kind: Builder["kind"];
  readonly env: Readonly<Record<string, string>>;
  /** Gives the builder an image. @returns the name for a `FROM`. */
  give(image: Image): Promise<string>;
  buildCommand(call: BuildCall): readonly [string, ...string[]];
  /** The image that was built, readable until this is disposed. */
  take(name: string): Promise<Image>;
}

/** @param place - a folder for images on their way; absolute */
export function openBuilder(
  builder: Builder,
  place: { readonly folder: string; readonly session: Places & Surroundings },
): OpenBuilder {
  return builder.kind === "buildah" ? buildah(place) : engine(builder, place);
}

/** Without it `SHELL` is passed over, since the OCI format has no field for it. */
const DOCKER_FORMAT = ["--format", "docker"];

interface BuilderContext {
  readonly folder: string;
  readonly session: Places & Surroundings;
}

/** Gives and takes by files of a folder; chroot isolation needs no more rights than a build in a container has. */
function buildah({ folder, session }: BuilderContext): OpenBuilder {
  const names: string[] = [];
  const call = async (...args: readonly string[]): Promise<string> => {
    const { stdout } = await run(["buildah", ...args], { signal: session.signal });
    return stdout.toString("utf8").trim();
  };
  return {
    kind: "buildah",
    env:
      session.environment["BUILDAH_ISOLATION"] === undefined ? { BUILDAH_ISOLATION: "chroot" } : {},
    async give(image) {
      const path = join(folder, `given-${names.length}.tar`);
      const name = givenName(await imageDescriptor(image, session));
      const source = await packedSource(image, session);
      const archive = await createImageArchive(
        source,
        [{ descriptor: await imageDescriptor(image, session), references: [parseReference(name)] }],
        { signal: session.signal },
      );
      await writeArchive(path, archive, { signal: session.signal });
      const id = (await call("pull", "--quiet", `docker-archive:${path}`)).split("\n").at(-1) ?? "";
      await rm(path);
      names.push(id);
      return id;
    },
    buildCommand: ({ file, name, args, ignoreFile, context: source }) => [
      "buildah",
      "build",
      "--layers=false",
      "--pull-never",
      ...DOCKER_FORMAT,
      ...(ignoreFile === undefined ? [] : ["--ignorefile", ignoreFile]),
      ...commonWords({ file, name, args, context: source }),
    ],
    async take(name) {
      names.push(name);
      const path = join(folder, "taken");
      await call("push", "--quiet", "--disable-compression", name, `oci:${path}:taken`);
      const layout = openLayout(path);
      return imageFrom(layout, await layout.resolve(tagReference("taken"), session));
    },
    async [Symbol.asyncDispose]() {
      if (names.length > 0)
        await run(["buildah", "rmi", "--force", ...names.reverse()], { allowFailure: true });
    },
  };
}

/** What every builder's command ends in. */
function commonWords({
  file,
  name,
  args,
  context,
}: Omit<BuildCall, "ignoreFile">): readonly string[] {
  return [...args, "--file", file, "--tag", name, context];
}

function givenName({ digest }: Descriptor): string {
  return `localhost/slipway-given:${digest.slice("sha256:".length, 23)}`;
}

function engine(builder: Builder, { session }: BuilderContext): OpenBuilder {
  const kind = builder.kind === "podman" ? "podman" : "docker";
  const opened = createEngine({ kind });
  const names: string[] = [];
  const places: ReadPlace[] = [];
  return {
    kind: builder.kind,
    env:
      kind === "docker"
        ? { DOCKER_BUILDKIT: builder.kind === "buildx" ? "1" : "0" }
        : session.environment["BUILDAH_ISOLATION"] === undefined
          ? { BUILDAH_ISOLATION: "chroot" }
          : {},
    async give(image) {
      const descriptor = await imageDescriptor(image, session);
      const name = givenName(descriptor);
      names.push(name);
      const source = await packedSource(image, session);
      await loadImage(opened, { source, descriptor, name }, session);
      return name;
    },
    buildCommand: ({ file, name, args, context: source }) => [
      builder.program,
      ...(builder.kind === "buildx"
        ? ["buildx", "build", "--load", "--provenance=false"]
        : ["build"]),
      ...(kind === "podman" ? ["--layers=false", "--pull=never", ...DOCKER_FORMAT] : []),
      ...commonWords({ file, name, args, context: source }),
    ],
    async take(name) {
      names.push(name);
      const place = await openForReading(
        `${kind === "podman" ? "podman" : "docker-daemon"}:${name}`,
        session,
      );
      places.push(place);
      return imageFrom(place.source, await place.source.resolve(place.reference, session));
    },
    async [Symbol.asyncDispose]() {
      for (const place of places) await place[Symbol.asyncDispose]();
      for (const name of names.reverse()) await opened.removeImage(name);
    },
  };
}
