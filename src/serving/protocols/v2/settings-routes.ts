import type { Exchange, Reply, Route } from "../../transport/index.ts";
import { isList, JsonNumber, type JsonNode } from "../json/index.ts";
import type { Plane } from "../protocol.ts";
import { requestInvalid, shortName } from "../request-errors.ts";
import { refuseForeignPages } from "./documents.ts";
import { readObject } from "./read-object.ts";
import { jsonReply, settle } from "./reply.ts";
import {
  logSettings,
  traceSettings,
  type SettingMap,
  type SettingValue,
  type ShownSettings,
} from "./server-settings.ts";

/** Settings of log and traces: read by GET, changed by POST. */
export function settingsRoutes(plane: Plane): readonly (readonly [string, Route])[] {
  const route = (show: (changes: SettingMap, exchange: Exchange) => ShownSettings): Route => ({
    name: "v2-settings",
    methods: ["GET", "POST"],
    access: (method) => (method === "POST" ? "manager" : "caller"),
    handle: (exchange) => {
      const answer = async (): Promise<Reply> => jsonReply(show(changesIn(exchange), exchange));
      settle(plane, exchange, answer);
    },
  });
  const ofModel = route((changes, { params }) => traceSettings(plane, params["name"], changes));
  return [
    ["/v2/logging", route((changes) => logSettings(plane, changes))],
    ["/v2/trace/setting", route((changes) => traceSettings(plane, undefined, changes))],
    ["/v2/models/{name}/trace/setting", ofModel],
    ["/v2/models/{name}/versions/{version}/trace/setting", ofModel],
  ];
}

function changesIn(exchange: Exchange): SettingMap {
  const { body, request } = exchange;
  if (request.method !== "POST" || body.byteLength === 0) return new Map();
  refuseForeignPages(exchange.header("origin"), exchange.header("host"), "change a setting");
  return new Map([...readObject(body)].map(([name, node]) => [name, valueOf(name, node)]));
}

function valueOf(name: string, node: JsonNode): SettingValue {
  if (node instanceof JsonNumber) return Number(node.text);
  if (node === null || typeof node === "boolean" || typeof node === "string") return node;
  const texts = isList(node) ? node.filter((item) => typeof item === "string") : undefined;
  if (texts !== undefined && isList(node) && texts.length === node.length) return texts;
  throw requestInvalid(`the setting "${shortName(name)}" is no value and no list of texts`);
}
