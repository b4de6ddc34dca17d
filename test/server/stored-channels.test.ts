// Are the channels of a store served as the store has them, by one server and by several?

import { describe, expect, it } from 'vitest';
import { MemoryEngine, MemoryStore } from '../../src/channels/stores/memory-store.ts';
import { StoreError } from '../../src/channels/stores/store-error.ts';
import type { ChannelDefinition } from '../../src/config/channel-definition.ts';
import { settingsOf } from '../../src/config/stored-settings.ts';
import { parsePvFlag } from '../../src/config/pv-flag.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import { StoredChannels, type StoredChannelsOptions } from '../../src/server/stored-channels.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import { putTo } from '../support/put-to.ts';
import { watch } from '../support/watch.ts';

const clock = new ManualClock();

/** A definition as `--pv` gives it, with more said. */
function pv(text: string, more: Partial<ChannelDefinition> = {}): ChannelDefinition {
  const parsed = parsePvFlag(text);
  if (!parsed.ok) throw new Error(parsed.wrong);
  return { ...parsed.value, ...more };
}

const LIMITED = pv('lab:x=double:1', {
  control: { low: 0, high: 100, minStep: undefined, mode: 'reject' },
  alarm: { low: undefined, lowWarning: undefined, highWarning: undefined, high: 50, hysteresis: undefined },
});
const SUM = pv('lab:sum=double', {
  readOnly: true,
  computed: { expression: 'a + b', inputs: { a: 'lab:a', b: 'lab:b' }, maximizeSeverity: true },
});

interface Node extends AsyncDisposable {
  readonly channels: StoredChannels;
  readonly store: MemoryStore;
  readonly notices: string[];
  pv(name: string): SharedPV;
  value(name: string): unknown;
}

async function node(
  engine: MemoryEngine,
  definitions: readonly ChannelDefinition[] = [],
  more: StoredChannelsOptions = {},
): Promise<Node> {
  const store = new MemoryStore(engine);
  const notices: string[] = [];
  const onNotice = (level: string, text: string) => notices.push(`${level}: ${text}`);
  const channels = await StoredChannels.open(store, { definitions, clock, onNotice, ...more });
  const found = (name: string): SharedPV => {
    const channel = channels.open(name);
    if (!(channel instanceof SharedPV)) throw new Error(`no ${name}`);
    // The type of its values is not known here.
    return channel as SharedPV;
  };
  return {
    channels,
    store,
    notices,
    pv: found,
    value: (name) => found(name).state.value['value'],
    async [Symbol.asyncDispose]() {
      channels.close();
      await store.close();
    },
  };
}

describe('channels of a store', () => {
  it('begin at the time when they are made, where the store has no value of them', async () => {
    const seconds = ({ state }: SharedPV): unknown =>
      (state.value['timeStamp'] as { readonly secondsPastEpoch: bigint }).secondsPastEpoch;
    await using one = await node(new MemoryEngine(), [pv('lab:a=double:1', { persist: 'none' })]);
    const first = seconds(one.pv('lab:a'));
    await clock.advanceAsync(3_600_000);
    await one.channels.create(pv('lab:b=double:1', { persist: 'none' }));
    expect(Number(seconds(one.pv('lab:b'))) - Number(first)).toBe(3_600);
  });

  it('are those of the configuration, and those that the store has besides', async () => {
    const engine = new MemoryEngine();
    await using first = await node(engine, [pv('lab:x=double:1.5'), pv('lab:m=enum(Off|On):On')]);
    expect([...first.channels.names()].toSorted()).toEqual(['lab:m', 'lab:x']);
    await using second = await node(engine, [pv('lab:y=string:hello')]);
    expect([...second.channels.names()].toSorted()).toEqual(['lab:m', 'lab:x', 'lab:y']);
    expect(second.value('lab:x')).toBe(1.5);
    expect(second.value('lab:m')).toEqual({ index: 1, choices: ['Off', 'On'] });
    expect(first.value('lab:y')).toBe('hello');
    expect(second.channels.has('lab:z')).toBe(false);
  });

  it('have the value of the store, and not the first one of the configuration, when they are opened again', async () => {
    const engine = new MemoryEngine();
    const first = await node(engine, [pv('lab:x=double:1')]);
    await putTo(first.pv('lab:x'), { value: 42 });
    await first[Symbol.asyncDispose]();
    await using again = await node(engine, [pv('lab:x=double:7')]);
    expect(again.value('lab:x')).toBe(42);
  });

  it('take a put when the store has it, on every server, with alarm and time of the server that took it', async () => {
    const engine = new MemoryEngine();
    await using one = await node(engine, [LIMITED]);
    await using other = await node(engine, []);
    const told = watch(other.pv('lab:x'));
    await putTo(one.pv('lab:x'), { value: 60 });
    expect(one.pv('lab:x').state.value).toEqual(other.pv('lab:x').state.value);
    expect(told.values()).toEqual([60]);
    expect(other.pv('lab:x').state.value['alarm']).toMatchObject({ severity: 2 });
    await putTo(other.pv('lab:x'), { value: 40 });
    expect(one.value('lab:x')).toBe(40);
    expect(one.pv('lab:x').state.value['alarm']).toMatchObject({ severity: 0 });
  });

  describe('with hysteresis have the alarm that one server would give them', () => {
    const sticky = pv('lab:x=double:50', {
      alarm: { low: undefined, lowWarning: undefined, highWarning: undefined, high: 80, hysteresis: 10 },
    });
    const messageAt = (at: Node) => (at.pv('lab:x').state.value['alarm'] as { readonly message: string }).message;

    it('whichever takes the puts', async () => {
      const engine = new MemoryEngine();
      await using one = await node(engine, [sticky]);
      await using other = await node(engine, []);
      await putTo(one.pv('lab:x'), { value: 85 });
      await putTo(other.pv('lab:x'), { value: 75 });
      expect([one, other].map(messageAt)).toEqual(['HIHI', 'HIHI']);
      await putTo(one.pv('lab:x'), { value: 65 });
      await putTo(other.pv('lab:x'), { value: 75 });
      expect([one, other].map(messageAt)).toEqual(['', '']);
    });

    it('also on a server that serves the channel from now on', async () => {
      const engine = new MemoryEngine();
      await using one = await node(engine, [sticky]);
      for (const value of [85, 75]) await putTo(one.pv('lab:x'), { value });
      await using late = await node(engine, []);
      await putTo(late.pv('lab:x'), { value: 74 });
      expect([one, late].map(messageAt)).toEqual(['HIHI', 'HIHI']);
    });

    it('and none that a put left behind which the store refused', async () => {
      const engine = new MemoryEngine();
      await using one = await node(engine, [sticky]);
      const write = one.store.write.bind(one.store);
      one.store.write = () => Promise.reject(new StoreError('STORE_AWAY', 'away'));
      await expect(putTo(one.pv('lab:x'), { value: 85 })).rejects.toThrow('away');
      one.store.write = write;
      await putTo(one.pv('lab:x'), { value: 75 });
      expect(messageAt(one)).toBe('');
    });
  });

  it('refuse what their limits refuse, on a server that knows the channel from the store only', async () => {
    const engine = new MemoryEngine();
    await using one = await node(engine, [LIMITED]);
    await using other = await node(engine, []);
    await expect(putTo(other.pv('lab:x'), { value: 101 })).rejects.toThrow(/outside of the limits/u);
    expect((await one.store.read('lab:x'))?.revision).toBe(0);
  });

  it('keep the alarm right when two puts are under way at once', async () => {
    const engine = new MemoryEngine();
    await using one = await node(engine, [LIMITED]);
    const x = one.pv('lab:x');
    await Promise.all([putTo(x, { value: 60 }), putTo(x, { value: 10 })]);
    expect(x.state.value).toMatchObject({ value: 10, alarm: { severity: 0 } });
    expect((await one.store.read('lab:x'))?.state.value).toMatchObject({ value: 10, alarm: { severity: 0 } });
  });

  it('keep their value when the store is away, and refuse puts', async () => {
    const engine = new MemoryEngine();
    const one = await node(engine, [pv('lab:x=double:1')]);
    await one.store.close();
    await expect(putTo(one.pv('lab:x'), { value: 2 })).rejects.toThrow(StoreError);
    expect(one.value('lab:x')).toBe(1);
    expect(one.notices).toEqual([expect.stringMatching(/^error: the store memory: is away/u)]);
    one.channels.close();
  });

  it('follow definitions and ends while they are served', async () => {
    const engine = new MemoryEngine();
    await using one = await node(engine);
    await using other = await node(engine);
    const before = one.channels.revision;
    await other.store.define({ name: 'lab:new', type: ntScalar(double), settings: settingsOf(pv('lab:new=double')) });
    expect(one.channels.has('lab:new')).toBe(true);
    const found = one.pv('lab:new');
    await other.store.destroy('lab:new');
    expect(one.channels.has('lab:new')).toBe(false);
    expect(found.isClosed).toBe(true);
    expect(one.channels.revision).toBe(before + 2);
  });

  it('are refused when the store defines them otherwise, and replaced when that is asked for', async () => {
    const engine = new MemoryEngine();
    await using one = await node(engine, [pv('lab:x=double:1', { units: 'mm' })]);
    await putTo(one.pv('lab:x'), { value: 5 });
    const inches = pv('lab:x=double:1', { units: 'inch' });
    await expect(node(engine, [inches])).rejects.toThrow(/settings\.units is "mm" in the store and "inch" here/u);
    await using other = await node(engine, [inches], { redefine: true });
    expect(other.notices).toEqual([expect.stringMatching(/^warning: .*replaced by that of --pv/u)]);
    expect(other.pv('lab:x').state.value).toMatchObject({ value: 5, display: { units: 'inch' } });
    expect(one.pv('lab:x').state.value).toMatchObject({ value: 5, display: { units: 'inch' } });
  });

  it('begin anew when the choices of an enum are redefined: an index means something else then', async () => {
    const engine = new MemoryEngine();
    await using one = await node(engine, [pv('lab:m=enum(Off|On):On')]);
    await using other = await node(engine, [pv('lab:m=enum(A|B|C)')], { redefine: true });
    expect(other.value('lab:m')).toEqual({ index: 0, choices: ['A', 'B', 'C'] });
    expect(one.value('lab:m')).toEqual({ index: 0, choices: ['A', 'B', 'C'] });
  });

  it('that cannot be served are named, and the others are served', async () => {
    const engine = new MemoryEngine();
    const store = new MemoryStore(engine);
    const type = ntScalar(double);
    await store.define({ name: 'bad:key', type, settings: { type: 'double', colour: 'red' } });
    await store.define({ name: 'bad:type', type, settings: { type: 'int' } });
    await store.define({ name: 'bad:limit', type, settings: { type: 'double', control: { low: 5, high: 1 } } });
    await using one = await node(engine, [pv('lab:x=double')]);
    expect([...one.channels.names()]).toEqual(['lab:x']);
    expect(one.notices.toSorted()).toEqual([
      expect.stringMatching(/error: channel 'bad:key' cannot be served, its settings are wrong: .*colour/u),
      expect.stringMatching(/error: channel 'bad:limit' cannot be served, its settings are wrong: .*less than low/u),
      expect.stringMatching(/error: channel 'bad:type': its stored type is not the one of its settings/u),
    ]);
  });
});

describe('what is kept', () => {
  it('is nothing of a channel with persist none', async () => {
    const engine = new MemoryEngine();
    await using one = await node(engine, [pv('lab:x=double:1', { persist: 'none' })]);
    await putTo(one.pv('lab:x'), { value: 2 });
    expect(one.value('lab:x')).toBe(2);
    const stored = await one.store.read('lab:x');
    expect([stored?.revision, stored?.state.changed.isEmpty()]).toEqual([0, true]);
  });

  it('is what is computed, only with persist all', async () => {
    const engine = new MemoryEngine();
    const inputs = [pv('lab:a=double:1'), pv('lab:b=double:2')];
    await using one = await node(engine, [SUM, ...inputs, { ...SUM, name: 'lab:all', persist: 'all' }]);
    expect([one.value('lab:sum'), one.value('lab:all')]).toEqual([3, 3]);
    await putTo(one.pv('lab:a'), { value: 10 });
    // Not more often than ten times a second.
    await clock.advanceAsync(100);
    expect((await one.store.read('lab:sum'))?.revision).toBe(0);
    expect((await one.store.read('lab:all'))?.state.value).toMatchObject({ value: 12 });
    expect(one.value('lab:all')).toBe(12);
  });

  it('a computed channel is served as long as its inputs are there', async () => {
    const engine = new MemoryEngine();
    await using one = await node(engine, [SUM, pv('lab:a=double:1'), pv('lab:b=double:2')]);
    await one.store.destroy('lab:a');
    expect([...one.channels.names()]).toEqual(['lab:b']);
    const a = pv('lab:a=double');
    await one.store.define({ name: 'lab:a', type: ntScalar(double), settings: settingsOf(a) });
    expect([...one.channels.names()].toSorted()).toEqual(['lab:a', 'lab:b', 'lab:sum']);
  });
});
