import { ToolError } from "../../ground/errors/index.ts";

/** `ARCHIVE_INVALID`: bytes that are no tar, or a damaged one. Readers that know the file's name say it with `why`. */
export class TarError extends ToolError {
  override readonly name: string = "TarError";
  /** What is wrong, without what was being done. */
  readonly why: string;

  constructor(why: string) {
    super("ARCHIVE_INVALID", `read tar: ${why}`);
    this.why = why;
  }
}
