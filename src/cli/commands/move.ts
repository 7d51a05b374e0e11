import { copy, pull, push, type Moved } from "../../app/index.ts";
import type { Cli, Run } from "../cli.ts";
import { reportMoved } from "../render/moved.ts";

/** `slipway push`. */
export const pushImage: Run<"push"> = (request, cli) =>
  tellMoved({ verb: "pushed", to: request.to ?? request.name }, cli, push(request, cli.session));

/** `slipway pull`. */
export const pullImage: Run<"pull"> = (request, cli) =>
  tellMoved({ verb: "pulled", to: request.name }, cli, pull(request, cli.session));

/** `slipway copy`. */
export const copyImage: Run<"copy"> = (request, cli) =>
  tellMoved({ verb: "copied", to: request.to }, cli, copy(request, cli.session));

async function tellMoved(
  what: { readonly verb: string; readonly to: string },
  { reporter }: Cli,
  moving: Promise<Moved>,
): Promise<void> {
  const startedAt = performance.now();
  reportMoved(reporter, { ...what, moved: await moving, startedAt });
}
