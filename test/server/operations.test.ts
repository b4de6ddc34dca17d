// Does a server answer GET, PUT, MONITOR, RPC and GET_FIELD as clients expect?
import { describe, expect, test } from 'vitest';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import { makeWorld } from '../support/server-world.ts';

const TYPE = ntScalar(double);

describe('GET', () => {
  test('answers the fields that were ever set', async () => {
    const world = await makeWorld({
      pvs: { x: new SharedPV(TYPE, { initial: { value: 4.5, alarm: { severity: 1 } } }) },
    });
    const client = await world.validated();
    const sid = await client.createChannel('x');
    const ioid = await client.init('GET', sid);
    expect(client.take('GET')).toMatchObject({ phase: 'init', ioid, subcommand: 0x08, type: TYPE });
    const reply = await client.get(sid, ioid);
    expect(reply).toMatchObject({ ioid, subcommand: 0, update: { value: { value: 4.5, alarm: { severity: 1 } } } });
    await world.clock.until(world.server.close());
    expect(world.clock.timerCount).toBe(0);
  });
});
