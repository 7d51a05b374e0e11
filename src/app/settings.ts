import { ToolError } from "../ground/errors/index.ts";

/** Seconds since the epoch that go into images. @throws ToolError `USAGE`. @see https://reproducible-builds.org/specs/source-date-epoch/ */
export function epochOf(text: string | undefined): number {
  if (text === undefined || text === "") return 0;
  if (!/^\d{1,11}$/.test(text))
    throw new ToolError("USAGE", `SOURCE_DATE_EPOCH is "${text}", which is no count of seconds`);
  return Number(text);
}
