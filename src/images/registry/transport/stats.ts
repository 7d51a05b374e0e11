/** What a registry client has done so far. Counts only go up. */
export interface RegistryStats {
  readonly requests: number;
  /** Requests that were made again after a failure. */
  readonly retries: number;
  /** Body bytes of blobs and manifests that were handed to the system for sending. */
  readonly bytesUploaded: number;
  /** The part of `bytesUploaded` that the registry had lost or refused and that went out once more. */
  readonly bytesResent: number;
  readonly bytesDownloaded: number;
  readonly blobsMounted: number;
  /** Uploads that went on where an earlier process had stopped. */
  readonly uploadsResumed: number;
}

/** The same, open for counting. */
export type Counters = { -readonly [Key in keyof RegistryStats]: RegistryStats[Key] };

export function createCounters(): Counters {
  return {
    requests: 0,
    retries: 0,
    bytesUploaded: 0,
    bytesResent: 0,
    bytesDownloaded: 0,
    blobsMounted: 0,
    uploadsResumed: 0,
  };
}
