import type { MetricRegistry, NumberSeries } from "../../metrics/index.ts";
import { identityHeaders, type ServedModel } from "../../plane/index.ts";

/**
 * Puts `slipway_model_info` on the page: 1 for what answers now, with its digests as labels `model_digest`, `code_digest` and `image_digest`; 0 for
 * what answered before a reload.
 */
export function registerIdentity(registry: MetricRegistry, model: ServedModel): void {
  let last: NumberSeries | undefined;
  registry.onCollect(() => {
    const identity = model.state === "ready" ? model.predictor.describe().identity : undefined;
    if (last !== undefined) last.value = 0;
    last = undefined;
    if (identity === undefined) return;
    last = registry.gauge("slipway_model_info", "1 for what answers now, by its digests", {
      model_name: model.name,
      model_version: model.version,
      ...Object.fromEntries(
        identityHeaders(identity).map(([name, value]) => [labelOf(name), value]),
      ),
    });
    last.value = 1;
  });
}

function labelOf(header: string): string {
  return header.replace("slipway-", "").replaceAll("-", "_");
}
