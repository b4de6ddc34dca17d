// Which PV is a message said to be about, going by the messages before it?

import { describe, expect, it } from 'vitest';

import { DEFAULT_LIMITS } from '../../../src/protocol/limits.ts';
import type { ClientMessage, ServerMessage } from '../../../src/protocol/messages/index.ts';
import { OK } from '../../../src/protocol/status.ts';
import { ChannelNames, SearchedNames } from '../../../src/protocol/trace/channel-names.ts';

type Message = ClientMessage | ServerMessage;

/** Follows messages that all went to one port, and gives the names of the last one. */
function following(limits = DEFAULT_LIMITS, searched = new SearchedNames(limits)) {
  const names = new ChannelNames(limits, searched);
  return (...messages: readonly Message[]) => messages.map((message) => names.follow(message, 0)).at(-1);
}

const search = (
  responsePort: number,
  ...names: readonly (readonly [instanceId: number, pvName: string])[]
): Message => ({
  command: 'SEARCH',
  sequenceId: 1,
  flags: 0,
  responseAddress: '::',
  responsePort,
  protocols: ['tcp'],
  names: names.map(([instanceId, pvName]) => ({ instanceId, pvName })),
});
const found = (...instanceIds: readonly number[]): Message => ({
  command: 'SEARCH_RESPONSE',
  guid: '000000000000000000000000',
  sequenceId: 1,
  serverAddress: '::',
  serverPort: 5075,
  protocol: 'tcp',
  found: true,
  instanceIds,
});
const create = (cid: number, pvName: string): Message => ({ command: 'CREATE_CHANNEL', channels: [{ cid, pvName }] });
const created = (cid: number, sid: number): Message => ({ command: 'CREATE_CHANNEL', cid, sid, status: OK });
const ask = (sid: number, ioid: number): Message => ({ command: 'GET', phase: 'exec', sid, ioid, subcommand: 0 });
const answer = (ioid: number): Message => ({
  command: 'GET',
  phase: 'exec',
  ioid,
  subcommand: 0,
  status: OK,
  update: null,
});

describe('the PVs of a search', () => {
  it('are those that it names, and those that a response found by TCP', () => {
    const namesOf = following();
    expect(namesOf(search(0, [1, 'a'], [2, 'b']))).toEqual(['a', 'b']);
    expect(namesOf(found(2, 1))).toEqual(['b', 'a']);
    expect(namesOf(found(3, 2))).toEqual(['b']);
  });

  it('are told apart by the port that the response goes to by UDP, where ids are those of each client', () => {
    const searched = new SearchedNames(DEFAULT_LIMITS);
    // Each datagram is a conversation of its own; searches go to the port of the servers.
    const heard = (message: Message, toPort: number) =>
      new ChannelNames(DEFAULT_LIMITS, searched).follow(message, toPort);
    heard(search(40_001, [1, 'a']), 5076);
    heard(search(40_002, [1, 'b']), 5076);
    expect(heard(found(1), 40_001)).toEqual(['a']);
    expect(heard(found(1), 40_002)).toEqual(['b']);
    expect(heard(found(1), 40_003)).toEqual([]);
  });

  it('come back on the same connection by TCP, whatever port the search names', () => {
    const namesOf = following();
    expect(namesOf(search(40_001, [1, 'a']), found(1))).toEqual(['a']);
  });

  it('are remembered up to as many as a link may have channels', () => {
    const namesOf = following({ ...DEFAULT_LIMITS, maxChannelsPerLink: 2 });
    expect(namesOf(search(0, [1, 'a'], [2, 'b'], [3, 'c']), found(1, 2, 3))).toEqual(['b', 'c']);
  });
});

describe('the PV of a channel', () => {
  it('is that which it was created for, whichever id names it', () => {
    const namesOf = following();
    expect(namesOf(create(1, 'a'))).toEqual(['a']);
    expect(namesOf(created(1, 2))).toEqual(['a']);
    expect(namesOf({ command: 'DESTROY_CHANNEL', sid: 2, cid: 1 })).toEqual(['a']);
    expect(namesOf({ command: 'ACL_CHANGE', form: 'rights', cid: 1, rights: 5 })).toEqual(['a']);
    expect(namesOf(ask(2, 3))).toEqual(['a']);
    expect(namesOf(answer(3))).toEqual(['a']);
  });

  it('is not known by an id of the other kinds', () => {
    const namesOf = following();
    namesOf(create(1, 'a'), created(1, 2), ask(2, 3));
    expect(namesOf({ command: 'ACL_CHANGE', form: 'rights', cid: 2, rights: 5 })).toEqual([]);
    expect(namesOf(created(4, 4))).toEqual([]);
    expect(namesOf(ask(1, 5))).toEqual([]);
    expect(namesOf(answer(2))).toEqual([]);
  });

  it('is not that which had an id before, when the id went to one whose name was not heard', () => {
    const namesOf = following();
    namesOf(create(1, 'a'), created(1, 2), ask(2, 3));
    expect(namesOf(ask(9, 3), answer(3))).toEqual([]);
    expect(namesOf(created(8, 2), ask(2, 4))).toEqual([]);
  });

  it('is of no concern to messages without an id', () => {
    const namesOf = following();
    namesOf(create(1, 'a'), created(1, 2));
    expect(namesOf({ command: 'ECHO', payload: new Uint8Array(0) })).toEqual([]);
  });

  it('is remembered up to as many channels and operations as a link may have', () => {
    const namesOf = following({ ...DEFAULT_LIMITS, maxChannelsPerLink: 2, maxOperationsPerLink: 1 });
    for (const id of [1, 2, 3]) namesOf(create(id, `pv${id}`), created(id, id));
    expect([1, 2, 3].map((id) => namesOf(ask(id, id)))).toEqual([[], ['pv2'], ['pv3']]);
    expect([1, 2, 3].map((id) => namesOf(answer(id)))).toEqual([[], [], ['pv3']]);
    expect(namesOf({ command: 'ACL_CHANGE', form: 'rights', cid: 1, rights: 5 })).toEqual([]);
  });
});
