// How is an NTNDArray built, the type of images and other arrays with dimensions?
//
// Spec: Normative-Types-Specification, "NTNDArray"; the order of fields as pvxs and areaDetector send them.

import {
  any,
  arrayOf,
  boolean,
  byte,
  double,
  float,
  int,
  long,
  short,
  string,
  structure,
  ubyte,
  uint,
  ulong,
  union,
  ushort,
} from '../types/type-desc.ts';
import { alarmType, timeStampType } from './substructures.ts';

/** The elements, of whatever scalar they are. */
export const ndArrayValueType = union({
  booleanValue: arrayOf(boolean),
  byteValue: arrayOf(byte),
  shortValue: arrayOf(short),
  intValue: arrayOf(int),
  longValue: arrayOf(long),
  ubyteValue: arrayOf(ubyte),
  ushortValue: arrayOf(ushort),
  uintValue: arrayOf(uint),
  ulongValue: arrayOf(ulong),
  floatValue: arrayOf(float),
  doubleValue: arrayOf(double),
});

/** How the elements are compressed; name '' for not at all. */
export const codecType = structure('codec_t', { name: string, parameters: any });

/** One dimension: what was read out of a detector of `fullSize`. */
export const dimensionType = structure('dimension_t', {
  size: int,
  offset: int,
  fullSize: int,
  binning: int,
  reverse: boolean,
});

/** Something known about an image besides its elements. */
export const ntAttribute = structure('epics:nt/NTAttribute:1.0', {
  name: string,
  value: any,
  tags: arrayOf(string),
  descriptor: string,
  alarm: alarmType,
  timeStamp: timeStampType,
  sourceType: int,
  source: string,
});

/** `epics:nt/NTNDArray:1.0`. */
export const ntNdArray = structure('epics:nt/NTNDArray:1.0', {
  value: ndArrayValueType,
  codec: codecType,
  compressedSize: long,
  uncompressedSize: long,
  uniqueId: int,
  dataTimeStamp: timeStampType,
  alarm: alarmType,
  timeStamp: timeStampType,
  dimension: arrayOf(dimensionType),
  attribute: arrayOf(ntAttribute),
});
