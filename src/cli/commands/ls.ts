import type { CommandModule } from "../command.ts";
import type { Cli } from "../cli.ts";
import { listImages, listRepositories, listTags, type StoredImageResult } from "../../app/index.ts";
import { addRegistryFlags, withRegistryFlags, type RegistryFlags } from "../registry-flags.ts";
import { formatAge, formatBytes, formatTable, shortDigest } from "../render/format.ts";

/** `slipway ls [NAME]`. */
export const define: CommandModule["define"] = (command, cli) => {
  addRegistryFlags(command)
    .argument(
      "[name]",
      "store:NAME for the tags of one image of the store, HOST/REPOSITORY for those in a registry, HOST/ for a registry's repositories",
    )
    .addHelpText(
      "after",
      "\nExample:\n  slipway ls\n  slipway ls registry.example.com/team/iris\n  slipway ls localhost:5000/",
    )
    .action(async (name: string | undefined, flags: RegistryFlags) =>
      list(name, await withRegistryFlags(cli, flags, [name?.replace(/^([^/]+)\/$/, "$1/any")])),
    );
};

async function list(name: string | undefined, { session, reporter }: Cli): Promise<void> {
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
}

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
