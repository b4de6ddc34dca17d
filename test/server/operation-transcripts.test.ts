// Does our server answer PUT_GET, PROCESS and ARRAY of a client on pvAccessCPP as a server on pvAccessCPP did, and does it
// still send what the C++ clients were seen to understand?

import { describe, expect, test } from 'vitest';
import { HEADER_BYTES, readHeader } from '../../src/protocol/header.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { cppPvs, pvkitPvs } from '../support/operation-pvs.ts';
import { replay } from '../support/replay.ts';
import { makeWorld } from '../support/server-world.ts';
import { isBytes, loadTranscript, operationNames, streamOf } from '../support/transcript.ts';
import { fromHex, toHex } from '../support/vectors.ts';

/** The server on pvAccessCPP offers the fields that are asked for as a type of their own; ours offers all. */
const OTHER_TYPES: readonly string[] = ['base-put-get-fields'];

/** What is for people, and what servers on pvAccessCPP do not send: access rights. */
const UNASKED: readonly string[] = ['MESSAGE', 'ACL_CHANGE'];
const ACL_CHANGE = 0x06;

/** Recordings of another client with another server. */
const BY_OTHERS = operationNames().filter((name) => /^base-(?!pvkit)/.test(name) && !OTHER_TYPES.includes(name));
const TO_PVKIT = operationNames().filter((name) => name.startsWith('base-pvkit') && !name.endsWith('segments'));

describe('recorded client bytes get an equivalent answer', () => {
  test.each([
    ...BY_OTHERS.map((name) => [name, cppPvs] as const),
    ...TO_PVKIT.map((name) => [name, pvkitPvs] as const),
  ])('%s', async (name, pvs) => {
    const { comparisons, extra, linksFaulted } = await replay(loadTranscript(name), pvs());
    expect(comparisons.length).toBeGreaterThan(5);
    expect(comparisons.map(({ what, ours }) => ({ what, answer: ours }))).toEqual(
      comparisons.map(({ what, recorded }) => ({ what, answer: recorded })),
    );
    expect(extra.map(({ command }) => command).filter((command) => !UNASKED.includes(command))).toEqual([]);
    expect(linksFaulted).toBe(0);
  });

  test('there is something to replay', () => {
    expect(BY_OTHERS).toEqual(['base-array', 'base-process', 'base-put-get']);
    expect(TO_PVKIT).toHaveLength(3);
  });
});

describe('segments that C++ clients were seen to read', () => {
  test.each([
    ['base-pvkit-segments', 24],
    ['pvxs-pvkit-segments', 50],
  ])('%s: every byte is as it was', async (name, maxSegmentBytes) => {
    const recorded = loadTranscript(name);
    const limits = { ...DEFAULT_LIMITS, maxSegmentBytes };
    const { server, host, clock } = await makeWorld({ pvs: pvkitPvs(), config: { limits } });
    const connection = await clock.until(host.connectTcp({ address: '127.0.0.1', port: server.tcpPort }));
    const heard: Uint8Array[] = [];
    connection.listen({ data: (chunk) => heard.push(Uint8Array.from(chunk)), drain: () => {}, close: () => {} });
    for (const { dir, hex } of recorded.tcp.filter(isBytes)) {
      await clock.advanceAsync(1);
      if (dir === 'c2s') connection.write(fromHex(hex));
    }
    await clock.advanceAsync(1);
    expect(messagesIn(Buffer.concat(heard))).toEqual(messagesIn(streamOf(recorded, 0, 's2c')));
    const segments = recorded.tcp
      .filter(isBytes)
      .filter(({ dir, header }) => dir === 's2c' && header.segment !== 'none');
    expect(segments.length).toBeGreaterThanOrEqual(10);
    connection.destroy();
    await clock.until(server.close());
  });
});

/** Every message and segment as hex, but for access rights, which are told apart from operations. */
function messagesIn(stream: Uint8Array): string[] {
  const messages: string[] = [];
  for (let at = 0; at < stream.length;) {
    const header = readHeader(stream, at);
    const end = at + HEADER_BYTES + (header.isControl ? 0 : header.size);
    if (header.command !== ACL_CHANGE) messages.push(toHex(stream.subarray(at, end)));
    at = end;
  }
  return messages;
}
