import { randomUUID } from "node:crypto";
import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";

/** A program that was started, as the kernel shows it to everyone who looks. */
export interface StartedChild {
  readonly program: string;
  /** Its words, with NUL between. */
  readonly argv: string;
  /** Its variables, with NUL between. */
  readonly environment: string;
}

/** A folder for the front of PATH, whose programs write down how they were started and become the real ones. */
export interface RecordedChildren {
  readonly bin: string;
  /** What was started so far. */
  started(): Promise<readonly StartedChild[]>;
}

/** @param programs - by name: the real one's path, or a shell script in its place. */
export async function recordChildren(
  folder: string,
  programs: Readonly<Record<string, string>>,
): Promise<RecordedChildren> {
  const [bin, seen] = [join(folder, `bin-${randomUUID()}`), join(folder, `seen-${randomUUID()}`)];
  await mkdir(bin, { recursive: true });
  await mkdir(seen);
  for (const [name, program] of Object.entries(programs)) {
    const rest = program.startsWith("/") ? `exec '${program}' "$@"` : program;
    await writeFile(
      join(bin, name),
      `#!/bin/sh\nfor what in cmdline environ; do cat "/proc/$$/$what" > '${seen}/${name}'."$$.$what"; done\n${rest}\n`,
    );
    await chmod(join(bin, name), 0o755);
  }
  return {
    bin,
    async started() {
      const names = (await readdir(seen)).filter((name) => name.endsWith(".cmdline"));
      return Promise.all(
        names.map(async (name) => ({
          program: basename(name).replace(/\.\d+\.cmdline$/, ""),
          argv: await readFile(join(seen, name), "utf8"),
          environment: await readFile(join(seen, name.replace(/cmdline$/, "environ")), "utf8"),
        })),
      );
    },
  };
}
