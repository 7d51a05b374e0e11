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
  return seldonAnnotations((key) => values.get(key));
}

/** What annotations say, looked up by key. What makes no sense is passed over. */
export function seldonAnnotations(valueOf: (key: string) => string | undefined): SeldonAnnotations {
  const grpcMaxMessageBytes = countIn(valueOf("seldon.io/grpc-max-message-size"));
  const restTimeoutMs = countIn(valueOf("seldon.io/rest-timeout"));
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
