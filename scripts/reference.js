// Writes docs/reference: what `--help` says of every command and what slipway.yaml may say, to be read and searched without the tool.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { COMMAND_TABLE } from "../src/cli/command-table.ts";

const root = resolve(import.meta.dirname, "..");

/** The pages, by file name below docs/reference. */
export function renderReference() {
  return { "cli.md": renderCommands(), "slipway-yaml.md": renderProjectFile() };
}

function renderCommands() {
  const pages = COMMAND_TABLE.flatMap(({ name }) => [
    [name],
    ...subcommandsOf(name).map((child) => [name, child]),
  ]);
  const sections = pages.map(
    (words) => `## slipway ${words.join(" ")}\n\n\`\`\`\n${help(words)}\n\`\`\`\n`,
  );
  return `# Command reference\n\nMade from \`--help\` by \`node scripts/reference.js\`; a test keeps it true.\n\n${sections.join("\n")}`;
}

function subcommandsOf(name) {
  const [, list = ""] = help([name]).split(/^Commands:$/m);
  return [...list.matchAll(/^ {2}([a-z][\w-]*)/gm)]
    .map((match) => match[1])
    .filter((child) => child !== "help");
}

function help(words) {
  const env = { ...process.env, SLIPWAY_FROM_SOURCE: "1", NO_COLOR: "1" };
  return execFileSync(process.execPath, [resolve(root, "bin/slipway.js"), ...words, "--help"], {
    encoding: "utf8",
    env,
  }).trimEnd();
}

function renderProjectFile() {
  const schema = JSON.parse(readFileSync(resolve(root, "schema/slipway.schema.json"), "utf8"));
  const rows = Object.entries(schema.properties ?? {}).flatMap(([name, inner]) =>
    rowsOf(name, inner),
  );
  return `# slipway.yaml\n\nMade from the JSON Schema ([schema/slipway.schema.json](../../schema/slipway.schema.json)) by \`node scripts/reference.js\`; a test keeps it true. Every field may be left out.\n\n| field | is | means |\n| --- | --- | --- |\n${rows.join("\n")}\n`;
}

function rowsOf(name, schema) {
  const children = Object.entries(schema.properties ?? {}).flatMap(([child, inner]) =>
    rowsOf(`${name}.${child}`, inner),
  );
  const extra =
    schema.default === undefined ? "" : ` Default: ${code(JSON.stringify(schema.default))}.`;
  const example =
    schema.examples === undefined ? "" : ` Example: ${code(schema.examples.join(", "))}.`;
  return [
    `| ${code(name)} | ${escape(typeOf(schema))} | ${escape(schema.description ?? "")}${extra}${example} |`,
    ...children,
  ];
}

function typeOf(schema) {
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(" or ");
  if (schema.enum !== undefined) return schema.enum.join(", ");
  if (schema.type === "array") return `list of: ${typeOf(schema.items ?? {})}`;
  if (schema.type === "object")
    return schema.properties === undefined ? "names and texts" : "fields";
  return (
    schema.title ??
    { integer: "a whole number", boolean: "true or false", string: "a text" }[schema.type] ??
    "anything"
  );
}

const code = (text) => `\`${text}\``;
const escape = (text) => text.replaceAll("|", "\\|");

if (process.argv[1] === import.meta.filename) {
  for (const [name, text] of Object.entries(renderReference())) {
    const target = resolve(root, "docs/reference", name);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
  }
}
