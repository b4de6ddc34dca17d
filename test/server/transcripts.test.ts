// Does our server answer recorded clients as the recorded server did?
import { describe, expect, test } from 'vitest';
import { msgpack } from '../../src/protocol/codecs/msgpack.ts';
import { datagramMessagesOf, loadTranscript, transcriptNames } from '../support/transcript.ts';
import { replay } from '../support/replay.ts';
import { searchAgain } from '../support/replay-search.ts';

/** pvAccessCPP's server answers an unknown field with a structure without fields; as pvxs does, ours refuses it. */
const REFUSED_HERE: readonly string[] = ['base-ts-bad-field', 'pvxs-ts-bad-field'];

/** What the recorded client did not wait for, or the recorded server did not say before its end. */
const UNHEARD: Readonly<Record<string, readonly string[]>> = {
  'base-info': ['DESTROY_CHANNEL'],
  // Its PV was closed and stayed so: the recorded server left INIT pending.
  'pvxs-channel-closed': ['MONITOR'],
};

/** What the C++ servers do not send and their clients skip: sentences for people, and rights as core-pva tells them. */
const UNASKED: readonly string[] = ['MESSAGE', 'ACL_CHANGE'];

const WITH_TCP = transcriptNames().filter((name) => loadTranscript(name).connections.length > 0);

describe('recorded client bytes get an equivalent answer', () => {
  test.each(WITH_TCP.filter((name) => !REFUSED_HERE.includes(name)))('%s', async (name) => {
    const { comparisons, extra, linksFaulted } = await replay(loadTranscript(name));
    expect(comparisons.map(({ what, ours }) => ({ what, answer: ours }))).toEqual(
      comparisons.map(({ what, recorded }) => ({ what, answer: recorded })),
    );
    const unasked = extra.map(({ command }) => command).filter((command) => !UNASKED.includes(command));
    expect(unasked).toEqual(UNHEARD[name] ?? []);
    expect(linksFaulted).toBe(0);
  });

  test.each(WITH_TCP.filter((name) => !REFUSED_HERE.includes(name)))('%s, as MessagePack', async (name) => {
    const { comparisons, extra, linksFaulted } = await replay(loadTranscript(name), undefined, msgpack);
    // Headers are big endian there, whatever they were in the recording.
    const others = comparisons.filter(({ what }) => what !== 'SET_BYTE_ORDER');
    expect(others.map(({ what, ours }) => ({ what, answer: ours }))).toEqual(
      others.map(({ what, recorded }) => ({ what, answer: recorded })),
    );
    const unasked = extra.map(({ command }) => command).filter((command) => !UNASKED.includes(command));
    expect(unasked).toEqual(UNHEARD[name] ?? []);
    expect(linksFaulted).toBe(0);
  });

  test.each(REFUSED_HERE)('%s: a pvRequest that selects nothing is refused', async (name) => {
    const { comparisons, linksFaulted } = await replay(loadTranscript(name));
    const init = comparisons.find(({ what }) => what === 'GET testCounter');
    expect(init?.ours).toMatchObject({ phase: 'init', isSuccess: false });
    expect(linksFaulted).toBe(0);
  });

  const WITH_SEARCH = transcriptNames().filter((name) =>
    datagramMessagesOf(loadTranscript(name)).some(({ message }) => message?.command === 'SEARCH'),
  );

  test.each(WITH_SEARCH)('%s: searches', async (name) => {
    const { comparisons } = await searchAgain(loadTranscript(name));
    expect(comparisons.length).toBeGreaterThan(0);
    expect(comparisons.map(({ ours }) => ours)).toEqual(comparisons.map(({ expected }) => expected));
  });

  test('there is something to replay', () => {
    expect(WITH_TCP.length).toBeGreaterThan(100);
    expect(WITH_SEARCH.length).toBeGreaterThan(100);
  });
});
