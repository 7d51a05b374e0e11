import { WireReader, WireWriter } from "../../../ground/wire/index.ts";
import { encodeFile, symbolsOf, type ProtoFile } from "./descriptors.ts";
import { SMALL_MESSAGE_BYTES, type GrpcCall, type GrpcMethod } from "./grpc-call.ts";
import { GRPC_STATUS } from "./status.ts";

/** Tags of ServerReflectionRequest. */
const ASK = {
  host: 10,
  fileByName: 26,
  fileOfSymbol: 34,
  fileOfExtension: 42,
  extensionNumbers: 50,
  services: 58,
} as const;
/** Tags of ServerReflectionResponse. */
const TELL = { host: 10, request: 18, files: 34, services: 50, error: 58 } as const;
const VERSIONS = ["v1", "v1alpha"] as const;

/**
 * Server reflection, so that tools such as grpcurl need no `.proto` file.
 * @param files - those whose services are answered; what they import is found by itself
 * @see https://github.com/grpc/grpc/blob/master/doc/server-reflection.md
 */
export function reflectionMethods(files: readonly ProtoFile[]): ReadonlyMap<string, GrpcMethod> {
  const index = indexOf([...files, ...VERSIONS.map(ownProto)]);
  const method: GrpcMethod = {
    takesMany: true,
    isEndless: true,
    maxMessageBytes: SMALL_MESSAGE_BYTES,
    onMessage: (call, message) => answer(call, message, index),
    onEnd: (call) => call.finish(),
  };
  return new Map(
    VERSIONS.map((version) => [
      `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
      method,
    ]),
  );
}

interface Index {
  readonly services: readonly string[];
  readonly byName: ReadonlyMap<string, ProtoFile>;
  readonly bySymbol: ReadonlyMap<string, ProtoFile>;
}

function indexOf(files: readonly ProtoFile[]): Index {
  const all = [...new Set(files.flatMap(withImports))];
  return {
    services: files.flatMap((file) =>
      Object.keys(file.services ?? {}).map((name) => `${file.package}.${name}`),
    ),
    byName: new Map(all.map((file) => [file.name, file])),
    bySymbol: new Map(
      all.flatMap((file) => symbolsOf(file).map((symbol) => [symbol, file] as const)),
    ),
  };
}

function withImports(file: ProtoFile): readonly ProtoFile[] {
  return [file, ...(file.imports ?? []).flatMap(withImports)];
}

function ownProto(version: string): ProtoFile {
  return {
    name: `grpc/reflection/${version}/reflection.proto`,
    package: `grpc.reflection.${version}`,
    messages: {
      ServerReflectionRequest: [
        "string host = 1",
        "string file_by_filename = 3 in message_request",
        "string file_containing_symbol = 4 in message_request",
        "ExtensionRequest file_containing_extension = 5 in message_request",
        "string all_extension_numbers_of_type = 6 in message_request",
        "string list_services = 7 in message_request",
      ],
      ExtensionRequest: ["string containing_type = 1", "int32 extension_number = 2"],
      ServerReflectionResponse: [
        "string valid_host = 1",
        "ServerReflectionRequest original_request = 2",
        "FileDescriptorResponse file_descriptor_response = 4 in message_response",
        "ExtensionNumberResponse all_extension_numbers_response = 5 in message_response",
        "ListServiceResponse list_services_response = 6 in message_response",
        "ErrorResponse error_response = 7 in message_response",
      ],
      FileDescriptorResponse: ["repeated bytes file_descriptor_proto = 1"],
      ExtensionNumberResponse: ["string base_type_name = 1", "repeated int32 extension_number = 2"],
      ListServiceResponse: ["repeated ServiceResponse service = 1"],
      ServiceResponse: ["string name = 1"],
      ErrorResponse: ["int32 error_code = 1", "string error_message = 2"],
    },
    services: {
      ServerReflection: [
        "ServerReflectionInfo(stream ServerReflectionRequest) stream ServerReflectionResponse",
      ],
    },
  };
}

function answer(call: GrpcCall, message: Buffer, index: Index): void {
  try {
    const request = readRequest(message);
    const writer = new WireWriter(4096);
    writeAnswer(writer, request, index);
    writer.bytes(TELL.request, message);
    writer.string(TELL.host, request.host);
    call.write(writer.finish());
  } catch {
    // the one thing that throws here is a message that is no protobuf
    call.fail({ status: "INTERNAL", message: "Exception deserializing request!" });
  }
}

interface Request {
  readonly host: string;
  readonly ask: number;
  readonly text: string;
}

function readRequest(message: Buffer): Request {
  const reader = new WireReader(message);
  let [host, ask, text] = ["", 0, ""];
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === ASK.host) host = reader.string();
    else if (tag === ASK.fileByName || tag === ASK.fileOfSymbol || tag === ASK.services)
      [ask, text] = [tag, reader.string()];
    else {
      if (tag === ASK.fileOfExtension || tag === ASK.extensionNumbers) ask = tag;
      reader.skip(tag);
    }
  }
  return { host, ask, text };
}

function writeAnswer(
  writer: WireWriter,
  { ask, text }: Request,
  { services, byName, bySymbol }: Index,
): void {
  const from = writer.size;
  if (ask === ASK.services) {
    for (const service of services.toReversed()) {
      const inner = writer.size;
      writer.string(10, service);
      writer.close(10, inner);
    }
    writer.close(TELL.services, from);
    return;
  }
  const file =
    ask === ASK.fileByName
      ? byName.get(text)
      : ask === ASK.fileOfSymbol
        ? bySymbol.get(text)
        : undefined;
  if (file === undefined) {
    writer.string(18, `"${text}" is not known`);
    writer.int(8, GRPC_STATUS.NOT_FOUND);
    writer.close(TELL.error, from);
    return;
  }
  for (const each of [...new Set(withImports(file))].toReversed())
    writer.bytes(10, encodeFile(each));
  writer.close(TELL.files, from);
}
