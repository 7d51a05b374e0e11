import { parseLocation } from "../../images/copy/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import { parsePlatform } from "../../images/oci/index.ts";
import type { Places } from "../session.ts";
import { move, type Moved } from "./move.ts";

/** An image of the local store that goes to a registry. */
export interface PushRequest {
  /** The name that it was packed with, or `store:NAME`. */
  readonly name: string;
  /** `HOST/REPOSITORY:TAG`. Default: the name. */
  readonly to?: string | undefined;
}

/** Copies an image of the local store to its registry. @throws ToolError `USAGE`, `REFERENCE_NOT_FOUND`, RegistryError. */
export async function push({ name, to = name }: PushRequest, session: Places): Promise<Moved> {
  if (parseLocation(to).kind !== "registry")
    throw new ToolError("USAGE", `push "${name}": "${to}" is not in a registry`, {
      hint: "name the target: slipway push store:NAME HOST/REPOSITORY:TAG",
    });
  return move({ from: name, to, isFromStore: true }, session);
}

/** An image of a registry that goes into the local store. */
export interface PullRequest {
  readonly name: string;
  /** `os/architecture`. Default: all. */
  readonly platform?: string | undefined;
}

/** Copies an image from its registry into the local store. @throws ToolError `REFERENCE_NOT_FOUND`, RegistryError. */
export async function pull({ name, platform }: PullRequest, session: Places): Promise<Moved> {
  return move(
    {
      from: name,
      to: name,
      isToStore: true,
      platform: platform === undefined ? undefined : parsePlatform(platform),
    },
    session,
  );
}

/** An image that goes from any place to any other. */
export interface CopyRequest {
  /** `store:NAME`, `HOST/REPOSITORY`, `oci:DIR`, `oci-archive:FILE`, `docker-archive:FILE`, `docker-daemon:REF` or `podman:REF`. */
  readonly from: string;
  /** The same. */
  readonly to: string;
  /** `os/architecture`. Default: all. */
  readonly platform?: string | undefined;
  /** From a registry: also signatures and bills of materials. Default false. */
  readonly withReferrers?: boolean | undefined;
}

/** Copies an image from any place to any other. @throws ToolError `USAGE`, and what reading and writing the places throws. */
export async function copy({ platform, ...request }: CopyRequest, session: Places): Promise<Moved> {
  return move(
    { ...request, platform: platform === undefined ? undefined : parsePlatform(platform) },
    session,
  );
}
