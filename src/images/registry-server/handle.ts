import { deleteBlob, getBlob } from "./blobs.ts";
import { listReferrers, listRepositories, listTags } from "./discovery.ts";
import { answerJson, type Context, type Exchange } from "./exchange.ts";
import { Fault } from "./fault.ts";
import { deleteManifest, getManifest, putManifest } from "./manifests.ts";
import { parseRoute, type Route } from "./route.ts";
import { cancelUpload, closeUpload, continueUpload, getUpload, startUpload } from "./uploads.ts";

type Action = () => Promise<void>;
type Actions = Partial<Readonly<Record<string, Action>>>;

/** Finds what a request asks for and does it. @throws Fault for everything the protocol has a refusal for. */
export async function handle(context: Context, exchange: Exchange, path: string): Promise<void> {
  const method = exchange.request.method ?? "";
  const actions = actionsOf(context, exchange, parseRoute(path, method));
  const action = Object.hasOwn(actions, method) ? actions[method] : undefined;
  if (action === undefined)
    throw new Fault(405, "UNSUPPORTED", {
      message: `"${method}" does not go with this path`,
      headers: { Allow: Object.keys(actions).join(", ") },
    });
  await action();
}

function actionsOf(context: Context, exchange: Exchange, route: Route): Actions {
  switch (route.kind) {
    case "ping":
      return reading(async () => answerJson(exchange, {}));
    case "catalog":
      return reading(() => listRepositories(context, exchange));
    case "tags":
      return reading(() => listTags(context, exchange, route.name));
    case "referrers":
      return reading(() => listReferrers(context, exchange, route));
    case "blob":
      return {
        ...reading(() => getBlob(context, exchange, route)),
        DELETE: () => deleteBlob(context, exchange, route),
      };
    case "manifest":
      return {
        ...reading(() => getManifest(context, exchange, route)),
        PUT: () => putManifest(context, exchange, route),
        DELETE: () => deleteManifest(context, exchange, route),
      };
    case "uploads":
      return { POST: () => startUpload(context, exchange, route.name) };
    case "upload":
      return uploadActions(context, exchange, route);
    default:
      return route satisfies never;
  }
}

function uploadActions(
  context: Context,
  exchange: Exchange,
  route: Extract<Route, { readonly kind: "upload" }>,
): Actions {
  const find = () => context.uploads.find(route.name, route.session);
  return {
    GET: async () => getUpload(context, exchange, await find()),
    PATCH: async () => continueUpload(context, exchange, await find()),
    PUT: async () => closeUpload(context, exchange, await find()),
    DELETE: async () => cancelUpload(context, exchange, await find()),
  };
}

function reading(action: Action): Actions {
  return { GET: action, HEAD: action };
}
