import { createHash } from "node:crypto";
import { manifestOf, uncompressed, type Image } from "../../src/images/oci/index.ts";
import { readTar, type TarEntry } from "../../src/images/tar/index.ts";

/** What an image holds, `TYPE MODE UID:GID …` by absolute path, layers stacked as overlayfs does. Contents by the start of their sha256. */
export async function imageFiles(image: Image): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const [layers, manifest] = await Promise.all([image.layers(), manifestOf(image)]);
  for (const [index, layer] of layers.entries()) {
    const added: [string, string | { readonly link: string }][] = [];
    const tar = uncompressed(layer.open(), manifest.layers[index]?.mediaType ?? "");
    const hidden: string[] = [];
    for await (const { entry, content } of readTar(tar)) {
      const path = `/${entry.path}`;
      const [, folder = "", name = ""] = /^(.*)\/\.wh\.(.+)$/.exec(path) ?? [];
      if (name === ".wh..opq") hidden.push(`${folder}/`);
      else if (name !== "") hidden.push(`${folder}/${name}`, `${folder}/${name}/`);
      else if (entry.path !== ".") added.push([path, await lineOf(entry, content)]);
    }
    for (const path of [...files.keys()])
      if (hidden.some((one) => (one.endsWith("/") ? path.startsWith(one) : path === one)))
        files.delete(path);
    for (const [path, what] of added)
      put(files, path, typeof what === "string" ? what : (files.get(`/${what.link}`) ?? "missing"));
  }
  return files;
}

function put(files: Map<string, string>, path: string, line: string): void {
  for (let at = path.indexOf("/", 1); at > 0; at = path.indexOf("/", at + 1)) {
    const above = path.slice(0, at);
    if (files.get(above)?.startsWith("d ") !== true) {
      clear(files, above);
      files.set(above, "d 0755 0:0");
    }
  }
  if (!(line.startsWith("d ") && files.get(path)?.startsWith("d ") === true)) clear(files, path);
  files.set(path, line);
}

function clear(files: Map<string, string>, path: string): void {
  for (const other of [...files.keys()])
    if (other === path || other.startsWith(`${path}/`)) files.delete(other);
}

async function lineOf(
  entry: TarEntry,
  content: AsyncIterable<Uint8Array>,
): Promise<string | { readonly link: string }> {
  const { type, uid = 0, gid = 0, linkTarget = "", device } = entry;
  const rights = `${entry.mode.toString(8).padStart(4, "0")} ${uid}:${gid}`;
  const marks = Object.entries(entry.xattrs ?? {}).map(
    ([name, value]) => ` xattrs {"${name}":"${Buffer.from(value).toString("hex")}"}`,
  );
  switch (type) {
    case "directory":
      return `d ${rights}${marks.join("")}`;
    case "symlink":
      return `l ${uid}:${gid} -> ${linkTarget}`;
    case "hardlink":
      return { link: linkTarget };
    case "device":
      return device?.kind === "fifo"
        ? `p ${rights}`
        : `${device?.kind === "character" ? "c" : "b"} ${rights} ${device?.major},${device?.minor}`;
    case "file": {
      const hash = createHash("sha256");
      for await (const chunk of content) hash.update(chunk);
      return `f ${rights} ${entry.size} ${hash.digest("hex").slice(0, 12)}${marks.join("")}`;
    }
  }
}
