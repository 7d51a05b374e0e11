import { listImages, listRepositories, listTags, type StoredImageResult } from "../../app/index.ts";
import type { Run } from "../cli.ts";
import { formatAge, formatBytes, formatTable, shortDigest } from "../render/format.ts";

/** `slipway ls`. */
export const list: Run<"ls"> = async ({ name }, { session, reporter }) => {
  if (name === undefined || name.startsWith("store:")) {
    const images = await listImages(name, session);
    if (images.length === 0)
      reporter.step("the store is empty; `slipway pack` or `slipway pull` puts images into it");
    else for (const line of formatTable([HEAD, ...images.map(cellsOf)], [3])) reporter.line(line);
    return reporter.result({ images });
  }
  if (/^[^/]+\/$/.test(name)) {
    const registry = name.slice(0, -1);
    const repositories = await listRepositories(registry, session);
    for (const repository of repositories) reporter.line(`${registry}/${repository}`);
    return reporter.result({ registry, repositories });
  }
  const { repository, tags } = await listTags(name, session);
  if (tags.length === 0) reporter.step("it has no tags");
  for (const tag of tags) reporter.line(tag);
  reporter.result({ repository, tags });
};

const HEAD = ["NAME", "TAG", "DIGEST", "SIZE", "AGE", "KIND", "PLATFORMS"];

function cellsOf({
  repository,
  tag,
  digest,
  size,
  taggedAt,
  kind,
  platforms,
  problem,
}: StoredImageResult): readonly string[] {
  const age = taggedAt === undefined ? "?" : formatAge(Date.now() - Date.parse(taggedAt));
  return [
    repository,
    tag ?? "(none)",
    shortDigest(digest),
    size === undefined ? "?" : formatBytes(size),
    age,
    kind,
    problem ?? platforms.join(", "),
  ];
}
