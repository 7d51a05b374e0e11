import { WireReader, writeMessage } from "../../../ground/wire/index.ts";
import type { SettingMap, SettingValue, ShownSettings } from "./server-settings.ts";

/** `TraceSettingRequest`. */
export interface TraceCall {
  readonly changes: SettingMap;
  /** Absent: the server's. */
  readonly model: string | undefined;
}

/** @throws WireError for what is no message */
export function readTraceCall(message: Buffer): TraceCall {
  const reader = new WireReader(message);
  const changes = new Map<string, SettingValue>();
  let model = "";
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 10) changes.set(...readEntry(reader.bytes(), readTexts));
    else if (tag === 18) model = reader.string();
    else reader.skip(tag);
  }
  return { changes, model: model === "" ? undefined : model };
}

/** `LogSettingsRequest`. @throws WireError for what is no message */
export function readLogCall(message: Buffer): SettingMap {
  const reader = new WireReader(message);
  const changes = new Map<string, SettingValue>();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 10) changes.set(...readEntry(reader.bytes(), readChoice));
    else reader.skip(tag);
  }
  return changes;
}

function readEntry(
  bytes: Buffer,
  read: (reader: WireReader) => SettingValue,
): readonly [string, SettingValue] {
  const reader = new WireReader(bytes);
  let key = "";
  let value: SettingValue = null;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 10) key = reader.string();
    else if (tag === 18) value = read(new WireReader(reader.bytes()));
    else reader.skip(tag);
  }
  return [key, value];
}

/** `{repeated string value = 1}`; no value at all takes the setting back. */
function readTexts(reader: WireReader): SettingValue {
  const texts: string[] = [];
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 10) texts.push(reader.string());
    else reader.skip(tag);
  }
  return texts.length === 0 ? null : texts;
}

function readChoice(reader: WireReader): SettingValue {
  let value: SettingValue = null;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 8) value = reader.bool();
    else if (tag === 16) value = reader.int32() >>> 0;
    else if (tag === 26) value = reader.string();
    else reader.skip(tag);
  }
  return value;
}

/** `TraceSettingResponse`. */
export function writeTraceSettings(settings: ShownSettings): Buffer {
  return writeMessage((writer) => {
    for (const [name, value] of Object.entries(settings).toReversed())
      writer.embed(10, () => {
        writer.embed(18, () => {
          const texts = Array.isArray(value) ? value.map(String) : [String(value)];
          for (const text of texts.toReversed()) writer.string(10, text);
        });
        writer.string(10, name);
      });
  });
}

/** `LogSettingsResponse`. */
export function writeLogSettings(settings: ShownSettings): Buffer {
  return writeMessage((writer) => {
    for (const [name, value] of Object.entries(settings).toReversed())
      writer.embed(10, () => {
        writer.embed(18, () => {
          if (typeof value === "boolean") writer.int(8, value ? 1 : 0);
          else if (typeof value === "number") writer.int(16, value);
          else writer.string(26, String(value));
        });
        writer.string(10, name);
      });
  });
}
