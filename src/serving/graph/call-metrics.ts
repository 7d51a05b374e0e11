import type { GraphNode } from "../../models/description/index.ts";
import type { Histogram, Labels, MetricRegistry } from "../metrics/index.ts";
import { splitImage } from "../protocols/index.ts";
import type { AnsweredCall } from "./executor.ts";
import { pathOfMethod } from "./remote-node.ts";

const CALLS = {
  name: "seldon_api_executor_client_requests_seconds",
  help: "Time of a call to a node, by node and method",
  bounds: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
};

/** Counts calls to nodes, under the names of Seldon's executor. @param labels - of the deployment, on every series */
export function countCalls(registry: MetricRegistry, labels: Labels): (call: AnsweredCall) => void {
  const series = new Map<string, Histogram>();
  return ({ node, method, status, seconds }) => {
    const key = `${node.name} ${method} ${status}`;
    let found = series.get(key);
    if (found === undefined) {
      const isRead = method === "metadata" || method === "health-status";
      found = registry.histogram(CALLS, {
        ...labels,
        ...modelLabels(node),
        code: String(status),
        method: isRead ? "get" : "post",
        service: pathOfMethod(method),
      });
      series.set(key, found);
    }
    found.observe(seconds);
  };
}

function modelLabels({ name, image = "" }: GraphNode): Labels {
  const split = splitImage(image);
  return { model_name: name, model_image: split.image, model_version: split.version };
}
