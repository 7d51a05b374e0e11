import type { PortRequest } from "../../images/engine/index.ts";
import type { ImageConfig } from "../../images/oci/index.ts";
import { modelOf } from "../shown/index.ts";

/** The port that answers HTTP: what the label says, else the first that the image exposes. */
export function httpPortOf(config: ImageConfig): number | undefined {
  const stated = modelOf(config)?.ports?.http;
  if (typeof stated === "number") return stated;
  const exposed = Object.keys(config.config?.ExposedPorts ?? {}).find((port) =>
    /^\d+(\/tcp)?$/.test(port),
  );
  return exposed === undefined ? undefined : Number.parseInt(exposed, 10);
}

/** What to publish when the caller does not say: the port that answers HTTP, under its own number. */
export function portsOf(
  asked: readonly PortRequest[],
  config: ImageConfig,
): readonly PortRequest[] {
  if (asked.length > 0) return asked;
  const port = httpPortOf(config);
  return port === undefined ? [] : [{ containerPort: port, hostPort: port }];
}
