// Are the demo PVs worth looking at: values that fit their types, that move, and that go into alarm?

import { describe, expect, it } from 'vitest';

import { startDemo } from '../../src/cli/demo.ts';
import { formatJson, normativeKind } from '../../src/protocol/index.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';

function begin() {
  const clock = new ManualClock(1_700_000_000_000);
  const demo = startDemo(clock);
  const valueOf = (name: string): Readonly<Record<string, unknown>> => demo.pvs.get(name)?.state.value ?? {};
  return { clock, demo, valueOf };
}

describe('the demo', () => {
  it('has a PV of each kind', () => {
    const { demo } = begin();
    const kinds = [...demo.pvs].map(([name, { type }]) => [name, normativeKind(type) ?? type.id]);
    expect(kinds).toEqual([
      ['demo:sine', 'NTScalar'],
      ['demo:counter', 'NTScalar'],
      ['demo:waveform', 'NTScalarArray'],
      ['demo:enum', 'NTEnum'],
      ['demo:string', 'NTScalar'],
      ['demo:table', 'NTTable'],
      ['demo:image', 'NTNDArray'],
      ['demo:struct', 'demo/Machine:1.0'],
      ['demo:int64', 'NTScalar'],
      ['demo:slow', 'NTScalar'],
      ['demo:fast', 'NTScalar'],
      ['demo:setpoint', 'NTScalar'],
      ['demo:add', 'NTScalar'],
    ]);
    demo.stop();
  });

  it('gives each PV value, alarm and the time from the beginning', () => {
    const { demo } = begin();
    for (const [name, { state, type }] of demo.pvs) {
      expect(state.value, name).toMatchObject({
        alarm: { message: '' },
        timeStamp: { secondsPastEpoch: 1_700_000_000n },
      });
      expect(() => void JSON.parse(formatJson(type, state.value))).not.toThrow();
    }
    demo.stop();
  });

  it('gives each number limits to show it within: some tools show NaN where none was ever sent', () => {
    const { demo } = begin();
    for (const [name, { state, type }] of demo.pvs) {
      const display = type.fields.find((field) => field.name === 'display')?.type;
      if (display?.kind !== 'structure' || !display.indexOf.has('limitLow')) continue;
      const { limitLow, limitHigh } = Object(state.value['display']) as Readonly<Record<string, number | bigint>>;
      expect(Number(limitLow), name).toBeLessThan(Number(limitHigh));
    }
    demo.stop();
  });

  it('moves what moves, each at its pace, and nothing after it was stopped', () => {
    const { demo, clock } = begin();
    const changes = new Map<string, number>();
    for (const [name, pv] of demo.pvs) {
      pv.subscribe({ update: () => void changes.set(name, (changes.get(name) ?? -1) + 1), finish: () => {} });
    }
    clock.advance(10_000);
    const paces = {
      'demo:sine': 100,
      'demo:counter': 10,
      'demo:waveform': 20,
      'demo:enum': 0,
      'demo:string': 0,
      'demo:table': 10,
      'demo:image': 20,
      'demo:struct': 5,
      'demo:int64': 0,
      'demo:slow': 1,
      'demo:fast': 1_000,
      'demo:setpoint': 0,
      'demo:add': 0,
    };
    expect(Object.fromEntries(changes)).toEqual(paces);
    demo.stop();
    demo.stop();
    clock.advance(10_000);
    expect(Object.fromEntries(changes)).toEqual(paces);
    expect(clock.timerCount).toBe(0);
  });

  it('lets the sine go through all of its alarms', () => {
    const { demo, clock } = begin();
    const seen = new Set<unknown>();
    demo.pvs.get('demo:sine')?.subscribe({ update: ({ value }) => void seen.add(value['alarm']), finish: () => {} });
    clock.advance(10_000);
    const messages = [...seen].map((alarm) => /"message":"(\w*)"/u.exec(JSON.stringify(alarm))?.[1]);
    expect(new Set(messages)).toEqual(new Set(['', 'HIGH', 'HIHI', 'LOLO', 'LOW']));
    demo.stop();
  });

  it('takes every member of the union in turn', () => {
    const { demo, clock, valueOf } = begin();
    const modes = [0, 1, 2].map(() => {
      clock.advance(2_000);
      return valueOf('demo:struct')['mode'];
    });
    expect(
      modes.map((mode) => (typeof mode === 'object' && mode !== null && 'select' in mode ? mode.select : mode)),
    ).toEqual(['ramp', 'hold', 'idle']);
    demo.stop();
  });

  it('moves the spot of the image, whose size its dimensions tell', () => {
    const { demo, clock, valueOf } = begin();
    const before = valueOf('demo:image');
    clock.advance(1_000);
    const after = valueOf('demo:image');
    expect(before).toMatchObject({ dimension: [{ size: 64 }, { size: 48 }], uncompressedSize: 3_072n, uniqueId: 0 });
    expect(after).toMatchObject({ value: { select: 'ubyteValue' }, uniqueId: 2 });
    expect(after['value']).not.toEqual(before['value']);
    demo.stop();
  });
});
