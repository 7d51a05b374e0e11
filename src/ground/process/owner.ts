import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

const OWNER = /^(\d+)-(\d+)-([0-9a-f]{8})(?:-|$)/;

/**
 * Names this process so that another one can tell later whether it still runs: process id, start time (process ids
 * come back), and a mark of the machine's boot and process namespace (other containers have the same ids).
 * @returns digits, letters and dashes; fit for a file name, to which `-anything` may be added.
 */
export function ownerName(): string {
  return `${process.pid}-${statusOf(process.pid)?.startTicks ?? 0}-${spaceMark()}`;
}

/**
 * True when the process that `ownerName` named has ended. False when it runs, when it belongs to
 * another machine or container that shares the folder, and when the name has another form.
 */
export function isOwnerGone(name: string): boolean {
  const [, pid, ticks, space] = OWNER.exec(name) ?? [];
  if (pid === undefined || space !== spaceMark()) return false;
  if (!isRunning(Number(pid))) return true;
  const status = statusOf(Number(pid));
  return (
    status !== undefined &&
    (status.isZombie || (ticks !== "0" && String(status.startTicks) !== ticks))
  );
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

function statusOf(
  pid: number,
): { readonly isZombie: boolean; readonly startTicks: number } | undefined {
  const text = readText(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  // The program's name stands in parentheses and may hold spaces; then come the state and, 19 fields on, the start time.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { isZombie: fields[0] === "Z" || fields[0] === "X", startTicks: Number(fields[19]) };
}

function spaceMark(): string {
  const parts = [
    hostname(),
    readText("/proc/sys/kernel/random/boot_id") ?? "",
    readLink("/proc/self/ns/pid"),
  ];
  return createHash("sha256").update(parts.join("\0")).digest("hex").slice(0, 8);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // No such file: not Linux, or the process has ended.
    return undefined;
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // Not Linux: there are no process namespaces to tell apart.
    return "";
  }
}
