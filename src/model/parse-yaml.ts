/** Parses a short YAML or JSON text into plain values. The parser is loaded on first use. @throws Error with the parser's own words */
export async function parseYaml(text: string): Promise<unknown> {
  const { parse } = await import("yaml");
  return parse(text, { maxAliasCount: 20, prettyErrors: false, logLevel: "error" }) as unknown;
}
