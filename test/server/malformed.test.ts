// Does a server survive everything that it must, as test/vectors/malformed.json expects, and hurt nobody else?
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import { makeWorld, type World } from '../support/server-world.ts';
import { fromHex } from '../support/vectors.ts';
import type { WireClient } from '../support/wire-client.ts';

interface Case {
  readonly name: string;
  readonly kind: string;
  readonly context?: string;
  readonly hex: string;
  readonly why: string;
  readonly expect: 'reject' | 'ignore' | 'tolerate' | 'accept';
}

// test/vectors/README.md gives the shape of the file.
const { cases } = JSON.parse(readFileSync(new URL('../vectors/malformed.json', import.meta.url), 'utf8')) as {
  readonly cases: readonly Case[];
};
const forContext = (context: string): readonly Case[] =>
  cases.filter((each) => each.kind === 'message' && each.context === context);

function makeServer(): Promise<World> {
  return makeWorld({ pvs: { 'vec:double': new SharedPV(ntScalar(double), { initial: { value: 42.5 } }) } });
}

async function answersEcho(client: WireClient): Promise<boolean> {
  if (client.isClosed) return false;
  await client.send({ command: 'ECHO', payload: fromHex('01 02 03'.replaceAll(' ', '')) });
  return client.heard.some((message) => message.command === 'ECHO' && message.payload.length === 3);
}

/** Sends the bytes on one link while another watches, and tells what came of it. */
async function outcomeOf(hex: string, isValidated: boolean) {
  const world = await makeServer();
  const other = await world.validated();
  const client = isValidated ? await world.validated() : await world.connect();
  client.heard.length = 0;
  await client.sendBytes(fromHex(hex));
  const answers = client.heard.map(({ command }) => command).filter((command) => command !== 'MESSAGE');
  const echoed = client.heard.find((message) => message.command === 'ECHO');
  const works = await answersEcho(client);
  const othersWork = await answersEcho(other);
  const reasons = world.notices.filter(({ kind }) => kind === 'linkClosed').map(({ text }) => text);
  await world.clock.until(world.server.close());
  return { answers, echoed, works, othersWork, isClosed: !works && client.isClosed, reasons };
}

describe.each([
  ['before validation', 'server-first', false],
  ['on a validated link', 'server-connected', true],
] as const)('%s', (_, context, isValidated) => {
  test.each(forContext(context).map((each) => [each.name, each] as const))('%s', async (_name, each) => {
    const outcome = await outcomeOf(each.hex, isValidated);
    expect(outcome.othersWork).toBe(true);
    switch (each.expect) {
      case 'reject':
        // Whatever is wrong, this server closes the link, with a reason that says where.
        expect(outcome.isClosed).toBe(true);
        expect(outcome.reasons).toHaveLength(1);
        expect(outcome.reasons[0]).toMatch(/client \S+: .*(offset|byte \d+ of the stream)/);
        break;
      case 'ignore':
        expect(outcome.answers).toEqual([]);
        expect(outcome.works).toBe(true);
        break;
      case 'accept':
        expect(outcome.works).toBe(true);
        expect(outcome.echoed).toMatchObject({ payload: { length: 8 } });
        break;
      case 'tolerate':
        // Either the link works or it is closed; hanging between the two is neither.
        expect(outcome.works !== outcome.isClosed).toBe(true);
        break;
    }
  });
});

describe('in a datagram', () => {
  const RESPONSE_PORT_OFFSET = 8 + 4 + 4 + 16;
  const SEARCH = 3;

  /** Puts our port into every SEARCH of the datagram, as the file asks for. */
  function withPort(bytes: Uint8Array, port: number): Uint8Array {
    for (let at = 0; at + RESPONSE_PORT_OFFSET + 2 <= bytes.length;) {
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      if (bytes[at + 3] === SEARCH) view.setUint16(at + RESPONSE_PORT_OFFSET, port, true);
      at += 8 + view.getUint32(at + 4, true);
    }
    return bytes;
  }

  test.each(forContext('udp-server').map((each) => [each.name, each] as const))('%s', async (_name, each) => {
    const world = await makeServer();
    let answerCount = 0;
    const socket = await world.host.bindUdp(
      { address: '127.0.0.1', port: 0 },
      { message: () => answerCount++, error: () => undefined },
    );
    const ignoredBefore = world.server.counters.datagramsIgnored;
    socket.send(withPort(fromHex(each.hex), socket.local.port), { address: '127.0.0.1', port: world.server.udpPort });
    await world.settle();
    if (each.expect === 'ignore') {
      expect(answerCount).toBe(0);
      expect(world.server.counters.datagramsIgnored).toBe(ignoredBefore + 1);
    } else {
      // A known message behind an unknown one is answered.
      expect(answerCount).toBe(1);
    }
    // The socket goes on: a good search is answered.
    const before = answerCount;
    const good = cases.find(({ name }) => name === 'unknown command followed by a valid SEARCH')?.hex ?? '';
    socket.send(withPort(fromHex(good.slice(20)), socket.local.port), {
      address: '127.0.0.1',
      port: world.server.udpPort,
    });
    await world.settle();
    expect(answerCount).toBe(before + 1);
    await world.clock.until(world.server.close());
    socket.close();
  });
});

test('the file has cases for every context of a server', () => {
  expect(forContext('server-first').length).toBeGreaterThan(5);
  expect(forContext('server-connected').length).toBeGreaterThan(20);
  expect(forContext('udp-server').length).toBeGreaterThan(5);
});
