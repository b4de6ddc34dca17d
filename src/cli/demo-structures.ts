// The demo PVs that are more than a number or a text: a table, an image, a structure with a union.

import { SharedPV, type Clock } from '../index.ts';
import {
  alarmType,
  any,
  arrayOf,
  boolean,
  double,
  long,
  NO_ALARM,
  ntNdArray,
  ntTable,
  string,
  structure,
  timeStamp,
  timeStampType,
  union,
} from '../protocol/index.ts';
import { moving, type DemoPv } from './demo-pv.ts';

const MS_PER_SECOND = 1_000;

// --- table -----------------------------------------------------------------------------------------------------

const MAGNETS = ['QF1', 'QD1', 'QF2', 'QD2', 'BEND'];
const AMPERES = [102.5, 98.25, 101, 99.5, 640];

export function tablePv(clock: Clock): DemoPv {
  const next = (): unknown => {
    const wobble = Math.sin(clock.now() / MS_PER_SECOND);
    return {
      value: { current: Float64Array.from(AMPERES, (ampere) => Math.round(ampere * (100 + wobble)) / 100) },
      timeStamp: timeStamp(clock.wallTime()),
    };
  };
  const pv = new SharedPV(ntTable({ magnet: string, current: double, on: boolean }), {
    initial: {
      alarm: NO_ALARM,
      labels: ['Magnet', 'Current [A]', 'On'],
      value: { magnet: MAGNETS, on: MAGNETS.map((name) => name !== 'BEND') },
      descriptor: 'magnets of a beamline that does not exist',
    },
  });
  return moving(pv, 1_000, next);
}

// --- image -----------------------------------------------------------------------------------------------------

const WIDTH = 64;
const HEIGHT = 48;
/** Pixels from the centre to where the spot is at a third of its brightness. */
const SPOT_RADIUS = 8;
const BRIGHTEST = 255;

/** A spot of light that goes round. */
export function imagePv(clock: Clock): DemoPv {
  let uniqueId = 0;
  const next = (): unknown => {
    const now = timeStamp(clock.wallTime());
    const pixels = spotAt(clock.now() / MS_PER_SECOND);
    return { value: { select: 'ubyteValue', value: pixels }, uniqueId: uniqueId++, dataTimeStamp: now, timeStamp: now };
  };
  const dimension = [WIDTH, HEIGHT].map((size) => ({ size, offset: 0, fullSize: size, binning: 1, reverse: false }));
  const bytes = BigInt(WIDTH * HEIGHT);
  const pv = new SharedPV(ntNdArray, {
    initial: { alarm: NO_ALARM, dimension, compressedSize: bytes, uncompressedSize: bytes },
  });
  return moving(pv, 500, next);
}

function spotAt(seconds: number): Uint8Array {
  const centreX = WIDTH / 2 + (WIDTH / 4) * Math.cos(seconds);
  const centreY = HEIGHT / 2 + (HEIGHT / 4) * Math.sin(seconds);
  return Uint8Array.from({ length: WIDTH * HEIGHT }, (_, index) => {
    const distance = Math.hypot((index % WIDTH) - centreX, Math.floor(index / WIDTH) - centreY) / SPOT_RADIUS;
    return Math.round(BRIGHTEST * Math.exp(-distance * distance));
  });
}

// --- structure -------------------------------------------------------------------------------------------------

const rampType = structure({ from: double, to: double, progress: double });
const eventType = structure({ secondsPastEpoch: long, what: string });
const machineType = structure('demo/Machine:1.0', {
  name: string,
  mode: union({ idle: string, hold: double, ramp: rampType }),
  position: structure({ x: double, y: double, z: double }),
  log: arrayOf(eventType),
  extra: any,
  alarm: alarmType,
  timeStamp: timeStampType,
});

const MODES = [
  { select: 'idle', value: 'nothing to do' },
  { select: 'ramp', value: { from: 0, to: 10, progress: 0.5 } },
  { select: 'hold', value: 10 },
];

/** No normative type: a union that changes its member, an array of structures, an any that changes its type. */
export function structPv(clock: Clock): DemoPv {
  let step = 0;
  const next = (): unknown => {
    const now = timeStamp(clock.wallTime());
    const mode = MODES[step % MODES.length];
    const log = MODES.map(({ select }, age) => ({
      secondsPastEpoch: now.secondsPastEpoch - BigInt(2 * age),
      what: `${select} entered`,
    }));
    const extra = step % 2 === 0 ? { type: string, value: 'some text' } : { type: arrayOf(double), value: [1, 2.5, 4] };
    const position = { x: step % 10, y: 2.5, z: -1 };
    step++;
    return { mode, log, extra, position, timeStamp: now };
  };
  return moving(new SharedPV(machineType, { initial: { alarm: NO_ALARM, name: 'stage 1' } }), 2_000, next);
}
