import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Machine } from "./machine.ts";
import { summarize, type Summary } from "./stats.ts";

/** One way of doing the job. */
export interface Contestant {
  readonly name: string;
  /** Does it once. @returns what to record; `ms` is what the ratio is made of. */
  run(round: number): Promise<Readonly<Record<string, number>> & { readonly ms: number }>;
  /** Rounds to sit out after the first; for peers that take a minute each. Default 0: runs in every round. */
  readonly maxRounds?: number;
}

export interface Outcome {
  readonly name: string;
  /** One summary per recorded figure. */
  readonly figures: Readonly<Record<string, Summary>>;
  /** This contestant's median `ms` over ours; above 1 means that we are faster. */
  readonly ratio: number;
}

/** Runs all contestants in turn, round after round, so that a noisy minute hits every one; the first is ours. */
export async function interleave(
  contestants: readonly Contestant[],
  rounds: number,
): Promise<readonly Outcome[]> {
  const samples = new Map<string, Record<string, number>[]>(
    contestants.map(({ name }) => [name, []]),
  );
  for (let round = 0; round < rounds; round += 1) {
    // What one leaves to the next (a cache, pages to write) falls to each of them.
    for (const contestant of round % 2 === 0 ? contestants : contestants.toReversed()) {
      if (round >= (contestant.maxRounds ?? rounds)) continue;
      const sample = await contestant.run(round);
      samples.get(contestant.name)?.push(sample);
      process.stderr.write(`  round ${round + 1} ${contestant.name}: ${sample.ms.toFixed(0)} ms\n`);
    }
  }
  const ours = median(samples.get(contestants[0]?.name ?? "") ?? []);
  return contestants.map(({ name }) => {
    const own = samples.get(name) ?? [];
    const keys = [...new Set(own.flatMap((sample) => Object.keys(sample)))];
    const figures = Object.fromEntries(
      keys.map((key) => [key, summarize(own.flatMap((sample) => sample[key] ?? []))]),
    );
    return { name, figures, ratio: median(own) / ours };
  });
}

/** Prints a scenario as a table and keeps it under `bench/results/NAME.json`; a run with `--quick` is looked at and not kept. */
export function publish(
  name: string,
  machine: Machine,
  parts: Readonly<Record<string, readonly Outcome[]>>,
): void {
  for (const [part, outcomes] of Object.entries(parts)) {
    process.stdout.write(`\n${name} / ${part}\n`);
    for (const { name: who, figures, ratio } of outcomes) {
      const text = Object.entries(figures).map(
        ([key, figure]) =>
          `${key} ${figure.median.toFixed(key === "ms" ? 0 : 1)} (±${(figure.spread / 2).toFixed(0)}, n=${figure.runs})`,
      );
      process.stdout.write(
        `  ${who.padEnd(36)} ${ratio.toFixed(2).padStart(8)} ×   ${text.join("  ")}\n`,
      );
    }
  }
  const { cpu, cores, node, commit, versions } = machine;
  process.stdout.write(
    `\n${cpu}, ${cores} cores, Node ${node}, commit ${commit}\n${Object.entries(versions)
      .map(([program, version]) => `${program}: ${version}\n`)
      .join("")}`,
  );
  if (process.argv.includes("--quick")) return;
  const path = join(resolve(import.meta.dirname, "../results"), `${name}.json`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify({ name, machine, parts }, undefined, 2)}\n`);
}

function median(samples: readonly Readonly<Record<string, number>>[]): number {
  return samples.length === 0
    ? Number.NaN
    : summarize(samples.map((sample) => sample["ms"] ?? Number.NaN)).median;
}
