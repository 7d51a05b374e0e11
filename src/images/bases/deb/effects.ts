import type { ContentReader } from "./content.ts";
import type { OpenedPackage, TreeNode } from "./contracts.ts";
import type { Tree } from "./tree.ts";

/** The user that images run as; group 0, so that platforms which choose a user id still share files with it. */
const USER = { name: "slipway", uid: 8888, home: "/home/slipway" };
const SHELL = "/usr/sbin/nologin";
const BUNDLE = "etc/ssl/certs/ca-certificates.crt";

const PASSWD = [
  `root:x:0:0:root:/root:${SHELL}`,
  `nobody:x:65534:65534:nobody:/nonexistent:${SHELL}`,
  `${USER.name}:x:${USER.uid}:0:${USER.name}:${USER.home}:${SHELL}`,
  "",
].join("\n");
const GROUP = [
  "root:x:0:",
  "tty:x:5:",
  "mail:x:8:",
  "shadow:x:42:",
  "utmp:x:43:",
  "staff:x:50:",
  "users:x:100:",
  "nogroup:x:65534:",
  "",
].join("\n");
const NSSWITCH = [
  "passwd: files",
  "group: files",
  "shadow: files",
  "gshadow: files",
  "hosts: files dns",
  "networks: files",
  "protocols: db files",
  "services: db files",
  "ethers: db files",
  "rpc: db files",
  "",
].join("\n");

/** What the scripts of the minimal set would have done: users, folders, links, certificates, time zone. */
export async function addSystemEffects(tree: Tree, reader: ContentReader): Promise<void> {
  const add = creator(tree, "base-files");
  for (const [path, mode] of [
    ["tmp", 0o1777],
    ["var/tmp", 0o1777],
    ["root", 0o700],
    ["run", 0o755],
    ["run/lock", 0o1777],
    ["opt", 0o755],
    ["srv", 0o755],
    ["mnt", 0o755],
    ["usr/local/bin", 0o755],
    ["usr/local/lib", 0o755],
    ["usr/local/share", 0o755],
  ] as const) {
    add.folder(path, mode);
  }
  tree.set(USER.home.slice(1), {
    type: "directory",
    mode: 0o770,
    uid: USER.uid,
    gid: 0,
    owner: "base-files",
  });
  add.link("var/run", "/run");
  add.link("var/lock", "/run/lock");
  add.file("etc/passwd", PASSWD);
  add.file("etc/group", GROUP);
  add.file("etc/nsswitch.conf", NSSWITCH);
  if (tree.find("etc/dpkg/origins/debian") !== undefined)
    add.link("etc/dpkg/origins/default", "debian");
  if (tree.find("usr/share/zoneinfo/Etc/UTC") !== undefined) {
    add.link("etc/localtime", "/usr/share/zoneinfo/Etc/UTC");
    add.file("etc/timezone", "Etc/UTC\n");
  }
  await addCertificates(tree, reader);
}

/** Debian's shell is chosen by a script; without one a shell that is there is at least found under its usual name. */
export function addShellLink(tree: Tree): void {
  if (tree.find("bin/sh") !== undefined) return;
  const shell = ["dash", "bash", "busybox"]
    .map((name) => ({ name, found: tree.find(`bin/${name}`) }))
    .find(({ found }) => found !== undefined);
  if (shell?.found !== undefined) creator(tree, shell.found.node.owner).link("bin/sh", shell.name);
}

/** The version of Python that `python3` starts, `undefined` without one. */
export function pythonName(tree: Tree): string | undefined {
  const node = tree.nodes.get("usr/bin/python3");
  return node?.type === "symlink" && /^python3\.\d+$/.test(node.target) ? node.target : undefined;
}

/** `python`, and the folder for packages that pip would use. */
export function addPythonEffects(tree: Tree): void {
  const name = pythonName(tree);
  if (name === undefined) return;
  const add = creator(tree, `${name}-minimal`);
  if (!tree.nodes.has("usr/bin/python")) add.link("usr/bin/python", "python3");
  add.folder(`usr/local/lib/${name}/dist-packages`, 0o755);
  add.folder("usr/lib/python3/dist-packages", 0o755);
}

/** Package lists as distroless images keep them, so that scanners see what is installed. */
export function addPackageList(tree: Tree, packages: readonly OpenedPackage[]): void {
  for (const item of packages) {
    const add = creator(tree, item.name);
    add.file(
      `var/lib/dpkg/status.d/${item.name}`,
      item.control.endsWith("\n") ? item.control : `${item.control}\n`,
    );
    if (item.md5sums !== "") add.file(`var/lib/dpkg/status.d/${item.name}.md5sums`, item.md5sums);
  }
}

async function addCertificates(tree: Tree, reader: ContentReader): Promise<void> {
  const add = creator(tree, "ca-certificates");
  const paths = [...tree.nodes.keys()]
    .filter((path) => path.startsWith("usr/share/ca-certificates/") && path.endsWith(".crt"))
    .sort();
  if (paths.length === 0) return;
  const parts: Uint8Array[] = [];
  for (const path of paths) {
    const node = tree.nodes.get(path);
    if (node?.type !== "file") continue;
    const bytes = await reader.bytes(node.content);
    parts.push(bytes, Buffer.from(bytes.at(-1) === 0x0a ? "" : "\n"));
  }
  add.file(BUNDLE, Buffer.concat(parts));
  // OpenSSL's own default paths; the package that ships them is not needed for anything else.
  add.link("usr/lib/ssl/certs", "/etc/ssl/certs");
  add.link("usr/lib/ssl/cert.pem", `/${BUNDLE}`);
}

function creator(tree: Tree, owner: string) {
  const own = { owner, uid: 0, gid: 0 };
  const set = (path: string, node: TreeNode): void => tree.set(path, node);
  return {
    folder: (path: string, mode: number) => set(path, { ...own, type: "directory", mode }),
    link: (path: string, target: string) => set(path, { ...own, type: "symlink", target }),
    file: (path: string, text: string | Uint8Array) =>
      set(path, {
        ...own,
        type: "file",
        mode: 0o644,
        content: { kind: "bytes", bytes: typeof text === "string" ? Buffer.from(text) : text },
      }),
  };
}
