import { ContractError } from "./user-error.ts";

const TYPES: readonly unknown[] = ["COUNTER", "GAUGE", "TIMER"];

/** The metrics, or none for undefined. @throws ContractError 500 `MICROSERVICE_BAD_METRIC` */
export function checkMetrics(metrics: unknown): readonly unknown[] {
  if (metrics === undefined || metrics === null) return [];
  if (Array.isArray(metrics) && metrics.every(isMetric)) return metrics;
  throw new ContractError(
    `Bad metric created during request: ${JSON.stringify(metrics)}`,
    500,
    "MICROSERVICE_BAD_METRIC",
  );
}

function isMetric(metric: unknown): boolean {
  if (typeof metric !== "object" || metric === null) return false;
  const { key, value, type } = metric as { key?: unknown; value?: unknown; type?: unknown };
  return key !== undefined && typeof value === "number" && TYPES.includes(type);
}
