import { readFile } from "node:fs/promises";
import type { DebianArchitecture, DebianLock, DebianPackage } from "../../images/bases/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import { writeFileAtomic } from "../../ground/process/index.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Reads a lock file of `slipway base debian`; `undefined` when there is none yet. @throws ToolError `PROJECT_INVALID` naming the key. */
export async function readLockFile(path: string): Promise<DebianLock | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new ToolError("PROJECT_INVALID", `read "${path}": it cannot be read`, { cause: error });
  }
  return parseLock(text, path);
}

/** Writes a lock file that `readLockFile` gives back. @throws ToolError `STORE_UNWRITABLE`, `DISK_FULL`. */
export async function writeLockFile(path: string, lock: DebianLock): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(lock, undefined, 2)}\n`);
}

/** @param file - how the file is called in errors. @throws ToolError `PROJECT_INVALID` naming the key. */
export function parseLock(text: string, file: string): DebianLock {
  const wrong = (what: string): ToolError =>
    new ToolError("PROJECT_INVALID", `read "${file}": ${what}`, {
      hint: "remove the file, and `slipway base debian --lock` writes it again",
    });
  const read = createReader(wrong);
  const fields = read.document(text);
  if (fields["version"] !== 1) throw wrong("version is not 1");
  const { amd64, arm64, ...others } = read.object(fields["architectures"], "architectures");
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw wrong(`architecture "${unknown.slice(0, 40)}" is not amd64 or arm64`);
  const lists = Object.entries({ amd64, arm64 }).flatMap(([name, value]) =>
    value === undefined
      ? []
      : [
          [
            name,
            read.list(value, name).map((item, index) => packageOf(item, `${name}[${index}]`, read)),
          ],
        ],
  );
  return {
    version: 1,
    suite: read.text(fields["suite"], "suite", /^[a-z][a-z0-9.-]{0,60}$/),
    include: read
      .list(fields["include"], "include")
      .map((item, index) => read.text(item, `include[${index}]`, /^\S{1,300}$/)),
    // The keys are those two, and the values were checked just now.
    architectures: Object.fromEntries(lists) as Partial<
      Record<DebianArchitecture, readonly DebianPackage[]>
    >,
  };
}

function packageOf(
  value: unknown,
  key: string,
  read: ReturnType<typeof createReader>,
): DebianPackage {
  const fields = read.object(value, key);
  const { size } = fields;
  return {
    name: read.text(fields["name"], `${key}.name`, /^[a-z0-9][a-z0-9+.-]{0,200}$/),
    version: read.text(fields["version"], `${key}.version`, /^[A-Za-z0-9][A-Za-z0-9.+:~-]{0,200}$/),
    architecture: read.text(fields["architecture"], `${key}.architecture`, /^[a-z0-9-]{1,40}$/),
    size: read.size(size, `${key}.size`),
    sha256: read.text(fields["sha256"], `${key}.sha256`, /^[0-9a-f]{64}$/),
    url: read.text(fields["url"], `${key}.url`, /^https?:\/\/\S{1,2000}$/),
  };
}

function createReader(wrong: (what: string) => ToolError) {
  return {
    document(text: string): Fields {
      try {
        return this.object(JSON.parse(text), "it");
      } catch (error) {
        if (error instanceof SyntaxError) throw wrong("it is not JSON");
        throw error;
      }
    },
    object(value: unknown, key: string): Fields {
      if (typeof value !== "object" || value === null || Array.isArray(value))
        throw wrong(`${key} is not an object`);
      return value as Fields;
    },
    list(value: unknown, key: string): readonly unknown[] {
      if (!Array.isArray(value)) throw wrong(`${key} is not a list`);
      return value;
    },
    text(value: unknown, key: string, pattern: RegExp): string {
      if (typeof value !== "string" || !pattern.test(value))
        throw wrong(`${key} is missing or not what it should be`);
      return value;
    },
    size(value: unknown, key: string): number {
      if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0)
        throw wrong(`${key} is not a size`);
      return value;
    },
  };
}
