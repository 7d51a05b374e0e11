/** Parses a short YAML or JSON text into plain values. The parser is loaded on first use. @throws Error with the parser's own words */
export async function parseYaml(text: string): Promise<unknown> {
  const { parse } = await import("yaml");
  return parse(text, { maxAliasCount: 20, prettyErrors: false, logLevel: "error" }) as unknown;
}

/** Plain values as YAML, long lines unbroken. Texts that readers of YAML 1.1 (kubectl) take for something else, such as `yes`, are quoted. */
export async function printYaml(value: unknown): Promise<string> {
  const { stringify } = await import("yaml");
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false, compat: "yaml-1.1" });
}
