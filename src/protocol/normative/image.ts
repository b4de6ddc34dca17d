// How does an image become the value of an NTNDArray?
//
// Spec: Normative-Types-Specification, "NTNDArray"; attributes as areaDetector gives them.

import { LocalProtocolError } from '../errors.ts';
import { int } from '../types/type-desc.ts';
import type { NumericArray, ValueOf } from '../types/value-of.ts';
import { codecOf } from '../values/codec.ts';
import { coerce } from '../values/coerce.ts';
import { inferType } from '../values/infer-type.ts';
import { typeMismatch } from '../values/mismatch.ts';
import { NO_ALARM, type Alarm } from './alarm.ts';
import { ndArrayValueType, ntAttribute, ntNdArray } from './nt-nd-array.ts';
import type { TimeStamp } from './time-stamp.ts';

/** The value of an NTNDArray. */
export type Image = ValueOf<typeof ntNdArray>;

/**
 * How colours lie in an image: one value a pixel (mono); red, green, blue of each pixel together (rgb1), of each row
 * (rgb2), or of the whole image (rgb3).
 */
export type ColorMode = 'mono' | 'rgb1' | 'rgb2' | 'rgb3';

/** What can be said about an image beside its pixels. */
export interface ImageOptions {
  /** 'mono' unless given. */
  readonly colorMode?: ColorMode;
  /** Number of the image; 0 unless given. */
  readonly uniqueId?: number;
  /** When the image was taken and when it was made known. */
  readonly timeStamp?: TimeStamp;
  readonly alarm?: Alarm;
}

const COLORS = 3;

/** Values of the attribute ColorMode, and the sizes of the dimensions, fastest first. */
const COLOR_MODES: Readonly<
  Record<ColorMode, { readonly number: number; readonly sizes: (width: number, height: number) => readonly number[] }>
> = {
  mono: { number: 0, sizes: (width, height) => [width, height] },
  rgb1: { number: 2, sizes: (width, height) => [COLORS, width, height] },
  rgb2: { number: 3, sizes: (width, height) => [width, COLORS, height] },
  rgb3: { number: 4, sizes: (width, height) => [width, height, COLORS] },
};

/**
 * An uncompressed image of `width` times `height` pixels, row by row, elements of whatever kind the array holds. The
 * array is not copied: leave it unchanged from then on. Throws `LocalProtocolError` when it is not of that many pixels.
 */
export function imageValue(
  width: number,
  height: number,
  pixels: NumericArray | Uint8ClampedArray | readonly boolean[],
  options: ImageOptions = {},
): Image {
  const { number, sizes } = COLOR_MODES[options.colorMode ?? 'mono'];
  const dimension = sizes(width, height);
  requirePixels(width, height, dimension, pixels.length);
  const byteCount = BigInt(ArrayBuffer.isView(pixels) ? pixels.byteLength : pixels.length);
  const empty = codecOf(ntNdArray).defaultValue();
  const time = options.timeStamp ?? empty.timeStamp;
  return {
    ...empty,
    value: pixelsValue(pixels),
    compressedSize: byteCount,
    uncompressedSize: byteCount,
    uniqueId: options.uniqueId ?? 0,
    dataTimeStamp: time,
    alarm: options.alarm ?? NO_ALARM,
    timeStamp: time,
    dimension: dimension.map((size) => ({ size, offset: 0, fullSize: size, binning: 1, reverse: false })),
    attribute: [colorModeAttribute(number)],
  };
}

function requirePixels(width: number, height: number, dimension: readonly number[], count: number): void {
  for (const [name, size] of [
    ['width', width],
    ['height', height],
  ] as const) {
    if (!Number.isInteger(size) || size < 0) throw typeMismatch(`a whole number from 0 as ${name}`, size);
  }
  const expected = dimension.reduce((product, size) => product * size, 1);
  if (count !== expected) {
    throw new LocalProtocolError(
      `${count} elements given for an image of ${dimension.join(' x ')}, ${expected} expected`,
    );
  }
}

function pixelsValue(pixels: NumericArray | Uint8ClampedArray | readonly boolean[]): Image['value'] {
  const type = pixels.length === 0 && Array.isArray(pixels) ? undefined : inferType(pixels);
  const member = ndArrayValueType.fields.find((field) => field.type === type)?.name ?? 'booleanValue';
  // The member was chosen after the kind of the array.
  return coerce(ndArrayValueType, { select: member, value: pixels }) as Image['value'];
}

function colorModeAttribute(mode: number): Image['attribute'][number] {
  return {
    ...codecOf(ntAttribute).defaultValue(),
    name: 'ColorMode',
    value: { type: int, value: mode },
    descriptor: 'Color mode',
    source: 'Driver',
  };
}
