// Where does a client hear beacons: on which addresses and groups, and what becomes of what it cannot have or read?

import { describe, expect, it } from 'vitest';
import { BeaconListener } from '../../src/client/beacon-listener.ts';
import type { PortedAddress } from '../../src/config/address-list.ts';
import { encodeMessage, type ServerMessageToSend } from '../../src/protocol/messages/index.ts';
import { SEARCH_UNICAST, type Search } from '../../src/protocol/messages/search.ts';
import { Writer } from '../../src/protocol/writer.ts';
import type { Network, UdpSocket } from '../../src/transport/network.ts';
import { hitsLimit } from '../support/hits-limit.ts';
import { makeWorld, type ClientWorld } from '../support/client-world.ts';

const PORT = 5076;
const GUID = '0102030405060708090a0b0c';

function at(host: string, family: PortedAddress['family'] = 'ipv4', via?: string): PortedAddress {
  return { host, family, port: PORT, ttl: undefined, via };
}

function beacon(serverAddress = '0.0.0.0'): Uint8Array {
  const message: ServerMessageToSend = {
    command: 'BEACON',
    guid: GUID,
    flags: 0,
    sequence: 0,
    changeCount: 0,
    serverAddress,
    serverPort: 5075,
    protocol: 'tcp',
    serverStatus: null,
  };
  const writer = new Writer(false);
  encodeMessage(writer, message, { fromServer: true });
  return writer.detach(0);
}

/** A listener of the client's host, what it tells, and a socket of the other host to send from. */
async function listen(world: ClientWorld, interfaces: readonly PortedAddress[], network: Network = world.clientHost) {
  const heard: string[] = [];
  const searches: Search[] = [];
  const errors: unknown[] = [];
  const listener = new BeaconListener(network, world.clock, {
    beacon: ({ guid }, from) => heard.push(`${guid} ${from.address}`),
    search: (search) => searches.push(search),
    error: (error) => errors.push(error),
  });
  await listener.open(interfaces);
  const sender = await world.serverHost.bindUdp(
    { address: '0.0.0.0', port: 0, broadcast: true },
    { message: () => {}, error: () => {} },
  );
  sender.setMulticast('10.0.0.2', 1, false);
  const send = async (bytes: Uint8Array, address: string): Promise<void> => {
    sender.send(bytes, { address, port: PORT });
    await world.clock.advanceAsync(10);
  };
  const end = async (): Promise<void> => {
    listener.close();
    sender.close();
    await world.context.close();
  };
  return { listener, heard, searches, errors, send, end };
}

describe('beacons', () => {
  it.each([
    ['every address', at('0.0.0.0')],
    ['one address', at('10.0.0.1')],
    ['the address of a host name', at('client', 'name')],
  ])('are heard on %s', async (_where, address) => {
    const world = makeWorld();
    const { listener, heard, errors, send, end } = await listen(world, [address]);
    expect(listener.isListening).toBe(true);
    await send(beacon(), '10.0.0.1');
    expect([heard, errors]).toEqual([[`${GUID} 10.0.0.2`], []]);
    await end();
  });

  it('are heard in a group, by whoever listens to it alone', async () => {
    const world = makeWorld();
    const { heard, errors, send, end } = await listen(world, [at('224.0.2.3', 'ipv4', '10.0.0.1')]);
    await send(beacon(), '224.0.2.3');
    await send(beacon(), '224.0.2.4');
    expect([heard, errors]).toEqual([[`${GUID} 10.0.0.2`], []]);
    await end();
  });

  it('that cannot be read, or are none, are left', async () => {
    const world = makeWorld();
    const { heard, errors, send, end } = await listen(world, [at('0.0.0.0')]);
    const whole = beacon();
    await send(whole.subarray(0, 20), '10.0.0.1');
    await send(Uint8Array.of(1, 2, 3), '10.0.0.1');
    const cutInside = beacon();
    // A body that says it is shorter than what a beacon takes.
    cutInside[4] = 10;
    await send(cutInside.subarray(0, 18), '10.0.0.1');
    expect([heard, errors]).toEqual([[], []]);
    await send(whole, '10.0.0.1');
    expect(heard).toHaveLength(1);
    await end();
  });
});

describe('a beacon', () => {
  it('is heard whatever its server status is, which nobody needs', async () => {
    const world = makeWorld();
    const { heard, send, end } = await listen(world, [at('0.0.0.0')]);
    const bytes = beacon();
    // The null type stands last; this one is no type.
    bytes[bytes.length - 1] = 0x99;
    await send(bytes, '10.0.0.1');
    expect(heard).toHaveLength(1);
    await end();
  });

  it('is heard behind messages that are not meant for who listens, which are not read', async () => {
    const world = makeWorld();
    const { heard, send, end } = await listen(world, [at('0.0.0.0')]);
    // AUTHNZ, from a client and from a server, with a type that is none.
    for (const flags of [0x00, 0x40]) {
      const other = Uint8Array.of(0xca, 2, flags, 0x05, 1, 0, 0, 0, 0x99);
      await send(Uint8Array.of(...other, ...beacon()), '10.0.0.1');
    }
    expect(heard).toHaveLength(2);
    await end();
  });
});

describe('searches that were sent to one address', () => {
  const unicast: Search = {
    command: 'SEARCH',
    sequenceId: 1,
    flags: SEARCH_UNICAST,
    responseAddress: '0.0.0.0',
    responsePort: 6_000,
    protocols: ['tcp'],
    names: [{ instanceId: 1, pvName: 'x' }],
  };

  /** A network that counts what is sent into it. */
  function counting(host: Network) {
    const sent: Uint8Array[] = [];
    const network: Network = {
      interfaces: () => host.interfaces(),
      resolve: (hostName) => host.resolve(hostName),
      connectTcp: (...args) => host.connectTcp(...args),
      listenTcp: (...args) => host.listenTcp(...args),
      async bindUdp(...args) {
        const socket = await host.bindUdp(...args);
        socket.send = (bytes) => void sent.push(bytes);
        return socket;
      },
    };
    return { network, sent };
  }

  function datagramOf(count: number): Uint8Array {
    const writer = new Writer(false);
    for (let index = 0; index < count; index++) encodeMessage(writer, unicast, { fromServer: false });
    return writer.detach(0);
  }

  it('are passed on, of each datagram as many as servers answer', async () => {
    hitsLimit('maxSearchesPerDatagram');
    const world = makeWorld();
    const { network, sent } = counting(world.clientHost);
    const { send, end } = await listen(world, [at('0.0.0.0')], network);
    await send(datagramOf(3), '10.0.0.1');
    expect(sent).toHaveLength(3);
    await send(datagramOf(17), '10.0.0.1');
    expect(sent).toHaveLength(3 + 16);
    await end();
  });

  it('are passed on at a rate that the host can bear', async () => {
    hitsLimit('maxForwardRate');
    const world = makeWorld();
    const { network, sent } = counting(world.clientHost);
    const { send, end } = await listen(world, [at('0.0.0.0')], network);
    const datagram = datagramOf(16);
    // Ten milliseconds for each: 1 600 in a second, beside the thousand of a second of rest.
    for (let index = 0; index < 200; index++) await send(datagram, '10.0.0.1');
    expect(sent.length).toBeGreaterThanOrEqual(2_900);
    expect(sent.length).toBeLessThanOrEqual(3_000);
    await world.clock.advanceAsync(1_000);
    const before = sent.length;
    await send(datagram, '10.0.0.1');
    expect(sent.length - before).toBe(16);
    await end();
  });
});

describe('an address that cannot be listened to', () => {
  it('is told, and the others are heard', async () => {
    const world = makeWorld();
    const { listener, heard, errors, send, end } = await listen(world, [at('nowhere', 'name'), at('10.0.0.1')]);
    expect(errors).toHaveLength(1);
    expect(listener.isListening).toBe(true);
    await send(beacon(), '10.0.0.1');
    expect(heard).toHaveLength(1);
    await end();
  });

  it('leaves the listener deaf, when it is the only one', async () => {
    const world = makeWorld();
    const { listener, errors, end } = await listen(world, [at('nowhere', 'name')]);
    expect(errors).toHaveLength(1);
    expect(listener.isListening).toBe(false);
    await end();
  });
});

describe('a listener that is closed', () => {
  it('while it opens its ports keeps none of them', async () => {
    const world = makeWorld();
    const sockets: UdpSocket[] = [];
    const closed: UdpSocket[] = [];
    const meanwhile: (() => void)[] = [];
    const network: Network = {
      interfaces: () => world.clientHost.interfaces(),
      resolve: (hostName) => world.clientHost.resolve(hostName),
      connectTcp: (...args) => world.clientHost.connectTcp(...args),
      listenTcp: (...args) => world.clientHost.listenTcp(...args),
      async bindUdp(...args) {
        const socket = await world.clientHost.bindUdp(...args);
        sockets.push(socket);
        const close = socket.close.bind(socket);
        socket.close = () => {
          closed.push(socket);
          close();
        };
        // The user has gone meanwhile.
        for (const act of meanwhile) act();
        return socket;
      },
    };
    const listener = new BeaconListener(network, world.clock, { beacon: () => {}, error: () => {} });
    meanwhile.push(() => listener.close());
    await listener.open([at('0.0.0.0')]);
    expect(sockets).toHaveLength(1);
    expect(closed).toEqual(sockets);
    expect(listener.isListening).toBe(false);
    await world.context.close();
  });
});
