// Does a put that comes after its PV has ended harm what else its client does on the same link?

import { describe, expect, test } from 'vitest';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { OK } from '../../src/protocol/status.ts';
import { any, double, structure } from '../../src/protocol/types/type-desc.ts';
import { makeWorld } from '../support/server-world.ts';

const ANYTHING = structure({ value: any });
/** Little-endian requests from a client; the command and the size come next. */
const HEAD = 'ca 02 00';

const u32 = (value: number): string => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes.toString('hex');
};
const bytesOf = (hex: string): Uint8Array => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const message = (command: string, body: string): Uint8Array =>
  bytesOf(`${HEAD} ${command} ${u32(bytesOf(body).length)} ${body}`);

/** PVs `gone` and `here`, an operation on the one that is gone, and what puts into its `any`. */
async function lateOn(command: 'PUT' | 'PUT_GET') {
  const gone = SharedPV.mailbox(ANYTHING, { initial: { value: null } });
  const here = SharedPV.mailbox(ntScalar(double), { initial: { value: 1 } });
  const world = await makeWorld({ pvs: { gone, here } });
  const client = await world.validated();
  const [sid, sidHere] = [await client.createChannel('gone'), await client.createChannel('here')];
  const ioid = await client.init(command, sid);
  const code = command === 'PUT' ? '0b' : '0c';
  const put = (value: string) => client.sendBytes(message(code, `${u32(sid)} ${u32(ioid)} 00 01 02 ${value}`));
  return { world, client, sidHere, ioid, put };
}

/** structure { a: int } with id 1, and a value of it. */
const DEFINED = 'fd 01 00 80 00 01 01 61 22 05 00 00 00';

describe.each(['PUT', 'PUT_GET'] as const)('%s to a PV that has just ended', (command) => {
  test('defines the types in it all the same: what names them later by their id is answered', async () => {
    const { world, client, sidHere, put } = await lateOn(command);
    world.server.remove('gone');
    await put(DEFINED);
    client.heard.length = 0;
    const ioid = client.newId();
    // GET INIT, whose pvRequest has the type of that id.
    await client.sendBytes(message('0a', `${u32(sidHere)} ${u32(ioid)} 08 fe 01 00 07 00 00 00`));
    expect(client.take('GET')).toMatchObject({ phase: 'init', ioid, status: OK });
    expect([client.isClosed, world.server.counters.unknownIds]).toEqual([false, 1]);
  });

  test('has no say in an operation that has its id now', async () => {
    const { world, client, sidHere, ioid, put } = await lateOn(command);
    world.server.remove('gone');
    await world.settle();
    const pvRequest = null;
    await client.send({ command: 'GET', phase: 'init', sid: sidHere, ioid, subcommand: 0x08, pvRequest });
    await client.send({ command: 'DESTROY_REQUEST', sid: sidHere, ioid });
    // The BitSet claims five bytes that are not there: whoever reads it closes the link.
    await put('ff 05');
    expect(client.isClosed).toBe(false);
  });
});
