// Which fields do the messages of discovery, of a link and of its channels have?
//
// Spec: Protocol-Messages; where peers differ from it, see the modules of messages/.

import { ACL_PUT, ACL_PUT_GET, ACL_RPC } from '../messages/acl-change.ts';
import { MESSAGE_ERROR, MESSAGE_FATAL, MESSAGE_INFO, MESSAGE_WARNING } from '../messages/message.ts';
import { SEARCH_MUST_REPLY, SEARCH_REPLY_TO_SOURCE, SEARCH_UNICAST } from '../messages/search.ts';
import { noteList, type BodyLayout, type CommandLayout } from './layout.ts';
import type { NoteTaker } from './notes.ts';
import { noteType } from './type-notes.ts';
import { noteTypeAndValue } from './value-notes.ts';

const RESERVED_BYTES = 3;
const RIGHTS_BYTES = 5;

type Bits = readonly (readonly [bit: number, word: string])[];

const SEARCH_BITS: Bits = [
  [SEARCH_MUST_REPLY, 'reply required'],
  [SEARCH_REPLY_TO_SOURCE, 'reply to the source port'],
  [SEARCH_UNICAST, 'unicast'],
];

const RIGHTS: Bits = [
  [ACL_PUT, 'PUT'],
  [ACL_PUT_GET, 'PUT_GET'],
  [ACL_RPC, 'RPC'],
];

const SEVERITIES: ReadonlyMap<number, string> = new Map([
  [MESSAGE_INFO, 'info'],
  [MESSAGE_WARNING, 'warning'],
  [MESSAGE_ERROR, 'error'],
  [MESSAGE_FATAL, 'fatal'],
]);

function wordsOf(bits: Bits): (byte: number) => string {
  return (byte) =>
    bits
      .filter(([bit]) => (byte & bit) !== 0)
      .map(([, word]) => word)
      .join(', ');
}

const beacon: BodyLayout = (note) => {
  note.guid('guid');
  note.u8('flags');
  note.u8('beaconSequenceId');
  note.u16('changeCount');
  note.address('serverAddress');
  note.u16('serverPort');
  note.string('protocol');
  if (note.reader.remaining > 0) noteTypeAndValue(note, 'serverStatusIF', 'serverStatus');
};

const validationRequest: BodyLayout = (note) => {
  note.u32('serverReceiveBufferSize');
  note.u16('serverIntrospectionRegistryMaxSize');
  noteList(
    note,
    'authNZ',
    () => note.reader.count(1),
    (name) => note.string(name),
  );
};

const validationResponse: BodyLayout = (note) => {
  note.u32('clientReceiveBufferSize');
  note.u16('clientIntrospectionRegistryMaxSize');
  note.u16('connectionQos');
  note.string('authNZ');
  if (note.reader.remaining > 0) noteTypeAndValue(note, 'dataIF', 'data');
};

const echo: BodyLayout = (note) => {
  if (note.reader.remaining > 0) note.bytes('somePayload', note.reader.remaining, 'comes back as it is');
};

const search: BodyLayout = (note) => {
  note.u32('searchSequenceID');
  note.u8('flags', wordsOf(SEARCH_BITS));
  note.bytes('reserved', RESERVED_BYTES, '');
  note.address('responseAddress');
  note.u16('responsePort');
  noteList(
    note,
    'protocols',
    () => note.reader.count(1),
    (name) => note.string(name),
  );
  noteList(
    note,
    'channels',
    () => note.reader.u16(),
    (name) =>
      note.section(name, '', () => {
        note.u32('searchInstanceID');
        note.string('channelName');
      }),
  );
};

const searchResponse: BodyLayout = (note) => {
  note.guid('guid');
  note.u32('searchSequenceID');
  note.address('serverAddress');
  note.u16('serverPort');
  note.string('protocol');
  note.boolean('found');
  noteList(
    note,
    'searchInstanceIDs',
    () => note.reader.u16(),
    (name) => note.u32(name),
  );
};

const createChannelRequest: BodyLayout = (note) => {
  noteList(
    note,
    'channels',
    () => note.reader.u16(),
    (name) =>
      note.section(name, '', () => {
        note.u32('clientChannelID');
        note.string('channelName');
      }),
  );
};

const createChannelReply: BodyLayout = (note) => {
  note.u32('clientChannelID');
  note.u32('serverChannelID');
  note.status();
};

const destroyChannel: BodyLayout = (note) => {
  note.u32('serverChannelID');
  note.u32('clientChannelID');
};

const aclChange: BodyLayout = (note) => {
  // Of a body in any other form nothing is known.
  if (note.reader.remaining !== RIGHTS_BYTES) return;
  note.u32('clientChannelID');
  note.u8('accessRights', (byte) => wordsOf(RIGHTS)(byte) || 'read only');
};

const getFieldRequest: BodyLayout = (note) => {
  requestIds(note);
  note.string('subFieldName');
};

const getFieldReply: BodyLayout = (note) => {
  note.u32('requestID');
  if (note.status()) noteType(note, 'subFieldIF');
};

const message: BodyLayout = (note) => {
  note.u32('requestID');
  note.u8('messageType', (byte) => SEVERITIES.get(byte) ?? '');
  note.string('message');
};

const authNz: BodyLayout = (note) => noteTypeAndValue(note, 'dataIF', 'data');
const validated: BodyLayout = (note) => void note.status();
const originTag: BodyLayout = (note) => void note.address('forwarderAddress');

function requestIds(note: NoteTaker): void {
  note.u32('serverChannelID');
  note.u32('requestID');
}

/** By the name that the modules of messages/ give to a command. */
export const LINK_LAYOUTS: Readonly<Record<string, CommandLayout>> = {
  BEACON: { fromServer: beacon },
  CONNECTION_VALIDATION: { fromClient: validationResponse, fromServer: validationRequest },
  ECHO: { fromClient: echo, fromServer: echo },
  SEARCH: { fromClient: search },
  SEARCH_RESPONSE: { fromServer: searchResponse },
  AUTHNZ: { fromClient: authNz, fromServer: authNz },
  ACL_CHANGE: { fromServer: aclChange },
  CREATE_CHANNEL: { fromClient: createChannelRequest, fromServer: createChannelReply },
  DESTROY_CHANNEL: { fromClient: destroyChannel, fromServer: destroyChannel },
  CONNECTION_VALIDATED: { fromServer: validated },
  DESTROY_REQUEST: { fromClient: requestIds },
  GET_FIELD: { fromClient: getFieldRequest, fromServer: getFieldReply },
  MESSAGE: { fromClient: message, fromServer: message },
  CANCEL_REQUEST: { fromClient: requestIds },
  ORIGIN_TAG: { fromClient: originTag, fromServer: originTag },
};
