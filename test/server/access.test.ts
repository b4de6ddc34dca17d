// Does a server let each client do what the rules allow it, tell it what that is, and nothing more?
import { describe, expect, test } from 'vitest';
import type { Access } from '../../src/channels/access/access.ts';
import { AccessRules } from '../../src/channels/access/access-rules.ts';
import { ALL_RIGHTS } from '../../src/channels/access/rights.ts';
import type { AccessRule } from '../../src/channels/access/rule.ts';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import type { Source } from '../../src/channels/source.ts';
import { ACL_PUT, ACL_PUT_GET, ACL_RPC } from '../../src/protocol/messages/acl-change.ts';
import { SEARCH_MUST_REPLY, SEARCH_UNICAST } from '../../src/protocol/messages/search.ts';
import { ntScalarArray } from '../../src/protocol/normative/nt-scalar.ts';
import { parsePvRequest } from '../../src/protocol/pv-request.ts';
import { OK, STATUS_ERROR, type Status } from '../../src/protocol/status.ts';
import { double, int, string, structure } from '../../src/protocol/types/type-desc.ts';
import { coercePartial } from '../../src/protocol/values/coerce.ts';
import { hitsLimit } from '../support/hits-limit.ts';
import { makeWorld, type World } from '../support/server-world.ts';
import type { MessageOf, WireClient } from '../support/wire-client.ts';

const TYPE = ntScalarArray(int);
const CREDENTIALS = structure({ user: string, host: string });
const EVERYTHING = ACL_PUT | ACL_PUT_GET | ACL_RPC;

/** A PV for which every operation there is succeeds. */
function makePv(): SharedPV<typeof TYPE> {
  return SharedPV.mailbox(TYPE, {
    initial: { value: [1, 2, 3] },
    onCall: () => ({ type: double, value: 5 }),
    onProcess: () => undefined,
  });
}

async function clientOf(world: World, user: string, host = 'ws1'): Promise<WireClient> {
  const client = await world.connect();
  await client.validate('ca', { type: CREDENTIALS, value: { user, host } });
  client.heard.length = 0;
  return client;
}

function worldWith(rules: readonly AccessRule[], pvNames: readonly string[] = ['x']): Promise<World> {
  const pvs = Object.fromEntries(pvNames.map((pvName) => [pvName, makePv()]));
  return makeWorld({ pvs, access: new AccessRules(rules) });
}

const USERS: readonly AccessRule[] = [
  { user: 'reader', allow: 'read' },
  { user: 'writer', allow: 'write' },
  { user: 'caller', allow: 'call' },
  { user: 'all', allow: 'all' },
];

interface Operation {
  readonly command: 'GET' | 'PUT' | 'PUT_GET' | 'PROCESS' | 'ARRAY' | 'RPC';
  readonly init: readonly string[];
  /** What follows INIT: by its phase, who may do it. */
  readonly phases: Readonly<Record<string, readonly string[]>>;
}

const READ = ['reader', 'writer', 'all'];
const WRITE = ['writer', 'all'];
const CALL = ['caller', 'all'];

/** Who may do what: the table of docs/access.md. */
const OPERATIONS: readonly Operation[] = [
  { command: 'GET', init: READ, phases: { exec: READ } },
  { command: 'PUT', init: READ, phases: { get: READ, exec: WRITE } },
  { command: 'PUT_GET', init: READ, phases: { getGet: READ, getPut: READ, exec: WRITE } },
  { command: 'PROCESS', init: READ, phases: { exec: WRITE } },
  { command: 'ARRAY', init: READ, phases: { get: READ, getLength: READ, put: WRITE, setLength: WRITE } },
  { command: 'RPC', init: CALL, phases: { exec: CALL } },
];

/** Sends one request of an operation and gives the status of its reply. */
async function perform(client: WireClient, sid: number, ioid: number, command: Operation['command'], phase: string) {
  const update = { type: TYPE, ...coercePartial(TYPE, { value: [4] }) };
  const head = { sid, ioid, subcommand: 0 };
  switch (`${command} ${phase}`) {
    case 'GET exec':
      await client.send({ ...head, command: 'GET', phase: 'exec' });
      break;
    case 'PUT get':
      await client.send({ ...head, command: 'PUT', phase: 'get', subcommand: 0x40 });
      break;
    case 'PUT exec':
      await client.send({ ...head, command: 'PUT', phase: 'exec', update });
      break;
    case 'PUT_GET getGet':
      await client.send({ ...head, command: 'PUT_GET', phase: 'getGet', subcommand: 0x40 });
      break;
    case 'PUT_GET getPut':
      await client.send({ ...head, command: 'PUT_GET', phase: 'getPut', subcommand: 0x80 });
      break;
    case 'PUT_GET exec':
      await client.send({ ...head, command: 'PUT_GET', phase: 'exec', update });
      break;
    case 'PROCESS exec':
      await client.send({ ...head, command: 'PROCESS', phase: 'exec' });
      break;
    case 'ARRAY get':
      await client.send({ ...head, command: 'ARRAY', phase: 'get', subcommand: 0x40, offset: 0, count: 0, stride: 1 });
      break;
    case 'ARRAY getLength':
      await client.send({ ...head, command: 'ARRAY', phase: 'getLength', subcommand: 0x04 });
      break;
    case 'ARRAY put': {
      const array = { type: TYPE.fields[0]?.type ?? double, value: Int32Array.of(7) };
      await client.send({ ...head, command: 'ARRAY', phase: 'put', offset: 0, stride: 1, array });
      break;
    }
    case 'ARRAY setLength':
      await client.send({ ...head, command: 'ARRAY', phase: 'setLength', subcommand: 0x80, length: 2 });
      break;
    case 'RPC exec':
      await client.send({ ...head, command: 'RPC', phase: 'exec', argument: null });
      break;
    default:
      throw new Error(`no request for ${command} ${phase}`);
  }
  return statusOf(client.take(command));
}

/** Data that this client has no type for came with a success: a refusal has none. */
function statusOf(reply: MessageOf<Operation['command']>): Status {
  return 'status' in reply ? reply.status : OK;
}

const REFUSED = (user: string, needs: string, has: string) => ({
  type: STATUS_ERROR,
  message: `user '${user}' on host 'ws1' at 127.0.0.1 needs ${needs} access to 'x' and has ${has}`,
  callTree: '',
});

const HAS: Readonly<Record<string, string>> = { reader: 'read', writer: 'read, write', caller: 'call', all: 'all' };

describe('what each right allows', () => {
  describe.each(['reader', 'writer', 'caller', 'all'])('%s', (user) => {
    test.each(OPERATIONS)('$command', async ({ command, init, phases }) => {
      const world = await worldWith(USERS);
      const client = await clientOf(world, user);
      const sid = await client.createChannel('x');
      for (const [phase, allowed] of Object.entries(phases)) {
        const ioid = await client.init(command, sid);
        const initStatus = statusOf(client.take(command));
        expect(initStatus.message === '', `INIT: ${initStatus.message}`).toBe(init.includes(user));
        if (initStatus.message !== '') continue;
        const { message } = await perform(client, sid, ioid, command, phase);
        expect(message === '', `${phase}: ${message}`).toBe(allowed.includes(user));
        if (message === '') continue;
        expect(message).toMatch(new RegExp(`^user '${user}' on host 'ws1' at 127\\.0\\.0\\.1 needs `, 'u'));
        expect(message).toContain(`access to 'x' and has ${HAS[user]}`);
      }
      expect(client.isClosed).toBe(false);
    });

    test('MONITOR and GET_FIELD', async () => {
      const world = await worldWith(USERS);
      const client = await clientOf(world, user);
      const sid = await client.createChannel('x');
      const ioid = await client.initMonitor(sid);
      const status = READ.includes(user) ? OK : REFUSED(user, 'read', 'call');
      expect(client.take('MONITOR')).toMatchObject({ phase: 'init', ioid, status });
      await client.send({ command: 'GET_FIELD', sid, ioid: client.newId(), subField: 'value' });
      expect(client.take('GET_FIELD')).toMatchObject({ status });
    });
  });

  test('a refused put changes nothing, and with 0x10 it ends its operation', async () => {
    const world = await worldWith(USERS);
    const client = await clientOf(world, 'reader');
    const sid = await client.createChannel('x');
    const ioid = await client.init('PUT', sid);
    client.take('PUT');
    await client.put(sid, ioid, { value: [9] }, 0x10);
    expect(client.take('PUT')).toEqual({
      command: 'PUT',
      phase: 'exec',
      ioid,
      subcommand: 0x10,
      status: REFUSED('reader', 'write', 'read'),
    });
    const { unknownIds } = world.server.counters;
    await client.put(sid, ioid, { value: [9] });
    expect(client.heard).toEqual([]);
    expect(world.server.counters.unknownIds).toBe(unknownIds + 1);
  });

  test('late requests and wrong ids are judged as ever', async () => {
    const world = await worldWith(USERS);
    const client = await clientOf(world, 'reader');
    const sid = await client.createChannel('x');
    await client.send({ command: 'GET', phase: 'exec', sid: 4711, ioid: 1, subcommand: 0 });
    await client.send({ command: 'PUT', phase: 'get', sid, ioid: 4711, subcommand: 0x40 });
    expect(client.heard).toEqual([]);
    const ioid = await client.init('GET', sid);
    await client.send({ command: 'RPC', phase: 'init', sid, ioid, subcommand: 0x08, pvRequest: parsePvRequest('') });
    expect(client.isClosed).toBe(true);
  });
});

describe('a channel', () => {
  const RULES: readonly AccessRule[] = [
    { user: 'alice', host: 'ws*', channel: 'x', allow: 'write' },
    { host: '127.0.0.0/8', channel: 'y', allow: 'read' },
    { method: 'anonymous', channel: 'z', allow: 'call' },
  ];

  test.each([
    ['alice', 'ws7', 'x', true],
    ['alice', 'home', 'x', false],
    ['bob', 'ws7', 'x', false],
    ['bob', 'home', 'y', true],
    ['bob', 'home', 'z', false],
  ])('for %s on %s to %s: %s', async (user, host, pvName, isAllowed) => {
    const world = await worldWith(RULES, ['x', 'y', 'z']);
    const client = await clientOf(world, user, host);
    const created = client.createChannel(pvName);
    if (isAllowed) await expect(created).resolves.toBeGreaterThan(0);
    else {
      await expect(created).rejects.toThrow(
        `user '${user}' on host '${host}' at 127.0.0.1 needs read, write or call access to '${pvName}' and has none`,
      );
      expect(world.notices).toContainEqual(expect.objectContaining({ kind: 'accessRefused', level: 'info' }));
    }
  });

  test('for an anonymous client', async () => {
    const world = await worldWith(RULES, ['x', 'y', 'z']);
    const client = await world.validated();
    await expect(client.createChannel('z')).resolves.toBeGreaterThan(0);
    await expect(client.createChannel('x')).rejects.toThrow(
      "user 'anonymous' at 127.0.0.1 needs read, write or call access to 'x' and has none",
    );
    await expect(client.createChannel('missing')).rejects.toThrow("there is no PV 'missing' here");
  });

  test('is not asked of a source for a client that may not use it', async () => {
    const opened: string[] = [];
    const source: Source = {
      has: (pvName) => pvName === 'made',
      open: (pvName) => {
        opened.push(pvName);
        return makePv();
      },
      names: () => [],
      revision: 0,
    };
    const access = new AccessRules([{ user: 'alice', allow: 'all' }]);
    const world = await makeWorld({ sources: [source], access });
    const nobody = await world.validated();
    await expect(nobody.createChannel('made')).rejects.toThrow("access to 'made' and has none");
    await expect(nobody.createChannel('other')).rejects.toThrow("there is no PV 'other' here");
    expect(opened).toEqual([]);
    await expect((await clientOf(world, 'alice')).createChannel('made')).resolves.toBeGreaterThan(0);
    expect(opened).toEqual(['made']);
  });

  test('a name too long to be held against patterns is not believed', async () => {
    hitsLimit('maxIdentityCharacters');
    const world = await worldWith([{ user: '*', method: 'ca', allow: 'all' }]);
    const client = await world.connect();
    const value = { user: 'a'.repeat(257), host: '' };
    const { status } = await client.validate('ca', { type: CREDENTIALS, value });
    expect(status.message).toBe('a user or host name of 257 characters, at most 256 are allowed; you are anonymous');
    await expect(client.createChannel('x')).rejects.toThrow("user 'anonymous'");
  });
});

describe('ACL_CHANGE', () => {
  test('comes before the reply to CREATE_CHANNEL, also where all is allowed', async () => {
    const world = await makeWorld({ pvs: { x: makePv() } });
    const client = await world.validated();
    await client.send({ command: 'CREATE_CHANNEL', channels: [{ cid: 77, pvName: 'x' }] });
    expect(client.heard.map(({ command }) => command)).toEqual(['ACL_CHANGE', 'CREATE_CHANNEL']);
    expect(client.take('ACL_CHANGE')).toEqual({ command: 'ACL_CHANGE', form: 'rights', cid: 77, rights: EVERYTHING });
  });

  test('does not come with a channel that is refused', async () => {
    const world = await worldWith([{ user: 'alice', allow: 'all' }]);
    const client = await world.validated();
    await client.send({ command: 'CREATE_CHANNEL', channels: [{ cid: 77, pvName: 'x' }] });
    expect(client.heard.map(({ command }) => command)).toEqual(['CREATE_CHANNEL']);
  });

  test.each([
    ['reader', 0],
    ['writer', ACL_PUT | ACL_PUT_GET],
    ['caller', ACL_RPC],
    ['all', EVERYTHING],
  ])('tells %s what the rules allow', async (user, bits) => {
    const world = await worldWith(USERS);
    const client = await clientOf(world, user);
    expect(client.rights.get(await client.createChannel('x'))).toBe(bits);
  });

  test('tells what the PV itself allows', async () => {
    const pvs = {
      readOnly: new SharedPV(TYPE),
      writable: SharedPV.mailbox(TYPE),
      service: new SharedPV(TYPE, { onCall: () => null }),
    };
    const world = await makeWorld({ pvs });
    const client = await world.validated();
    const bits = async (pvName: string) => client.rights.get(await client.createChannel(pvName));
    expect(await bits('readOnly')).toBe(0);
    expect(await bits('writable')).toBe(ACL_PUT | ACL_PUT_GET);
    expect(await bits('service')).toBe(ACL_RPC);
    expect(await bits('server')).toBe(ACL_RPC);
  });
});

describe('a search', () => {
  const RULES: readonly AccessRule[] = [
    { host: '10.0.0.0/24', channel: 'near', allow: 'read' },
    { user: 'alice', channel: 'alices', allow: 'read' },
    { channel: 'all', allow: 'read' },
  ];
  const NAMES = ['near', 'alices', 'all', 'nobodys'];

  async function found(client: WireClient): Promise<readonly number[]> {
    const names = NAMES.map((pvName, instanceId) => ({ pvName, instanceId }));
    await client.send({
      command: 'SEARCH',
      sequenceId: 1,
      flags: SEARCH_UNICAST | SEARCH_MUST_REPLY,
      responseAddress: '0.0.0.0',
      responsePort: 0,
      protocols: ['tcp'],
      names,
    });
    const { instanceIds } = client.take('SEARCH_RESPONSE');
    return instanceIds;
  }

  test('over TCP finds what the client may use', async () => {
    const world = await worldWith(RULES, NAMES);
    expect(await found(await world.validated())).toEqual([2]);
    expect(await found(await clientOf(world, 'alice'))).toEqual([1, 2]);
  });
});

describe('the PV server', () => {
  test('lists what the client may use, and may be asked by everybody', async () => {
    const world = await worldWith([{ user: 'alice', channel: 'x', allow: 'read' }], ['x', 'y']);
    const names = async (client: WireClient): Promise<unknown> => {
      const sid = await client.createChannel('server');
      const ioid = await client.init('RPC', sid);
      client.take('RPC');
      const argument = { type: structure({ op: string }), value: { op: 'channels' } };
      await client.send({ command: 'RPC', phase: 'exec', sid, ioid, subcommand: 0, argument });
      return client.take('RPC');
    };
    expect(await names(await world.validated())).toMatchObject({ result: { value: { value: [] } } });
    expect(await names(await clientOf(world, 'alice'))).toMatchObject({ result: { value: { value: ['x'] } } });
  });
});

describe('setAccess', () => {
  const only = (allow: AccessRule['allow']): Access => new AccessRules([{ user: 'alice', allow }]);

  test('tells clients what changes, and holds them to it', async () => {
    const world = await makeWorld({ pvs: { x: makePv() }, access: only('all') });
    const client = await clientOf(world, 'alice');
    const sid = await client.createChannel('x');
    const ioid = await client.init('PUT', sid);
    client.take('PUT');
    world.server.setAccess(only('read'));
    await world.settle();
    expect(client.take('ACL_CHANGE')).toMatchObject({ rights: 0 });
    await client.put(sid, ioid, { value: [5] });
    expect(client.take('PUT')).toMatchObject({ status: REFUSED('alice', 'write', 'read') });
    world.server.setAccess(only('write'));
    await world.settle();
    expect(client.take('ACL_CHANGE')).toMatchObject({ rights: ACL_PUT | ACL_PUT_GET });
    await client.put(sid, ioid, { value: [5] });
    expect(client.take('PUT')).toMatchObject({ status: OK });
    expect(client.heard).toEqual([]);
  });

  test('says nothing where nothing changes', async () => {
    const world = await makeWorld({ pvs: { x: new SharedPV(TYPE) }, access: only('read') });
    const client = await clientOf(world, 'alice');
    await client.createChannel('x');
    world.server.setAccess(only('read'));
    // Nor where the PV does not allow it either.
    world.server.setAccess(only('all'));
    await world.settle();
    expect(client.heard).toEqual([]);
    expect(world.server.access).toBeInstanceOf(AccessRules);
  });

  test('ends channels of those who may do nothing any more', async () => {
    const world = await makeWorld({ pvs: { x: makePv() }, access: only('all') });
    const client = await clientOf(world, 'alice');
    const sid = await client.createChannel('x');
    world.server.setAccess(new AccessRules([{ user: 'bob', allow: 'all' }]));
    await world.settle();
    expect(client.take('DESTROY_CHANNEL')).toMatchObject({ sid });
    await expect(client.createChannel('x')).rejects.toThrow('has none');
  });

  test('ends subscriptions of those who may not read any more, with the sentence', async () => {
    const pv = makePv();
    const world = await makeWorld({ pvs: { x: pv }, access: only('all') });
    const client = await clientOf(world, 'alice');
    const sid = await client.createChannel('x');
    const [running, stopped] = [await client.initMonitor(sid), await client.initMonitor(sid)];
    await client.steer(sid, running, 0x44);
    client.heard.length = 0;
    world.server.setAccess(only('call'));
    await world.settle();
    const final = { phase: 'final', subcommand: 0x10, status: REFUSED('alice', 'read', 'call'), update: null };
    expect(client.take('MONITOR')).toMatchObject({ ioid: running, ...final });
    pv.post({ value: [6] });
    await world.settle();
    expect(client.takeAll('MONITOR')).toEqual([]);
    // One that is stopped hears of it when it is started, as of any other end.
    await client.steer(sid, stopped, 0x44);
    expect(client.take('MONITOR')).toMatchObject({ ioid: stopped, ...final });
    expect(pv.subscriberCount).toBe(0);
  });

  test('lets finish what is under way', async () => {
    let finish: () => void = () => undefined;
    const pv = new SharedPV(TYPE, { onPut: () => new Promise<void>((resolve) => (finish = resolve)) });
    const world = await makeWorld({ pvs: { x: pv }, access: only('all') });
    const client = await clientOf(world, 'alice');
    const sid = await client.createChannel('x');
    const ioid = await client.init('PUT', sid);
    client.take('PUT');
    await client.put(sid, ioid, { value: [5] });
    world.server.setAccess(only('read'));
    finish();
    await world.settle();
    expect(client.take('PUT')).toMatchObject({ status: OK });
  });
});

describe('a function that decides', () => {
  test('is asked for each channel with the peer and the name', async () => {
    const asked: unknown[] = [];
    const world = await makeWorld({
      pvs: { x: makePv() },
      access: ({ user, host, address, method }, pvName) => {
        asked.push([user, host, address, method, pvName]);
        return { read: true, write: user === 'alice', call: false };
      },
    });
    const client = await clientOf(world, 'alice');
    expect(client.rights.get(await client.createChannel('x'))).toBe(ACL_PUT | ACL_PUT_GET);
    expect(asked).toEqual([['alice', 'ws1', '127.0.0.1', 'ca', 'x']]);
  });

  test('allows nothing when it throws', async () => {
    const access = (): never => {
      throw new Error('no directory');
    };
    const world = await makeWorld({ pvs: { x: makePv() }, access });
    await expect((await world.validated()).createChannel('x')).rejects.toThrow('has none');
    expect(world.notices).toContainEqual({
      kind: 'accessRules',
      level: 'error',
      text: 'the access function threw, so nothing is allowed: no directory',
    });
  });
});

describe('rules that are hardly meant', () => {
  test('are told when the server begins to listen, and when they take the place of others', async () => {
    const rules = (channel: string) => new AccessRules([{ channel, allow: 'read', origin: 'lab.toml:7' }]);
    const world = await makeWorld({ pvs: { x: makePv() }, access: rules('y*') });
    const told = () => world.notices.filter(({ kind }) => kind === 'accessRules').map(({ text }) => text);
    expect(told()).toEqual([
      'lab.toml:7: access[0].channel: names no PV of this server with "y*"',
      'access: nobody may use x: no rule is for that, and what no rule allows is not allowed',
    ]);
    world.server.setAccess(rules('x'));
    world.server.setAccess(() => ALL_RIGHTS);
    expect(told()).toHaveLength(2);
    world.server.setAccess(rules('z'));
    expect(told()).toHaveLength(4);
  });

  test('come from the configuration unless the program brings its own', async () => {
    const config = { accessRules: [{ channel: 'x', allow: 'read' as const }], accessDefault: undefined };
    const world = await makeWorld({ pvs: { x: makePv() }, config });
    const client = await world.validated();
    expect(client.rights.get(await client.createChannel('x'))).toBe(0);
    const other = await makeWorld({ pvs: { x: makePv() }, config, access: () => ALL_RIGHTS });
    const free = await other.validated();
    expect(free.rights.get(await free.createChannel('x'))).toBe(EVERYTHING);
  });
});
