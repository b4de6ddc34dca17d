// Which PVs does `serve --demo` serve? One of each kind that a newcomer wants to look at, and that a client must cope with.

import type { Channel, Clock } from '../index.ts';
import type { DemoPv } from './demo-pv.ts';
import { addService, enumPv, int64Pv, setpointPv, stringPv } from './demo-writable.ts';
import { counterPv, fastPv, sinePv, slowPv, waveformPv } from './demo-signals.ts';
import { imagePv, structPv, tablePv } from './demo-structures.ts';

/** By name. All of them can be read, watched and described; `demo-writable.ts` has those that can be written. */
const DEMO: Readonly<Record<string, (clock: Clock) => DemoPv>> = {
  'demo:sine': sinePv,
  'demo:counter': counterPv,
  'demo:waveform': waveformPv,
  'demo:enum': enumPv,
  'demo:string': stringPv,
  'demo:table': tablePv,
  'demo:image': imagePv,
  'demo:struct': structPv,
  'demo:int64': int64Pv,
  'demo:slow': slowPv,
  'demo:fast': fastPv,
  'demo:setpoint': setpointPv,
  'demo:add': addService,
};

export interface Demo {
  readonly pvs: ReadonlyMap<string, Channel>;
  /** The PVs keep their last values. Idempotent. */
  stop(): void;
}

/** Makes the PVs and sets them moving. */
export function startDemo(clock: Clock): Demo {
  const pvs = new Map<string, Channel>();
  const timers = Object.entries(DEMO).flatMap(([name, make]) => {
    const { pv, everyMs, next } = make(clock);
    pvs.set(name, pv);
    if (everyMs === undefined || next === undefined) return [];
    return [clock.every(everyMs, () => pv.post(next()))];
  });
  return {
    pvs,
    stop: () => {
      for (const timer of timers) timer.cancel();
    },
  };
}
