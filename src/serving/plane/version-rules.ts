/** Which version of a model a call without a version goes to, and what versions are called beside their numbers. */
export interface VersionRules {
  /** Versions by label, such as `stable` and `canary`. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Shares of the calls that name no version, by version; any positive numbers. Versions without a share get none of them. */
  readonly weights?: Readonly<Record<string, number>>;
}

/**
 * The version that a call goes to by the shares of `weights`.
 * @param isReady - false for versions that cannot be called, whose share the others get
 * @param random - at least 0, below 1
 * @returns undefined where no version with a share can be called
 */
export function chooseVersion(
  weights: Readonly<Record<string, number>>,
  isReady: (version: string) => boolean,
  random: number,
): string | undefined {
  const open = Object.entries(weights).filter(([version, share]) => share > 0 && isReady(version));
  let left = random * open.reduce((sum, [, share]) => sum + share, 0);
  for (const [version, share] of open) {
    left -= share;
    if (left < 0) return version;
  }
  return open.at(-1)?.[0];
}
