// Do the messages of discovery, of a link and of its channels have the fields that the specification names, in its order?

import { describe, expect, test } from 'vitest';

import { LINK_LAYOUTS } from '../../../src/protocol/trace/link-layouts.ts';
import { SAMPLES } from '../../support/message-samples.ts';
import { layoutLine } from '../../support/trace.ts';

const OK = 'status (OK)';
const ERROR = 'status (ERROR) { message, callTree }';
const TYPE = '(structure "s", 2 fields) { a (int), b (string) }';
const CHANNEL = '{ clientChannelID, channelName }';
const SEARCHED = '{ searchInstanceID, channelName }';
const VALIDATION = 'clientReceiveBufferSize, clientIntrospectionRegistryMaxSize, connectionQos, authNZ, dataIF';

/** By who sends it and the name of its sample. Spec: Protocol-Messages; ACL_CHANGE: core-pva, AccessRightsChange.java. */
const FIELDS: Readonly<Record<string, string>> = {
  'server BEACON':
    'guid, flags, beaconSequenceId, changeCount, serverAddress, serverPort, protocol, serverStatusIF (null type)',
  'server BEACON with a status':
    `guid, flags, beaconSequenceId, changeCount, serverAddress, serverPort, protocol, serverStatusIF ${TYPE}, ` +
    'serverStatus (structure "s") { a, b }',
  'client SEARCH':
    'searchSequenceID, flags (reply required, unicast), reserved, responseAddress, responsePort, ' +
    `protocols (2 elements) { [0], [1] }, channels (2 elements) { [0] ${SEARCHED}, [1] ${SEARCHED} }`,
  'client SEARCH for every server':
    'searchSequenceID, flags (reply required), reserved, responseAddress, responsePort, protocols (0 elements), ' +
    'channels (0 elements)',
  'server SEARCH_RESPONSE':
    'guid, searchSequenceID, serverAddress, serverPort, protocol, found, searchInstanceIDs (2 elements) { [0], [1] }',
  'server SEARCH_RESPONSE that found nothing':
    'guid, searchSequenceID, serverAddress, serverPort, protocol, found, searchInstanceIDs (0 elements)',
  'client ORIGIN_TAG': 'forwarderAddress',
  'server ORIGIN_TAG': 'forwarderAddress',
  'server CONNECTION_VALIDATION request':
    'serverReceiveBufferSize, serverIntrospectionRegistryMaxSize, authNZ (2 elements) { [0], [1] }',
  'client CONNECTION_VALIDATION response, ca': `${VALIDATION} (structure, 2 fields) { user (string), host (string) }, data (structure) { user, host }`,
  'client CONNECTION_VALIDATION response, anonymous': `${VALIDATION} (null type)`,
  'server CONNECTION_VALIDATED': OK,
  'server CONNECTION_VALIDATED that refuses': ERROR,
  'client ECHO': 'somePayload (comes back as it is)',
  'server ECHO': 'somePayload (comes back as it is)',
  'client AUTHNZ without data': 'dataIF (null type)',
  'server AUTHNZ without data': 'dataIF (null type)',
  'client AUTHNZ': 'dataIF (string), data',
  'server AUTHNZ': 'dataIF (string), data',
  'client MESSAGE': 'requestID, messageType (warning), message',
  'server MESSAGE': 'requestID, messageType (warning), message',
  'server ACL_CHANGE': 'clientChannelID, accessRights (PUT, RPC)',
  'server ACL_CHANGE of another form': 'rest',
  'client CREATE_CHANNEL': `channels (2 elements) { [0] ${CHANNEL}, [1] ${CHANNEL} }`,
  'server CREATE_CHANNEL reply': `clientChannelID, serverChannelID, ${OK}`,
  'server CREATE_CHANNEL reply that refuses': `clientChannelID, serverChannelID, ${ERROR}`,
  'client DESTROY_CHANNEL': 'serverChannelID, clientChannelID',
  'server DESTROY_CHANNEL': 'serverChannelID, clientChannelID',
  'client DESTROY_REQUEST': 'serverChannelID, requestID',
  'client CANCEL_REQUEST': 'serverChannelID, requestID',
  'client GET_FIELD': 'serverChannelID, requestID, subFieldName',
  'server GET_FIELD reply': `requestID, ${OK}, subFieldIF (double)`,
  'server GET_FIELD reply that refuses': `requestID, ${ERROR}`,
};

const samples = SAMPLES.filter(({ message }) => message.command in LINK_LAYOUTS);

function lineOf(command: string, from: 'client' | 'server', body: string): string {
  const layout = LINK_LAYOUTS[command]?.[from === 'client' ? 'fromClient' : 'fromServer'];
  return layout === undefined ? 'no layout' : layoutLine(layout, body);
}

describe('the fields of a message', () => {
  test.each(samples.map(({ from, name, message, body }) => [from, name, message.command, body] as const))(
    'of a %s: %s',
    (from, name, command, body) => {
      expect(lineOf(command, from, body)).toBe(FIELDS[`${from} ${name}`]);
    },
  );

  test('end early where that is legal', () => {
    const [guid, address] = ['0102030405060708090a0b0c', '00 '.repeat(16)];
    // As the specification's own beacons, and pvAccessCPP's method "anonymous".
    expect(lineOf('BEACON', 'server', `${guid} 00 00 0000 ${address} 13d3 03 'tcp'`)).toBe(
      'guid, flags, beaconSequenceId, changeCount, serverAddress, serverPort, protocol',
    );
    expect(lineOf('CONNECTION_VALIDATION', 'client', "00004400 7fff 0000 02 'ca'")).toBe(
      'clientReceiveBufferSize, clientIntrospectionRegistryMaxSize, connectionQos, authNZ',
    );
    expect(lineOf('ECHO', 'server', '')).toBe('');
  });
});

describe('bits and codes have words', () => {
  test.each([
    ['00', 'flags'],
    ['01', 'flags (reply required)'],
    ['02', 'flags (reply to the source port)'],
    ['80', 'flags (unicast)'],
    ['83', 'flags (reply required, reply to the source port, unicast)'],
    ['04', 'flags'],
  ])('of a search: 0x%s', (flags, words) => {
    const line = lineOf('SEARCH', 'client', `00000000 ${flags} 000000 ${'00'.repeat(16)} 0000 00 0000`);
    expect(line.replace('searchSequenceID, ', '')).toBe(
      `${words}, reserved, responseAddress, responsePort, protocols (0 elements), channels (0 elements)`,
    );
  });

  test.each([
    ['00', 'read only'],
    ['01', 'PUT'],
    ['02', 'PUT_GET'],
    ['04', 'RPC'],
    ['07', 'PUT, PUT_GET, RPC'],
  ])('of access rights: 0x%s', (rights, words) => {
    expect(lineOf('ACL_CHANGE', 'server', `00000001 ${rights}`)).toBe(`clientChannelID, accessRights (${words})`);
  });

  test.each([
    ['00', 'messageType (info)'],
    ['01', 'messageType (warning)'],
    ['02', 'messageType (error)'],
    ['03', 'messageType (fatal)'],
    ['04', 'messageType'],
  ])('of a message: 0x%s', (severity, words) => {
    expect(lineOf('MESSAGE', 'server', `00000003 ${severity} 00`)).toBe(`requestID, ${words}, message`);
  });
});
