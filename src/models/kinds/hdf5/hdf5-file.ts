import type { RandomReader } from "../../../ground/bytes/index.ts";
import { readAttributes, type Hdf5Attribute } from "./attribute.ts";
import { readHeader, type HeaderMessage } from "./object-header.ts";
import { Hdf5Error, Hdf5Source, MESSAGE, UNDEFINED_ADDRESS } from "./source.ts";
import { readLinks } from "./links.ts";
import { readDataspace, readDatatype, type Hdf5Datatype } from "./types.ts";

/** A group or dataset of an HDF5 file. Children and attributes are read when they are asked for. */
export interface Hdf5Object {
  readonly path: string;
  readonly attributes: ReadonlyMap<string, Hdf5Attribute>;
  /** Set for a dataset. */
  readonly dataset?: { readonly shape: readonly number[]; readonly datatype: Hdf5Datatype };
  /** Names of what a group holds, in the order of the file; links that leave the file are left out. */
  readonly names: readonly string[];
  /** A child of a group; absent when there is none of that name. */
  child(name: string): Hdf5Object | undefined;
}

/** Bytes 0 to 7 of every HDF5 file. */
const SIGNATURE = "\x89HDF\r\n\x1a\n";

/**
 * Opens the root group. Only metadata is read: shapes, types, attributes and names, a few kilobytes however long the file is.
 * Reads superblocks 0 to 3, object headers 1 and 2, groups as symbol tables and as compact links. Groups and attributes in dense storage
 * are refused: no release of Keras writes them.
 * @throws Hdf5Error for what is no HDF5 file, is damaged, or is not read here. @see HDF5 File Format Specification 3.0
 */
export function openHdf5(reader: RandomReader): Hdf5Object {
  const source = new Hdf5Source(reader);
  if (source.text(0, 8) !== SIGNATURE) throw new Hdf5Error("it is no HDF5 file");
  return openObject(source, rootAddress(source), "");
}

/** @see section II.A, "Disk Format: Level 0A - Format Signature and Superblock" */
function rootAddress(source: Hdf5Source): number {
  const version = source.uint(8, 1);
  if (version <= 1) {
    source.setSizes(source.uint(13, 1), source.uint(14, 1));
    const start = 24 + (version === 1 ? 4 : 0);
    source.setBase(source.address(start));
    const endOfFile = source.address(start + 2 * source.offsetBytes);
    source.checkEnd(endOfFile);
    return source.address(start + 4 * source.offsetBytes + source.offsetBytes);
  }
  if (version > 3) throw new Hdf5Error(`it has superblock version ${version}`);
  source.setSizes(source.uint(9, 1), source.uint(10, 1));
  source.setBase(source.address(12));
  source.checkEnd(source.address(12 + 2 * source.offsetBytes));
  return source.address(12 + 3 * source.offsetBytes);
}

function openObject(source: Hdf5Source, address: number, path: string): Hdf5Object {
  if (address === UNDEFINED_ADDRESS) throw new Hdf5Error(`"${path}" has no place in the file`);
  const messages = readHeader(source, address);
  const links = readLinks(source, messages);
  return {
    path,
    attributes: readAttributes(source, messages),
    names: [...links.keys()],
    ...datasetIn(source, messages),
    child(name) {
      const target = links.get(name);
      return target === undefined ? undefined : openObject(source, target, `${path}/${name}`);
    },
  };
}

function datasetIn(
  source: Hdf5Source,
  messages: readonly HeaderMessage[],
): Pick<Hdf5Object, "dataset"> {
  const space = messages.find(({ type }) => type === MESSAGE.dataspace);
  const datatype = messages.find(({ type }) => type === MESSAGE.datatype);
  if (space === undefined || datatype === undefined) return {};
  return {
    dataset: {
      shape: readDataspace(source, space.start),
      datatype: readDatatype(source, datatype.start),
    },
  };
}
