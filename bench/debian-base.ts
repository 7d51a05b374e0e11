import { spawnSync } from "node:child_process";
import { rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { interleave, publish, type Contestant } from "./lib/interleave.ts";
import { describeMachine } from "./lib/machine.ts";
import { isThere } from "./lib/peers.ts";
import { createPlace, type Place } from "./lib/place.ts";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "5" }, quick: { type: "boolean", default: false } },
});
const rounds = values.quick ? 1 : Number(values.rounds);
const digests = new Set<string>();
using warm = createPlace();
using scratch = createPlace();

const cold = await interleave(
  [ours("slipway base debian, nothing cached", () => createPlace(), true), ...mmdebstrap()],
  rounds,
);
await base(warm); // whoever makes a second base has the packages
const again = await interleave(
  [ours("slipway base debian, packages cached", () => warm, false)],
  rounds,
);
if (digests.size !== 1) throw new Error(`the base has ${digests.size} digests`);
publish(
  "debian-base",
  describeMachine({ mmdebstrap: ["mmdebstrap", "--version"], apt: ["apt-get", "--version"] }),
  { "python3, cold": cold, "python3, warm": again },
);

/** A base with python3. `mib` is what is stored; every run must give one digest. */
function ours(name: string, open: () => Place, isOwn: boolean): Contestant {
  return {
    name,
    async run() {
      const place = open();
      const { ms, mib, peakMib } = await base(place);
      if (isOwn) place[Symbol.dispose]();
      return { ms, mib, peakMib };
    },
  };
}

async function base(
  place: Place,
): Promise<{ readonly ms: number; readonly mib: number; readonly peakMib: number }> {
  const { ms, peakMib, stdout } = await place.slipway(
    "base",
    "debian",
    "--include",
    "python3",
    "--name",
    "pybase",
    "--json",
  );
  const result = JSON.parse(stdout.trim().split("\n").at(-1) ?? "{}") as {
    readonly digest?: string;
    readonly images?: readonly { readonly bytes: number }[];
  };
  digests.add(result.digest ?? "none");
  return { ms, peakMib, mib: (result.images?.[0]?.bytes ?? 0) / 2 ** 20 };
}

/** The usual way to a Debian tree with python3; its tar compressed, as a layer is. */
function mmdebstrap(): readonly Contestant[] {
  if (!isThere("mmdebstrap")) return [];
  const tar = join(scratch.folder, "mm.tar.gz");
  const command = `mmdebstrap --quiet --variant=minbase --include=python3 bookworm - | gzip -6 > '${tar}'`;
  return [
    {
      name: "mmdebstrap --variant=minbase | gzip",
      run() {
        const startedAt = performance.now();
        const { status, stderr } = spawnSync("bash", ["-o", "pipefail", "-c", command], {
          encoding: "utf8",
        });
        if (status !== 0) throw new Error(`mmdebstrap: ${stderr.slice(-500)}`);
        const ms = performance.now() - startedAt;
        const mib = statSync(tar).size / 2 ** 20;
        rmSync(tar);
        return Promise.resolve({ ms, mib });
      },
    },
  ];
}
