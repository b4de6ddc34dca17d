// Does our client still send, to the last byte, what a server on pvAccessCPP or pvxs was seen to accept in PUT_GET, PROCESS
// and ARRAY and in segments, and does it understand the answers?

import { describe, expect, test } from 'vitest';
import { Context } from '../../src/client/context.ts';
import type { ClientNotice } from '../../src/client/notices.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { MemoryNetwork } from '../../src/transport/memory-network.ts';
import { clientConfig } from '../support/client-world.ts';
import { playLockstep } from '../support/lockstep.ts';
import { callEverything, callInSegments } from '../support/operation-script.ts';
import { isBytes, loadTranscript } from '../support/transcript.ts';
import { toHex } from '../support/vectors.ts';

const NO_ALARM = { severity: 0, status: 0, message: '' };
const NO_TIME = { secondsPastEpoch: 0n, nanoseconds: 0, userTag: 0 };

type Script = typeof callEverything;

async function play(name: string, script: Script, maxSegmentBytes = DEFAULT_LIMITS.maxSegmentBytes) {
  const clock = new ManualClock();
  const host = new MemoryNetwork({ clock }).host('host');
  const recorded = loadTranscript(name);
  const lockstep = await playLockstep(host, recorded);
  const context = new Context({
    network: host,
    clock,
    config: clientConfig({ EPICS_PVA_AUTO_ADDR_LIST: 'NO' }),
    identity: { user: 'root', host: 'testhost' },
    limits: { ...DEFAULT_LIMITS, maxSegmentBytes },
  });
  const notices: ClientNotice[] = [];
  context.onNotice((notice) => notices.push(notice));
  const outcomes = await clock.until(script(context, lockstep.address), 60_000);
  await context.close();
  await clock.advanceAsync(100);
  expect(toHex(lockstep.sent)).toBe(toHex(lockstep.expected));
  return { outcomes, notices, recorded, refused: (what: string) => `refused by ${lockstep.address}: ${what}` };
}

describe('with the recorded server on pvAccessCPP', () => {
  test('all forms of PUT_GET, PROCESS and ARRAY', async () => {
    const { outcomes, notices, refused } = await play('pvkit-base-operations', callEverything);
    expect(outcomes).toEqual([
      ['put-get of one field', { value: 42, processed: 1 }],
      ['put-get of several', { value: 8, processed: 2, descriptor: 'new', alarm: NO_ALARM, timeStamp: NO_TIME }],
      ['put-get of the present value', { value: 18 }],
      ['put-get that is refused', `cpp:broken: PUT_GET ${refused('the device is broken')}`],
      ['process', undefined],
      ['process that is refused', `cpp:broken: PROCESS ${refused('the device is broken')}`],
      ['process of what cannot', `cpp:wave: PROCESS INIT ${refused('nothing to process')}`],
      ['all elements', Float64Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9)],
      ['a part', Float64Array.of(2, 3, 4)],
      ['every third', Float64Array.of(1, 4, 7)],
      ['length', 10],
      ['put past the end', undefined],
      ['put every other', undefined],
      ['what is there then', Float64Array.of(-1, 1, -2, 3, -3, 5, 6, 7, 80, 90, 100)],
      ['shorter', undefined],
      ['what is left', Float64Array.of(-1, 1, -2, 3)],
      ['too long', `cpp:wave: ARRAY set length ${refused('too long')}`],
      ['beyond the end', `cpp:wave: ARRAY get ${refused('offset past the end')}`],
      ['three at once', [Float64Array.of(-1), 4, Float64Array.of(3)]],
      ['strings', ['b', 'c']],
      ['put of a string', undefined],
      ['strings then', ['a', 'b', 'c', '', 'z']],
      ['put into a bounded array', undefined],
      ['put past its bound', `cpp:wave: ARRAY put ${refused('too many')}`],
      ['the bounded array', Int32Array.of(1, 2, 3)],
      ['no such array', `cpp:wave: ARRAY INIT ${refused('no array nosuch')}`],
      ['close', 'closed'],
    ]);
    expect(notices.filter(({ kind }) => kind === 'serverMessage')).toMatchObject([
      { level: 'warning', pvName: 'cpp:broken', text: 'cpp:broken: processed in vain' },
    ]);
  });

  test('puts in segments of 16 bytes', async () => {
    const { outcomes, recorded } = await play('pvkit-base-segments', callInSegments, 16);
    expect(outcomes).toMatchObject([
      ['put of ten elements', undefined],
      ['ten elements', Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)],
      ['close', undefined],
      ['put-get', { value: 8, descriptor: 'a text that takes segments' }],
    ]);
    const segments = recorded.tcp
      .filter(isBytes)
      .filter(({ dir, header }) => dir === 'c2s' && header.segment !== 'none');
    expect(segments.length).toBeGreaterThan(10);
  });
});

describe('with the recorded server on pvxs', () => {
  test('puts and calls in segments of 20 bytes', async () => {
    const { outcomes } = await play('pvkit-pvxs-segments', callPvxs, 20);
    expect(outcomes).toMatchObject([
      ['put', undefined],
      ['get', { value: Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10) }],
      ['rpc', { value: { query: { a: 'x'.repeat(100), b: 3 } } }],
    ]);
  });
});

async function callPvxs(context: Context, server: string): Promise<readonly (readonly [string, unknown])[]> {
  return [
    ['put', await context.put('x:big', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], { server })],
    ['get', await context.get('x:big', { server })],
    ['rpc', await context.rpc('x:echo', { a: 'x'.repeat(100), b: 3 }, { server })],
  ];
}
