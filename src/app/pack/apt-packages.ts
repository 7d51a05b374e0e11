import type { BlobStore } from "../../images/bases/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import { appendLayers, mutateConfig } from "../../images/oci/index.ts";
import type { BaseImage } from "../../images/pack/index.ts";
import type { Places } from "../session.ts";

export interface AptRequest {
  /** `name` or `name=version`; nothing is done when there is none. */
  readonly packages: readonly string[];
  /** Where the layer goes. */
  readonly store: BlobStore;
  /** Time of every file, seconds since the epoch. */
  readonly epochS: number;
  readonly session: Places;
}

/**
 * The base with Debian packages on top of it: one layer of what it lacks, without a container.
 * @throws ToolError `BASE_UNSUITABLE` when the base is no Debian, `PACKAGE_UNAVAILABLE` naming what the archive lacks.
 */
export async function withAptPackages(
  base: BaseImage,
  { packages, store, epochS, session }: AptRequest,
): Promise<BaseImage> {
  if (packages.length === 0) return base;
  const { addDebianPackages, inspectDebian, layersLabel } =
    await import("../../images/bases/index.ts");
  const facts = await inspectDebian(base.image, session);
  if (facts === undefined) {
    throw new ToolError(
      "BASE_UNSUITABLE",
      `add ${packages.join(", ")} to "${base.name}": it is no Debian image`,
      {
        hint: "leave the packages out, or choose a base that `slipway base debian` made, or another Debian",
      },
    );
  }
  const { emit, signal } = session;
  emit({ kind: "step", text: `adding ${packages.join(", ")} to ${base.name}` });
  const added = await addDebianPackages({
    base: facts,
    packages,
    epochS,
    blobs: store,
    cacheDir: `${session.directories.cache}/debian`,
    now: Date.now,
    onWarning: (text) => emit({ kind: "warning", text: text }),
    signal,
  });
  if (added.additions.length === 0) return base;
  const image = mutateConfig(appendLayers(base.image, added.additions), (config) => ({
    ...config,
    config: {
      ...config.config,
      Labels: {
        ...config.config?.Labels,
        ...added.labels,
        ...layersLabel(config.rootfs.diff_ids),
      },
    },
  }));
  const sonames = [...new Set([...base.facts.sonames, ...added.facts.sonames])].sort();
  return {
    ...base,
    image,
    added: { packages, layers: added.additions.length },
    facts: {
      ...base.facts,
      sonames,
      ...(added.facts.python === undefined ? {} : { python: added.facts.python }),
    },
  };
}
