import type { Owner } from "./make-folders.ts";

/** A user or group as written: a number, or a name to look up. */
interface OwnerWords {
  readonly user: string;
  readonly group: string | undefined;
}

/** Reads a file of the image, such as `/etc/passwd`; `undefined` where it is not there. */
export type ReadImageFile = (path: string) => Promise<string | undefined>;

/** Thrown for a user or group that the image does not know. */
export class UnknownOwnerError extends Error {
  constructor(kind: "user" | "group", name: string) {
    super(`${kind} "${name}" is not in /etc/${kind === "user" ? "passwd" : "group"} of the image`);
  }
}

const MAX_ID = 2 ** 31 - 1;

/**
 * Whom `--chown=user:group` means. A user by number has the group of that number; one by name the group that `/etc/passwd` gives.
 * @throws UnknownOwnerError
 */
export async function resolveOwner(text: string, read: ReadImageFile): Promise<Owner> {
  const { user, group } = wordsOf(text);
  const owner = numericOwner(user) ?? (await passwdOwner(user, read));
  if (owner === undefined) throw new UnknownOwnerError("user", user);
  if (group === undefined) return owner;
  const gid = numericId(group) ?? (await groupId(group, read));
  if (gid === undefined) throw new UnknownOwnerError("group", group);
  return { uid: owner.uid, gid };
}

/** As `resolveOwner`, and what is not known is root: so a working folder is made for a user that nobody knows. */
export async function resolveOwnerOrRoot(text: string, read: ReadImageFile): Promise<Owner> {
  const { user, group } = wordsOf(text);
  const owner = numericOwner(user) ?? (await passwdOwner(user, read)) ?? { uid: 0, gid: 0 };
  const gid = group === undefined ? undefined : (numericId(group) ?? (await groupId(group, read)));
  return { uid: owner.uid, gid: gid ?? owner.gid };
}

/** True when a name must be looked up in the image. */
export function needsNames(text: string): boolean {
  const { user, group } = wordsOf(text);
  return (
    numericOwner(user) === undefined || (group !== undefined && numericId(group) === undefined)
  );
}

function wordsOf(text: string): OwnerWords {
  const colon = text.indexOf(":");
  const group = colon < 0 ? "" : text.slice(colon + 1);
  return {
    user: colon < 0 ? text : text.slice(0, colon),
    group: group === "" ? undefined : group,
  };
}

/** Nobody named is root, as in `:group`. */
function numericOwner(user: string): Owner | undefined {
  const id = user === "" ? 0 : numericId(user);
  return id === undefined ? undefined : { uid: id, gid: id };
}

/** `root` is 0 in every image. */
function numericId(text: string): number | undefined {
  if (text === "root") return 0;
  const id = /^\+?\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  return id <= MAX_ID ? id : undefined;
}

async function passwdOwner(name: string, read: ReadImageFile): Promise<Owner | undefined> {
  const fields = await lineOf("/etc/passwd", name, read);
  const [, , uid = "", gid = ""] = fields ?? [];
  return fields === undefined ? undefined : { uid: Number(uid) || 0, gid: Number(gid) || 0 };
}

async function groupId(name: string, read: ReadImageFile): Promise<number | undefined> {
  const fields = await lineOf("/etc/group", name, read);
  return fields === undefined ? undefined : Number(fields[2]) || 0;
}

async function lineOf(
  path: string,
  name: string,
  read: ReadImageFile,
): Promise<readonly string[] | undefined> {
  const lines = ((await read(path)) ?? "").split("\n");
  return lines
    .map((line) => line.trim().split(":"))
    .find(([first]) => first === name && name !== "");
}
