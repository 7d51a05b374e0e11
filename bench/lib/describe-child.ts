// Describes a model twice and prints what that took, as JSON. For bench/describe.ts.
import { describePath } from "../../src/app/describe/describe-path.ts";
import { isToolError } from "../../src/ground/errors/index.ts";
import { createSession } from "../../src/app/index.ts";

const [path = ""] = process.argv.slice(2);
const session = createSession({ environment: process.env });

async function timed(): Promise<{
  readonly ms: number;
  readonly cpuMs: number;
  readonly outcome: string;
}> {
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  const outcome = await describePath(path, session).then(
    ({ detected }) => String(detected.chosen.kind),
    (error: unknown) => {
      if (isToolError(error)) return error.code;
      throw error;
    },
  );
  const ms = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpu);
  return { ms, cpuMs: (user + system) / 1000, outcome };
}

const before = process.memoryUsage.rss();
const first = await timed(); // loads the readers
const again = await timed();
const grownMib = (process.resourceUsage().maxRSS * 1024 - before) / 2 ** 20;
process.stdout.write(JSON.stringify({ first, again, grownMib }));
