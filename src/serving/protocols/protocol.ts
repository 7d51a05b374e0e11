import type { ModelDescription, Ports } from "../../models/description/index.ts";
import type { TensorSpec } from "../../models/tensor/index.ts";
import type { MetricRegistry } from "../metrics/index.ts";
import type { ImageReader, ModelRepository, TraceSettings } from "../plane/index.ts";
import type { Exchange, GrpcMethod, ProtoFile, Refusal, Route } from "../transport/index.ts";
import type { Codecs } from "./codecs/codecs.ts";
import type { JsonNode } from "./json/index.ts";
import type { SeldonSettings } from "./seldon-service/settings.ts";

/** What a server gives its protocols. The same object for all of them, for as long as the server runs. */
export interface Plane {
  readonly models: ModelRepository;
  /** Makes tensors of pictures. */
  readonly images: ImageReader;
  /** Of this server. */
  readonly version: string;
  /** True when clients may load and unload models. */
  readonly allowsControl: boolean;
  /** What the server was started for. */
  readonly description: ModelDescription;
  /** The page of metrics; series about a model carry `model.labels`. */
  readonly registry: MetricRegistry;
  /** Told about every error that is worth a line in the log: bugs of ours, and answers of 500 and above. */
  readonly onFailure: (error: unknown, about: FailureNote) => void;
  /** What the environment says of a node of a Seldon graph. */
  readonly seldon: SeldonSettings;
  /** `MODEL_METADATA`, parsed. */
  readonly seldonMetadata: JsonNode | undefined;
  /** What is logged; absent for a log that is not this server's. */
  readonly log: LogSwitches | undefined;
  /** What is traced. */
  readonly traces: TraceSettings;
  /** For large messages. */
  readonly codecs: Codecs;
}

/** Which lines the log has. Members may be set while the server runs. */
export interface LogSwitches {
  info: boolean;
  warning: boolean;
  error: boolean;
  /** 0 for none, 1 for lines that help to find a fault, 2 for everything. */
  verbose: number;
}

export interface FailureNote {
  /** True when this is nobody's fault but ours: it belongs into the log with its stack. */
  readonly isBug: boolean;
  readonly requestId: string | undefined;
}

/** What a protocol answers over gRPC. */
export interface GrpcServices {
  /** Files that declare the services, for reflection and health. */
  readonly files: readonly ProtoFile[];
  /** By path, such as `/package.Service/Method`. */
  readonly methods: ReadonlyMap<string, GrpcMethod>;
}

/** A JSON value of a document. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json };

/** A protocol's share of the OpenAPI document. @see https://spec.openapis.org/oas/v3.0.0 */
export interface OpenApiPart {
  /** By path, as `routes` has it. */
  readonly paths: Readonly<Record<string, Json>>;
  /** By name; two protocols may not give one name two meanings. */
  readonly schemas: Readonly<Record<string, Json>>;
}

/** A model as documents for clients show it. */
export interface ApiModel {
  readonly name: string;
  /** Empty when only user code knows. */
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** Requests of named tensors are answered; others get 501. */
  readonly takesTensors: boolean;
  /** Requests that are a raw body are answered; others get 501. */
  readonly takesRawBody: boolean;
}

/** A POST that is answered with 200 as it stands. */
export interface ExampleRequest {
  readonly path: string;
  readonly contentType: string;
  readonly body: string;
}

/** What a sample request needs to know of a model. Everything may be missing: it comes from labels of images too. */
export interface SampleModel {
  readonly name?: string;
  readonly signature?: {
    readonly inputs?: readonly {
      readonly name?: string;
      readonly datatype?: string;
      readonly shape?: readonly number[];
    }[];
  };
}

/** A protocol as a plugin: the table in `table.ts` has a row for each. */
export interface Protocol {
  /** As `contract` in a project file names it, where an image can be made for it. */
  readonly name: string;
  /** Ports of an image that is made for it. */
  readonly defaultPorts: Ports;
  /**
   * What it answers over HTTP, by path; `{name}` in a path is a parameter. Every HTTP port answers the routes of all rows, so a path
   * belongs to one row. A model that cannot answer refuses with `UNSUPPORTED`, which is 501.
   */
  readonly routes: (plane: Plane) => ReadonlyMap<string, Route>;
  /** What it answers beside that on servers whose contract it is; these go before the routes of other rows. */
  readonly ownRoutes?: (plane: Plane) => ReadonlyMap<string, Route>;
  /** What it answers over gRPC; absent where it has none. */
  readonly grpc?: (plane: Plane) => GrpcServices;
  /** Answers what no route takes: below `prefix`, and on servers whose contract this is. Default: the first row's way. */
  readonly refuse?: (plane: Plane, exchange: Exchange, why: Refusal) => void;
  /** A path, such as `/v2`, below which every path is this protocol's, be there a route or not. */
  readonly prefix?: string;
  /** Paths for these models, the first of which answers where a path names none; calls that a model refuses are left out. */
  readonly openapi: (models: readonly ApiModel[]) => OpenApiPart;
  /** A request that the model answers; absent where this protocol gets 501 of it, or only user code knows what it takes. */
  readonly example: (model: ApiModel) => ExampleRequest | undefined;
  /** A line for the shell that asks the model at `url` for a prediction, and works as it stands. */
  readonly sample: (model: SampleModel, url: string) => string;
}
