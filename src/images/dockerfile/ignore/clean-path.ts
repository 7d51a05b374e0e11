import { posix } from "node:path";

/** The shortest spelling of a path, as Go's `path.Clean` gives it: `.` for nothing, no slash at the end save for the root. */
export function cleanPath(path: string): string {
  const clean = posix.normalize(path);
  return clean.length > 1 && clean.endsWith("/") ? clean.slice(0, -1) : clean;
}
