/** Where Kubernetes shows the annotations of a pod to its containers. */
export const ANNOTATIONS_FILE = "/etc/podinfo/annotations";

/** What Seldon's annotations say of one node. */
export interface SeldonAnnotations {
  /** `seldon.io/grpc-max-message-size`, in bytes. */
  readonly grpcMaxMessageBytes?: number;
  /** `seldon.io/rest-timeout`, in ms. */
  readonly restTimeoutMs?: number;
}

/** Reads the file that the downward API writes: a line `key="value"` for each annotation. What makes no sense is passed over, as in the wrapper. */
export function parseAnnotations(text: string): SeldonAnnotations {
  const values = new Map<string, string>();
  for (const line of text.split("\n")) {
    const match = /^\s*([^=\s]+)\s*=\s*"(.*)"\s*$/.exec(line);
    if (match !== null) values.set(match[1] ?? "", match[2] ?? "");
  }
  const grpcMaxMessageBytes = countIn(values.get("seldon.io/grpc-max-message-size"));
  const restTimeoutMs = countIn(values.get("seldon.io/rest-timeout"));
  return {
    ...(grpcMaxMessageBytes !== undefined && { grpcMaxMessageBytes }),
    ...(restTimeoutMs !== undefined && { restTimeoutMs }),
  };
}

function countIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text.trim()) && Number(text) > 0
    ? Number(text)
    : undefined;
}
