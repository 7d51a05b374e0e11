import type { Digest } from "./descriptor.ts";

/** A parsed image name. Never a bare string inside the code. */
export interface Reference {
  /** Host, with a port when given; `docker.io` for names without a host. */
  readonly registry: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
}
