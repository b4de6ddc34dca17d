// Can clients create, describe and destroy channels while a server runs, as far as they may, and what do others see of it?

import { describe, expect, test } from 'vitest';
import { AccessRules } from '../../src/channels/access/access-rules.ts';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import { MemoryEngine, MemoryStore } from '../../src/channels/stores/memory-store.ts';
import { StoreError } from '../../src/channels/stores/store-error.ts';
import { parsePvFlag } from '../../src/config/pv-flag.ts';
import type { ChannelDefinition } from '../../src/config/channel-definition.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { arrayOf, double, int, string, structure } from '../../src/protocol/types/type-desc.ts';
import { ChannelManager } from '../../src/server/channel-manager.ts';
import type { PutLogEntry } from '../../src/server/put-log.ts';
import type { ServerOptions } from '../../src/server/server.ts';
import { StoredChannels } from '../../src/server/stored-channels.ts';
import { hitsLimit } from '../support/hits-limit.ts';
import { ManageClient, plainArguments, uriArguments } from '../support/manage-client.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { makeWorld } from '../support/server-world.ts';

const OPEN = new AccessRules([], { otherwise: ['all', 'manage'] });

function pv(text: string): ChannelDefinition {
  const parsed = parsePvFlag(text);
  if (!parsed.ok) throw new Error(parsed.wrong);
  return parsed.value;
}

interface Options extends Omit<ServerOptions, 'config'> {
  readonly store?: MemoryStore;
  readonly configured?: readonly ChannelDefinition[];
  readonly maxCreatedChannels?: number;
}

async function makeManaged(options: Options = {}) {
  const { store = new MemoryStore(), configured = [], maxCreatedChannels = 100, access = OPEN, ...more } = options;
  const entries: PutLogEntry[] = [];
  const world = await makeWorld({ access, onPutLog: (entry) => entries.push(entry), ...more });
  const { clock, server, settle } = world;
  const channels = await StoredChannels.open(store, { definitions: configured, clock });
  server.addSource(channels);
  const limits = { ...DEFAULT_LIMITS, maxCreatedChannels };
  server.manage(new ChannelManager({ channels, configured, limits }));
  const client = await world.validated();
  const manage = await ManageClient.open(client, settle);
  const names = async (): Promise<string[]> => {
    const found: string[] = [];
    for await (const { definition } of store.scan()) found.push(definition.name);
    return found.toSorted();
  };
  return { ...world, store, channels, client, manage, entries, names };
}

async function valueOf(world: Awaited<ReturnType<typeof makeManaged>>, name: string): Promise<unknown> {
  const { client } = world;
  const sid = await client.createChannel(name);
  const ioid = await client.init('GET', sid, 'field(value)');
  client.take('GET');
  const reply = await client.get(sid, ioid);
  const value: unknown = reply.phase === 'exec' ? reply.update?.value : undefined;
  return typeof value === 'object' && value !== null && 'value' in value ? { value: value.value } : value;
}

describe('op=create', () => {
  test.each([
    ['plain', plainArguments],
    ['in an NTURI', uriArguments],
  ])('makes a channel that clients read and write at once (%s)', async (_, args) => {
    const world = await makeManaged();
    const { manage, client, names } = world;
    const created = await manage.call(args({ op: 'create', name: 'lab:x', type: 'double', value: '21.5' }));
    expect(created).toMatchObject({ name: 'lab:x', type: 'double', settings: '{}', origin: 'created' });
    expect(JSON.parse(String(created['schema']))).toMatchObject({
      title: 'lab:x',
      'x-pva-id': 'epics:nt/NTScalar:1.0',
    });
    expect(await valueOf(world, 'lab:x')).toEqual({ value: 21.5 });
    const sid = await client.createChannel('lab:x');
    const ioid = await client.init('PUT', sid, 'field(value)');
    client.take('PUT');
    await client.put(sid, ioid, { value: 3 });
    expect(client.take('PUT')).toMatchObject({ status: { message: '' } });
    expect(await valueOf(world, 'lab:x')).toEqual({ value: 3 });
    expect(await names()).toEqual(['lab:x']);
    expect(world.server.names()).toEqual(['lab:x']);
  });

  test.each([
    ['a number', double, 2.5, 'double', { value: 2.5 }],
    ['a number for text', int, 7, 'long', { value: 7n }],
    [
      'an array',
      arrayOf(double),
      Float64Array.of(1, Number.NaN),
      'double[]',
      { value: Float64Array.of(1, Number.NaN) },
    ],
    ['texts with commas', arrayOf(string), ['a,b', 'c'], 'string[]', { value: ['a,b', 'c'] }],
    ['an index of a choice', int, 1, 'enum(Off|On)', { value: { index: 1, choices: ['Off', 'On'] } }],
    [
      'a structure',
      structure({ x: double }),
      { x: 4 },
      '{"kind":"structure","id":"","fields":[{"name":"value","type":{"kind":"structure","id":"","fields":[{"name":"x","type":"double"}]}}]}',
      { value: { x: 0 } },
    ],
  ] as const)('takes a first value as %s', async (what, valueType, value, type, expected) => {
    const world = await makeManaged();
    const isStructure = what === 'a structure';
    await world.manage.call({
      type: structure({
        op: string,
        name: string,
        type: string,
        value: isStructure ? structure({ value: valueType }) : valueType,
      }),
      value: { op: 'create', name: 'lab:x', type, value: isStructure ? { value } : value },
    });
    expect(await valueOf(world, 'lab:x')).toEqual(isStructure ? { value: { x: 4 } } : expected);
  });

  test('takes the settings of a configuration file', async () => {
    const world = await makeManaged();
    const settings = JSON.stringify({ units: 'C', control: { low: 0, high: 10 }, read_only: false });
    await world.manage.call({ op: 'create', name: 'lab:x', type: 'double', settings });
    const { client } = world;
    const sid = await client.createChannel('lab:x');
    const ioid = await client.init('PUT', sid);
    client.take('PUT');
    await client.put(sid, ioid, { value: 11 });
    expect(client.take('PUT')).toMatchObject({ status: { message: expect.stringContaining('11') as unknown } });
    const described = await world.manage.call({ op: 'describe', name: 'lab:x' });
    expect(JSON.parse(String(described['settings']))).toEqual({ units: 'C', control: { low: 0, high: 10 } });
  });

  test('makes exactly the structure of a JSON Schema, with its defaults under the value that is given', async () => {
    const world = await makeManaged();
    const schema = JSON.stringify({
      properties: { p: { type: 'number', default: 2.5 }, n: { type: 'integer', format: 'int16', default: 7 } },
    });
    await world.manage.call({ op: 'create', name: 'lab:m', schema, value: '{"n": 8}' });
    const { client } = world;
    const sid = await client.createChannel('lab:m');
    const ioid = await client.init('GET', sid);
    expect(client.take('GET')).toMatchObject({ type: { id: '', fields: [{ name: 'p' }, { name: 'n' }] } });
    expect(await client.get(sid, ioid)).toMatchObject({ update: { value: { p: 2.5, n: 8 } } });
  });

  test.each([
    [{ type: 'double' }, "the argument 'name' is missing; expected a PV name"],
    [{ name: '', type: 'double' }, "the argument 'name': is empty; expected a PV name"],
    [{ name: 'x'.repeat(501), type: 'double' }, "the argument 'name': has 501 bytes; a PV name has at most 500"],
    [{ name: 'a\u0007b', type: 'double' }, 'holds white space or control characters'],
    [{ name: 'a b', type: 'double' }, 'holds white space or control characters'],
    [{ name: 'server', type: 'double' }, "'server' is the PV of the server itself"],
    [{ name: 'own:pv', type: 'double' }, "channel 'own:pv' cannot be created: the name is taken"],
    [{ name: 'cfg:pv', type: 'double' }, "channel 'cfg:pv' cannot be created: the name is taken"],
    [{ name: 'x' }, "the argument 'type': is missing; expected type, such as double, or schema"],
    [{ name: 'x', type: 'doubel' }, '"doubel" is no type'],
    [{ name: 'x', type: 'double', schema: '{}' }, "the argument 'type': is said twice"],
    [{ name: 'x', type: '{"kind":"union","id":"","fields":[]}' }, 'is of kind union; a channel is a structure'],
    [{ name: 'x', type: 'double', value: 'warm' }, 'the argument \'value\': is "warm"; expected a number (double)'],
    [{ name: 'x', type: 'ubyte', value: '256' }, "the argument 'value': is 256; ubyte goes from 0 to 255"],
    [
      { name: 'x', schema: '{"type":"object","properties":{"a":{"not":{}}}}' },
      '#/properties/a/not: pvData has no type',
    ],
    [{ name: 'x', schema: '{"properties":{"a":{"type":"integer","default":"x"}}}' }, 'at #/properties/a/default: '],
    [{ name: 'x', schema: '{' }, "the argument 'schema': is no JSON"],
    [{ name: 'x', schema: ' '.repeat(2 ** 20 + 1) }, 'has 1048577 characters; at most 1048576 are read'],
    [{ name: 'x', type: `{${' '.repeat(2 ** 20)}` }, "the argument 'type': has 1048577 characters"],
    [{ name: 'x', type: 'double', settings: '[]' }, "the argument 'settings': is no JSON object"],
    [
      { name: 'x', type: 'double', settings: '{"unit":"C"}' },
      'the argument \'settings\': unit: is no key of the settings of a channel; did you mean "units"?',
    ],
    [{ name: 'x', type: 'double', settings: '{"units":5}' }, 'units: is the integer 5; expected a string'],
    [
      { name: 'x', type: 'double', settings: '{"alarm":{"hihi":1}}' },
      'alarm.hihi: is no key of alarm; expected low, low_warning, high_warning, high, hysteresis, severities',
    ],
    [
      { name: 'x', schema: '{"properties":{"a":{"type":"number"}}}', settings: '{"units":"K"}' },
      "the argument 'settings': units is for channels of one value; fields of a structure are set by its value",
    ],
    [{ name: 'x', type: 'double', settings: '{"computed":"a"}' }, 'computed is for the configuration file alone'],
    [{ name: 'x', type: 'string', settings: '{"alarm":{"high":1}}' }, 'which a channel of type string cannot have'],
    [
      { name: 'x', type: 'double', value: '1', settings: '{"persist":"none"}' },
      'cannot be kept with the setting persist',
    ],
    [{ name: 'x', typ: 'double' }, "op 'create' has no argument 'typ'; op, name, type, schema, value, settings are"],
  ])('of %j is refused', async (args, reason) => {
    const { manage, names } = await makeManaged({
      pvs: { 'own:pv': new SharedPV(ntScalar(double)) },
      configured: [pv('cfg:pv=int')],
    });
    await expect(manage.call({ op: 'create', ...args })).rejects.toThrow(reason);
    expect(await names()).toEqual(['cfg:pv']);
  });

  test('an argument that is no text is refused with its type', async () => {
    const { manage } = await makeManaged();
    const argument = { type: structure({ op: string, name: double }), value: { op: 'create', name: 1 } };
    await expect(manage.call(argument)).rejects.toThrow("the argument 'name' is of type double; text expected");
  });

  test('past the limit is refused, and possible again when one is destroyed', async () => {
    hitsLimit('maxCreatedChannels');
    const { manage } = await makeManaged({ maxCreatedChannels: 2, configured: [pv('cfg:pv=int')] });
    const create = (name: string) => manage.call({ op: 'create', name, type: 'int' });
    await create('a');
    await create('b');
    await expect(create('c')).rejects.toThrow("channel 'c': 2 channels were created, no more are allowed");
    await manage.call({ op: 'destroy', name: 'a' });
    await create('c');
  });
});

describe('creations at once', () => {
  test('come up to the limit, though a channel is served before its creation is known to be done', async () => {
    let release = (): void => undefined;
    /** Its watchers hear of a definition before it says so to whoever asked. */
    class LateStore extends MemoryStore {
      override async define(...args: Parameters<MemoryStore['define']>) {
        const outcome = await super.define(...args);
        await new Promise<void>((resolve) => (release = resolve));
        return outcome;
      }
    }
    const clock = new ManualClock();
    const channels = await StoredChannels.open(new LateStore(), { clock });
    const manager = new ChannelManager({ channels, limits: { ...DEFAULT_LIMITS, maxCreatedChannels: 2 } });
    const first = manager.create(pv('a=int'));
    await clock.advanceAsync(1);
    expect(channels.has('a')).toBe(true);
    const letFirst = release;
    const second = manager.create(pv('b=int'));
    await clock.advanceAsync(1);
    letFirst();
    release();
    expect(await Promise.all([first, second])).toHaveLength(2);
    await expect(manager.create(pv('c=int'))).rejects.toThrow('no more are allowed');
  });
});

describe('who may', () => {
  test('without access rules nobody creates or destroys, and everybody describes', async () => {
    const { manage, names } = await makeManaged({ access: new AccessRules([]), configured: [pv('cfg:pv=int')] });
    await expect(manage.call({ op: 'create', name: 'x', type: 'int' })).rejects.toThrow(
      /user 'anonymous' at 127\.0\.0\.1 needs manage access to 'x' and has read, write, call$/u,
    );
    await expect(manage.call({ op: 'destroy', name: 'cfg:pv' })).rejects.toThrow('needs manage access');
    expect(await manage.call({ op: 'describe', name: 'cfg:pv' })).toMatchObject({ type: 'int', origin: '--pv' });
    expect(await names()).toEqual(['cfg:pv']);
  });

  test('rules say so by name, and "all" does not', async () => {
    const rules = [
      { channel: 'tmp:*', allow: ['all', 'manage'] },
      { channel: 'lab:*', allow: 'all' },
      { channel: 'box:*', allow: 'manage' },
    ] as const;
    const { manage, client } = await makeManaged({ access: new AccessRules(rules) });
    await manage.call({ op: 'create', name: 'tmp:x', type: 'int' });
    await expect(manage.call({ op: 'create', name: 'lab:x', type: 'int' })).rejects.toThrow(
      "needs manage access to 'lab:x' and has read, write, call",
    );
    await expect(manage.call({ op: 'create', name: 'x', type: 'int' })).rejects.toThrow("to 'x' and has none");
    // The right to create is none to use.
    await manage.call({ op: 'create', name: 'box:x', type: 'int' });
    await expect(manage.call({ op: 'describe', name: 'box:x' })).rejects.toThrow('needs read access');
    await expect(client.createChannel('box:x')).rejects.toThrow('needs read, write or call access');
    expect(await manage.call({ op: 'definitions' })).toMatchObject({ value: { name: ['tmp:x'], origin: ['created'] } });
  });

  test('a function says so with `manage`', async () => {
    const access: ServerOptions['access'] = (_, name) => ({
      read: true,
      write: true,
      call: true,
      manage: name === 'x',
    });
    const { manage } = await makeManaged({ access });
    await manage.call({ op: 'create', name: 'x', type: 'int' });
    await expect(manage.call({ op: 'create', name: 'y', type: 'int' })).rejects.toThrow('needs manage access');
  });

  test('a server without a manager has nothing to create in', async () => {
    const world = await makeWorld({ access: OPEN, pvs: { 'own:pv': new SharedPV(ntScalar(double)) } });
    const manage = await ManageClient.open(await world.validated(), world.settle);
    await expect(manage.call({ op: 'create', name: 'x', type: 'int' })).rejects.toThrow('this server has no store');
    expect(await manage.call({ op: 'describe', name: 'own:pv' })).toMatchObject({ settings: '', origin: 'program' });
    await expect(manage.call({ op: 'describe', name: 'x' })).rejects.toThrow("there is no PV 'x' here");
    expect(await manage.call({ op: 'definitions' })).toMatchObject({ value: { name: [] } });
  });

  test('a PV of a program is described with a type that a channel can be created from', async () => {
    const type = ntScalar(double, { display: true });
    const { manage } = await makeManaged({ pvs: { 'own:pv': new SharedPV(type) } });
    const own = await manage.call({ op: 'describe', name: 'own:pv' });
    const copy = await manage.call({ op: 'create', name: 'copy', type: String(own['type']) });
    expect(copy['type']).toBe(own['type']);
  });

  test('the put log has what was done and what was refused', async () => {
    const { manage, entries } = await makeManaged({
      access: new AccessRules([{ channel: 'tmp:*', allow: ['all', 'manage'] }]),
    });
    await manage.call({ op: 'create', name: 'tmp:x', type: 'double', value: '2' });
    await manage.call({ op: 'destroy', name: 'tmp:x' });
    await expect(manage.call({ op: 'create', name: 'lab:x', type: 'int' })).rejects.toThrow('needs manage access');
    await expect(manage.call({ op: 'destroy', name: 'tmp:x' })).rejects.toThrow('there is no channel');
    const base = { user: 'anonymous', host: '', address: '127.0.0.1', method: 'anonymous' };
    expect(entries).toMatchObject([
      {
        ...base,
        operation: 'CREATE',
        outcome: 'accepted',
        channel: 'tmp:x',
        changed: [
          { field: 'type', old: null, new: 'double' },
          { field: 'value', old: null, new: '2' },
        ],
      },
      { operation: 'DESTROY', outcome: 'accepted', changed: [{ field: 'type', old: 'double', new: null }] },
      {
        operation: 'CREATE',
        outcome: 'refused',
        channel: 'lab:x',
        reason: expect.stringContaining('manage') as unknown,
      },
      { operation: 'DESTROY', outcome: 'refused', reason: "there is no channel 'tmp:x' that was created" },
    ]);
  });
});

describe('op=destroy', () => {
  test('ends the channels of clients, with what they have under way, and answers what it was', async () => {
    const world = await makeManaged();
    const { manage, client, names } = world;
    await manage.call({ op: 'create', name: 'x', type: 'double' });
    const user = await world.validated();
    const sid = await user.createChannel('x');
    const ioid = await user.initMonitor(sid);
    await user.steer(sid, ioid, 0x44);
    user.heard.length = 0;
    expect(await manage.call({ op: 'destroy', name: 'x' })).toMatchObject({ name: 'x', type: 'double' });
    await world.settle();
    expect(user.takeAll('DESTROY_CHANNEL')).toMatchObject([{ sid }]);
    expect(user.isClosed).toBe(false);
    await expect(client.createChannel('x')).rejects.toThrow("there is no PV 'x' here");
    expect(await names()).toEqual([]);
    await manage.call({ op: 'create', name: 'x', type: 'string' });
    expect(await valueOf(world, 'x')).toEqual({ value: '' });
  });

  test.each([
    ['cfg:pv', 'it is in the configuration (--pv), and would be there again after a restart'],
    ['own:pv', "there is no channel 'own:pv' that was created"],
    ['nowhere', "there is no channel 'nowhere' that was created"],
    ['server', "'server' is the PV of the server itself"],
  ])('of %s is refused', async (name, reason) => {
    const { manage } = await makeManaged({
      pvs: { 'own:pv': new SharedPV(ntScalar(double)) },
      configured: [pv('cfg:pv=int')],
    });
    await expect(manage.call({ op: 'destroy', name })).rejects.toThrow(reason);
  });
});

/** A store that answers when it is told to. */
class SlowStore extends MemoryStore {
  readonly #waiting: (() => void)[] = [];
  fails = false;

  override async define(...args: Parameters<MemoryStore['define']>) {
    await this.#turn();
    return super.define(...args);
  }

  override async destroy(name: string): Promise<boolean> {
    await this.#turn();
    return super.destroy(name);
  }

  release(): void {
    for (const go of this.#waiting.splice(0)) go();
  }

  async #turn(): Promise<void> {
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.fails) throw new StoreError('STORE_AWAY', 'the store is away');
  }
}

describe('one name, one act at a time', () => {
  test('while a channel is being created, others that create or destroy it are told so', async () => {
    const store = new SlowStore();
    const { manage, names } = await makeManaged({ store });
    await expect(manage.call({ op: 'create', name: 'a', type: 'doubel' })).rejects.toThrow('is no type');
    const first = await manage.begin({ op: 'create', name: 'x', type: 'int' });
    await expect(manage.call({ op: 'destroy', name: 'x' })).rejects.toThrow("channel 'x' is just being created");
    await expect(manage.call({ op: 'create', name: 'x', type: 'int' })).rejects.toThrow('is just being created');
    store.release();
    await first();
    const second = await manage.begin({ op: 'destroy', name: 'x' });
    await expect(manage.call({ op: 'destroy', name: 'x' })).rejects.toThrow("channel 'x' is just being destroyed");
    await expect(manage.call({ op: 'create', name: 'x', type: 'int' })).rejects.toThrow('the name is taken');
    store.release();
    await second();
    expect(await names()).toEqual([]);
  });

  test('a store that fails leaves nothing behind, and the next attempt is free', async () => {
    const store = new SlowStore();
    const { manage, names } = await makeManaged({ store, maxCreatedChannels: 1 });
    store.fails = true;
    const failing = await manage.begin({ op: 'create', name: 'x', type: 'int' });
    store.release();
    await expect(failing()).rejects.toThrow('the store is away');
    store.fails = false;
    const working = await manage.begin({ op: 'create', name: 'x', type: 'int' });
    store.release();
    await working();
    expect(await names()).toEqual(['x']);
  });

  test('who leaves while the store works leaves a whole channel', async () => {
    const store = new SlowStore();
    const world = await makeManaged({ store });
    const leaving = await ManageClient.open(await world.validated(), world.settle);
    await expect(leaving.call({ op: 'create', name: 'a', type: '?' })).rejects.toThrow('is no type');
    await leaving.begin({ op: 'create', name: 'x', type: 'int' });
    leaving.client.connection.destroy();
    await world.settle();
    store.release();
    await world.settle();
    expect(await world.manage.call({ op: 'describe', name: 'x' })).toMatchObject({ type: 'int' });
    const end = await world.manage.begin({ op: 'destroy', name: 'x' });
    store.release();
    await end();
    expect(await world.names()).toEqual([]);
  });
});

describe('servers of one store', () => {
  test('have what one of them created, and lose what one of them destroyed, with their clients told', async () => {
    const engine = new MemoryEngine();
    const one = await makeManaged({ store: new MemoryStore(engine) });
    const two = await makeManaged({ store: new MemoryStore(engine) });
    await one.manage.call({ op: 'create', name: 'x', type: 'double', value: '1.5' });
    expect(await valueOf(two, 'x')).toEqual({ value: 1.5 });
    await expect(two.manage.call({ op: 'create', name: 'x', type: 'double' })).rejects.toThrow('the name is taken');
    two.client.heard.length = 0;
    await one.manage.call({ op: 'destroy', name: 'x' });
    await two.settle();
    expect(two.client.takeAll('DESTROY_CHANNEL')).toHaveLength(1);
    await two.manage.call({ op: 'create', name: 'x', type: 'string' });
    expect(await valueOf(one, 'x')).toEqual({ value: '' });
  });

  test('the same channel created by two at once is made once', async () => {
    const engine = new MemoryEngine();
    const stores = [new SlowStore(engine), new SlowStore(engine)] as const;
    const one = await makeManaged({ store: stores[0] });
    const two = await makeManaged({ store: stores[1] });
    for (const { manage } of [one, two])
      await expect(manage.call({ op: 'create', name: 'a', type: '?' })).rejects.toThrow('is no type');
    const first = await one.manage.begin({ op: 'create', name: 'x', type: 'double' });
    const second = await two.manage.begin({ op: 'create', name: 'x', type: 'double' });
    stores[0].release();
    stores[1].release();
    await first();
    await expect(second()).rejects.toThrow("channel 'x' is in the store already");
  });
});
