// Do clients of pvkit see what a server of pvkit allows them: what they find, may do, are told and are refused?

import { afterEach, describe, expect, it } from 'vitest';
import {
  AccessRules,
  Context,
  resolveClientConfig,
  resolveServerConfig,
  Server,
  SharedPV,
  type AccessRule,
  type ClientNotice,
  type MonitorEvent,
  type PutLogEntry,
} from '../../src/index.ts';
import { StatusError } from '../../src/protocol/errors.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { MemoryNetwork } from '../../src/transport/memory-network.ts';
import { MemoryProcesses } from '../support/memory-processes.ts';

const TYPE = ntScalar(double);

function makePvs() {
  return {
    'lab:a': SharedPV.mailbox(TYPE, { initial: { value: 1 } }),
    'lab:b': SharedPV.mailbox(TYPE, { initial: { value: 2 } }),
    'lab:add': new SharedPV(TYPE, { initial: { value: 0 }, onCall: () => ({ type: double, value: 3 }) }),
    'lab:readonly': new SharedPV(TYPE, { initial: { value: 4 } }),
  };
}

const RULES: readonly AccessRule[] = [
  { user: 'alice', channel: 'lab:*', allow: 'all' },
  { host: '10.0.0.2', channel: 'lab:b', allow: 'none' },
  { user: 'bob', channel: ['lab:a', 'lab:b'], allow: 'read' },
  { channel: 'lab:add', allow: 'call' },
];

describe.each([1, 2])('in memory, links in %i process(es)', (workers) => {
  async function makeWorld(rules = RULES) {
    const clock = new ManualClock();
    const network = new MemoryNetwork({ clock });
    const serverHost = network.host('server', '10.0.0.1/24');
    const puts: PutLogEntry[] = [];
    const server = new Server({
      network: serverHost,
      clock,
      processes: new MemoryProcesses(clock, serverHost),
      config: { ...resolveServerConfig({ processEnvironment: {} }), workers },
      pvs: makePvs(),
      access: new AccessRules(rules),
      onPutLog: (entry) => puts.push(entry),
    });
    await clock.until(server.listen());
    const hosts = new Map<string, ReturnType<MemoryNetwork['host']>>();
    const contextOf = (user: string, address = '10.0.0.2') => {
      const host = hosts.get(address) ?? network.host(address, `${address}/24`);
      hosts.set(address, host);
      const context = new Context({
        network: host,
        clock,
        random: () => 0,
        identity: { user, host: 'console' },
        config: resolveClientConfig({ processEnvironment: {} }),
      });
      const notices: ClientNotice[] = [];
      context.onNotice((notice) => notices.push(notice));
      return { context, notices };
    };
    const close = async (...contexts: readonly Context[]) => {
      for (const context of contexts) await context.close();
      await clock.until(server.close());
      expect(clock.timerCount).toBe(0);
    };
    return { clock, server, contextOf, puts, close };
  }

  it('a user reads, writes and calls what the rules say', async () => {
    const { clock, contextOf, puts, close } = await makeWorld();
    const { context: alice } = contextOf('alice');
    const { context: bob } = contextOf('bob');
    await clock.until(alice.put('lab:a', 5));
    expect(await clock.until(bob.get('lab:a', { type: TYPE }))).toMatchObject({ value: 5 });
    const refused = clock.until(bob.put('lab:a', 6));
    await expect(refused).rejects.toThrow(StatusError);
    await expect(refused).rejects.toThrow(
      "lab:a: PUT refused by 10.0.0.1:5075: user 'bob' on host 'console' at 10.0.0.2 needs write access to 'lab:a' and has read",
    );
    expect(await clock.until(bob.rpc('lab:add'))).toMatchObject({ value: 3 });
    await expect(clock.until(bob.get('lab:add'))).rejects.toThrow("needs read access to 'lab:add' and has call");
    expect(await clock.until(alice.get('lab:a', { type: TYPE }))).toMatchObject({ value: 5 });
    expect(puts.map(({ user, outcome }) => [user, outcome])).toEqual([
      ['alice', 'accepted'],
      ['bob', 'refused'],
    ]);
    await close(alice, bob);
  });

  it('a PV that nobody at an address may use is not found from there', async () => {
    const { clock, contextOf, close } = await makeWorld([{ host: '10.0.0.3', channel: 'lab:b', allow: 'read' }]);
    const { context: here } = contextOf('bob', '10.0.0.3');
    const { context: there } = contextOf('bob', '10.0.0.2');
    expect(await clock.until(here.get('lab:b', { type: TYPE }))).toMatchObject({ value: 2 });
    await expect(clock.until(there.get('lab:b'))).rejects.toThrow('no server answered');
    await close(here, there);
  });

  it('a PV that others at the same address may use is found, and the channel refused', async () => {
    const { clock, contextOf, close } = await makeWorld();
    const { context: bob, notices } = contextOf('bob');
    await expect(clock.until(bob.get('lab:b'))).rejects.toThrow(
      "10.0.0.1:5075 refused the channel: user 'bob' on host 'console' at 10.0.0.2 needs read, write or call access to 'lab:b' and has none",
    );
    expect(notices).toContainEqual(expect.objectContaining({ kind: 'channelRefused', pvName: 'lab:b' }));
    await close(bob);
  });

  it('info tells the rights, of the rules and of the PV', async () => {
    const { clock, contextOf, close } = await makeWorld();
    const { context: alice } = contextOf('alice');
    const { context: bob } = contextOf('bob');
    const rights = async (context: Context, pvName: string) => (await clock.until(context.info(pvName))).rights;
    expect(await rights(alice, 'lab:a')).toEqual({ put: true, putGet: true, rpc: false });
    expect(await rights(alice, 'lab:add')).toEqual({ put: false, putGet: false, rpc: true });
    expect(await rights(alice, 'lab:readonly')).toEqual({ put: false, putGet: false, rpc: false });
    expect(await rights(bob, 'lab:a')).toEqual({ put: false, putGet: false, rpc: false });
    await close(alice, bob);
  });

  it('new rules reach clients at once: a notice, a refused put, a monitor that ends', async () => {
    const { clock, server, contextOf, close } = await makeWorld();
    const { context: alice, notices } = contextOf('alice');
    const events: MonitorEvent[] = [];
    const watching = (async () => {
      for await (const event of alice.monitor('lab:a', { events: true })) events.push(event);
    })();
    // Its end is looked at below.
    watching.catch(() => undefined);
    await clock.until(alice.put('lab:a', 5));
    const rights = () => notices.filter(({ kind }) => kind === 'rightsTold').map(({ level, text }) => [level, text]);
    expect(rights()).toEqual([['debug', 'lab:a: rights at 10.0.0.1:5075: put, put-get']]);

    server.setAccess(new AccessRules([{ user: 'alice', allow: 'read' }]));
    await clock.advanceAsync(100);
    expect(rights().slice(1)).toEqual([['info', 'lab:a: rights at 10.0.0.1:5075: read-only']]);
    await expect(clock.until(alice.put('lab:a', 6))).rejects.toThrow("needs write access to 'lab:a' and has read");
    server.remove('nothing');
    expect(events.map(({ kind }) => kind)).toEqual(['connected', 'update', 'update']);

    server.setAccess(new AccessRules([{ user: 'alice', allow: 'call' }]));
    await expect(clock.until(watching)).rejects.toThrow("needs read access to 'lab:a' and has call");
    await close(alice);
  });

  it('a channel that is taken away comes back when it is allowed again, and its monitor goes on', async () => {
    const { clock, server, contextOf, close } = await makeWorld();
    const { context: bob } = contextOf('bob');
    const monitor = bob.monitor('lab:a', { events: true });
    const kinds: string[] = [];
    const watching = (async () => {
      for await (const { kind } of monitor) kinds.push(kind);
    })();
    await clock.advanceAsync(1_000);
    server.setAccess(new AccessRules([{ user: 'alice', allow: 'all' }]));
    await clock.advanceAsync(1_000);
    expect(kinds).toEqual(['connected', 'update', 'disconnected']);
    server.setAccess(new AccessRules([{ allow: 'read' }]));
    // A refused channel is searched again after some time.
    await clock.advanceAsync(60_000);
    expect(kinds.slice(3)).toEqual(['connected', 'update']);
    await monitor.close();
    await watching;
    await close(bob);
  });
});

describe('on real sockets', () => {
  const open: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const each of open.splice(0)) await each.close();
  });

  it('rules, rights and the put log', async () => {
    const environment = { EPICS_PVAS_INTF_ADDR_LIST: '127.0.0.1', EPICS_PVAS_AUTO_BEACON_ADDR_LIST: 'NO' };
    const puts: PutLogEntry[] = [];
    const server = new Server({
      config: { ...resolveServerConfig({ processEnvironment: environment }), tcpPort: 0, udpPort: 0 },
      pvs: makePvs(),
      access: new AccessRules([
        { user: 'alice', host: '127.0.0.0/8', allow: 'all' },
        { host: '127.0.0.1', channel: 'lab:a', allow: 'read' },
      ]),
      onPutLog: (entry) => puts.push(entry),
    });
    open.push(server);
    await server.listen();
    const contextOf = (user: string): Context => {
      const config = resolveClientConfig({
        processEnvironment: {
          EPICS_PVA_ADDR_LIST: '127.0.0.1',
          EPICS_PVA_AUTO_ADDR_LIST: 'NO',
          EPICS_PVA_INTF_ADDR_LIST: '127.0.0.1',
          EPICS_PVA_BROADCAST_PORT: String(server.udpPort),
        },
      });
      const context = new Context({ config, identity: { user, host: 'desk' } });
      open.unshift(context);
      return context;
    };
    const [alice, bob] = [contextOf('alice'), contextOf('bob')];
    await alice.put('lab:a', 7);
    expect((await alice.info('lab:a')).rights).toEqual({ put: true, putGet: true, rpc: false });
    expect(await bob.get('lab:a', { type: TYPE })).toMatchObject({ value: 7 });
    expect((await bob.info('lab:a')).rights).toEqual({ put: false, putGet: false, rpc: false });
    await expect(bob.put('lab:a', 8)).rejects.toThrow(
      "user 'bob' on host 'desk' at 127.0.0.1 needs write access to 'lab:a' and has read",
    );
    // Somebody else on this host might be alice: so it is found.
    await expect(bob.get('lab:b', { timeoutMs: 500 })).rejects.toThrow("access to 'lab:b' and has none");
    expect(puts).toMatchObject([
      { user: 'alice', outcome: 'accepted', changed: [{ field: 'value', old: 1, new: 7 }] },
      { user: 'bob', outcome: 'refused', changed: [{ field: 'value', old: 7, new: 8 }] },
    ]);
  });
});
