// What does every message look like on the wire? Each message beside its bytes, laid out by hand after the structs of the
// specification (Protocol-Messages, Protocol-Operation-Monitor) or, where a comment says so, after a peer's source.
//
// Numbers in brackets are in the byte order of the message; see wire-text.ts.

import { BitSet } from '../../src/protocol/bit-set.ts';
import type {
  ClientMessage,
  ClientMessageToSend,
  ServerMessage,
  ServerMessageToSend,
} from '../../src/protocol/messages/index.ts';
import type { OperationTypes } from '../../src/protocol/messages/message-module.ts';
import { error, OK, warning } from '../../src/protocol/status.ts';
import * as t from '../../src/protocol/types/type-desc.ts';

export type Sample =
  | {
      readonly name: string;
      readonly from: 'client';
      readonly code: number;
      readonly message: ClientMessage & ClientMessageToSend;
      readonly body: string;
      readonly operation?: OperationTypes;
      /** Ends of the body, in bytes, at which it is legal too. */
      readonly mayEndAt?: readonly number[];
    }
  | {
      readonly name: string;
      readonly from: 'server';
      readonly code: number;
      readonly message: ServerMessage & ServerMessageToSend;
      readonly body: string;
      readonly operation?: OperationTypes;
      readonly mayEndAt?: readonly number[];
    };

/** `structure "s" { int a; string b }`: 80, id, two fields. */
export const SAMPLE_TYPE = t.structure('s', { a: t.int, b: t.string });
const TYPE = "80 01 's' 02  01 'a' 22  01 'b' 60";
/** `structure { int c }`. */
const OTHER_TYPE = t.structure({ c: t.int });
const OTHER = "80 00 01  01 'c' 22";

const VALUE = { a: 42, b: 'hi' };
/** Both fields; bit 0 is the structure itself. */
const ALL = { type: SAMPLE_TYPE, changed: BitSet.of(0), value: VALUE };
const ALL_BYTES = "01 01 [0000002a] 02 'hi'";
/** Field `b` alone; `a` has its default. */
const ONLY_B = { type: SAMPLE_TYPE, changed: BitSet.of(2), value: { a: 0, b: 'hi' } };
const ONLY_B_BYTES = "01 04 02 'hi'";
const OTHER_UPDATE = { type: OTHER_TYPE, changed: BitSet.of(1), value: { c: -1 } };
const OTHER_BYTES = '01 02 [ffffffff]';

/** `structure { structure { } field }`: all fields. */
const EMPTY = t.structure({});
const PV_REQUEST = { type: t.structure({ field: EMPTY }), value: { field: {} } };
const PV_REQUEST_BYTES = "80 00 01 05 'field' 80 00 00";

const SID = '[01020304]';
const IOID = '[10203040]';
const ids = { sid: 0x0102_0304, ioid: 0x1020_3040 };
const { ioid } = ids;
const NO = error('no');
const NO_BYTES = "02 02 'no' 00";
const HM = warning('hm');
const HM_BYTES = "01 02 'hm' 00";

const GUID = '0102030405060708090a0b0c';
const LOCALHOST = '00 00 00 00 00 00 00 00 00 00 ff ff 7f 00 00 01';
const ANY = '00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00';

const get: OperationTypes = { command: 'GET', type: SAMPLE_TYPE };
const put: OperationTypes = { command: 'PUT', type: SAMPLE_TYPE };
const monitor: OperationTypes = { command: 'MONITOR', type: SAMPLE_TYPE };
const putGet: OperationTypes = { command: 'PUT_GET', type: OTHER_TYPE, putType: SAMPLE_TYPE };
const arrayType = t.arrayOf(t.short);
const array: OperationTypes = { command: 'ARRAY', type: arrayType };
const shorts = { type: arrayType, value: Int16Array.of(1, -2) };

export const SAMPLES: readonly Sample[] = [
  // --- discovery ---
  {
    name: 'BEACON',
    from: 'server',
    code: 0x00,
    message: {
      command: 'BEACON',
      guid: GUID,
      flags: 0,
      sequence: 7,
      changeCount: 0x0102,
      serverAddress: '127.0.0.1',
      serverPort: 5075,
      protocol: 'tcp',
      serverStatus: null,
    },
    body: `${GUID} 00 07 [0102] ${LOCALHOST} [13d3] 03 'tcp' ff`,
    mayEndAt: [38],
  },
  {
    name: 'BEACON with a status',
    from: 'server',
    code: 0x00,
    message: {
      command: 'BEACON',
      guid: GUID,
      flags: 1,
      sequence: 255,
      changeCount: 0,
      serverAddress: '::',
      serverPort: 1,
      protocol: 'tls',
      serverStatus: { type: SAMPLE_TYPE, value: VALUE },
    },
    body: `${GUID} 01 ff [0000] ${ANY} [0001] 03 'tls' ${TYPE} [0000002a] 02 'hi'`,
    mayEndAt: [38],
  },
  {
    name: 'SEARCH',
    from: 'client',
    code: 0x03,
    message: {
      command: 'SEARCH',
      sequenceId: 0x0a0b_0c0d,
      flags: 0x81,
      responseAddress: '127.0.0.1',
      responsePort: 0xabcd,
      protocols: ['tls', 'tcp'],
      names: [
        { instanceId: 1, pvName: 'a' },
        { instanceId: 0xffff_fffe, pvName: 'bc' },
      ],
    },
    body: `[0a0b0c0d] 81 00 00 00 ${LOCALHOST} [abcd] 02 03 'tls' 03 'tcp' [0002] [00000001] 01 'a' [fffffffe] 02 'bc'`,
  },
  {
    name: 'SEARCH for every server',
    from: 'client',
    code: 0x03,
    message: {
      command: 'SEARCH',
      sequenceId: 0,
      flags: 1,
      responseAddress: '::',
      responsePort: 0,
      protocols: [],
      names: [],
    },
    body: `[00000000] 01 00 00 00 ${ANY} [0000] 00 [0000]`,
  },
  {
    name: 'SEARCH_RESPONSE',
    from: 'server',
    code: 0x04,
    message: {
      command: 'SEARCH_RESPONSE',
      guid: GUID,
      sequenceId: 0x0a0b_0c0d,
      serverAddress: '127.0.0.1',
      serverPort: 5075,
      protocol: 'tcp',
      found: true,
      instanceIds: [1, 0xffff_fffe],
    },
    body: `${GUID} [0a0b0c0d] ${LOCALHOST} [13d3] 03 'tcp' 01 [0002] [00000001] [fffffffe]`,
  },
  {
    name: 'SEARCH_RESPONSE that found nothing',
    from: 'server',
    code: 0x04,
    message: {
      command: 'SEARCH_RESPONSE',
      guid: GUID,
      sequenceId: 1,
      serverAddress: '::',
      serverPort: 0,
      protocol: 'tcp',
      found: false,
      instanceIds: [],
    },
    body: `${GUID} [00000001] ${ANY} [0000] 03 'tcp' 00 [0000]`,
  },
  ...(['client', 'server'] as const).map((from): Sample => ({
    name: 'ORIGIN_TAG',
    from,
    code: 0x16,
    message: { command: 'ORIGIN_TAG', forwarder: '127.0.0.1' },
    body: LOCALHOST,
  })),

  // --- the link ---
  {
    name: 'CONNECTION_VALIDATION request',
    from: 'server',
    code: 0x01,
    message: {
      command: 'CONNECTION_VALIDATION',
      receiveBufferBytes: 0x1_0000,
      registrySize: 0x7fff,
      methods: ['anonymous', 'ca'],
    },
    body: "[00010000] [7fff] 02 09 'anonymous' 02 'ca'",
  },
  {
    name: 'CONNECTION_VALIDATION response, ca',
    from: 'client',
    code: 0x01,
    message: {
      command: 'CONNECTION_VALIDATION',
      receiveBufferBytes: 0x4400,
      registrySize: 0x7fff,
      qos: 0x0203,
      method: 'ca',
      credentials: {
        type: t.structure({ user: t.string, host: t.string }),
        value: { user: 'me', host: '' },
      },
    },
    body: "[00004400] [7fff] [0203] 02 'ca' 80 00 02 04 'user' 60 04 'host' 60  02 'me' 00",
  },
  {
    name: 'CONNECTION_VALIDATION response, anonymous',
    from: 'client',
    code: 0x01,
    message: {
      command: 'CONNECTION_VALIDATION',
      receiveBufferBytes: 0,
      registrySize: 0,
      qos: 0,
      method: 'anonymous',
      credentials: null,
    },
    body: "[00000000] [0000] [0000] 09 'anonymous' ff",
    // pvAccessCPP: responseHandlers.cpp, ServerConnectionValidationHandler.
    mayEndAt: [18],
  },
  {
    name: 'CONNECTION_VALIDATED',
    from: 'server',
    code: 0x09,
    message: { command: 'CONNECTION_VALIDATED', status: OK },
    body: 'ff',
  },
  {
    name: 'CONNECTION_VALIDATED that refuses',
    from: 'server',
    code: 0x09,
    message: { command: 'CONNECTION_VALIDATED', status: NO },
    body: NO_BYTES,
  },
  ...(['client', 'server'] as const).flatMap((from): readonly Sample[] => [
    {
      name: 'ECHO',
      from,
      code: 0x02,
      message: { command: 'ECHO', payload: Uint8Array.of(1, 2, 3) },
      body: '01 02 03',
      mayEndAt: [0, 1, 2],
    },
    { name: 'AUTHNZ without data', from, code: 0x05, message: { command: 'AUTHNZ', data: null }, body: 'ff' },
    {
      name: 'AUTHNZ',
      from,
      code: 0x05,
      message: { command: 'AUTHNZ', data: { type: t.string, value: 'x' } },
      body: "60 01 'x'",
    },
    {
      name: 'MESSAGE',
      from,
      code: 0x12,
      message: { command: 'MESSAGE', ioid, severity: 1, text: 'mind' },
      body: `${IOID} 01 04 'mind'`,
    },
  ]),

  // --- channels ---
  {
    // core-pva: AccessRightsChange.java.
    name: 'ACL_CHANGE',
    from: 'server',
    code: 0x06,
    message: { command: 'ACL_CHANGE', form: 'rights', cid: 9, rights: 5 },
    body: '[00000009] 05',
    mayEndAt: [0, 1, 2, 3, 4],
  },
  {
    name: 'ACL_CHANGE of another form',
    from: 'server',
    code: 0x06,
    message: { command: 'ACL_CHANGE', form: 'unknown', payload: Uint8Array.of(0, 0, 0, 9, 1, 0, 0, 0, 1, 1) },
    body: '00 00 00 09 01 00 00 00 01 01',
    mayEndAt: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  },
  {
    name: 'CREATE_CHANNEL',
    from: 'client',
    code: 0x07,
    message: {
      command: 'CREATE_CHANNEL',
      channels: [
        { cid: 1, pvName: 'a' },
        { cid: 2, pvName: 'bc' },
      ],
    },
    body: "[0002] [00000001] 01 'a' [00000002] 02 'bc'",
  },
  {
    name: 'CREATE_CHANNEL reply',
    from: 'server',
    code: 0x07,
    message: { command: 'CREATE_CHANNEL', cid: 1, sid: ids.sid, status: OK },
    body: `[00000001] ${SID} ff`,
  },
  {
    name: 'CREATE_CHANNEL reply that refuses',
    from: 'server',
    code: 0x07,
    message: { command: 'CREATE_CHANNEL', cid: 1, sid: 0xffff_ffff, status: NO },
    body: `[00000001] [ffffffff] ${NO_BYTES}`,
  },
  ...(['client', 'server'] as const).map((from): Sample => ({
    name: 'DESTROY_CHANNEL',
    from,
    code: 0x08,
    message: { command: 'DESTROY_CHANNEL', sid: ids.sid, cid: 1 },
    body: `${SID} [00000001]`,
  })),

  // --- GET ---
  {
    name: 'GET init',
    from: 'client',
    code: 0x0a,
    message: { command: 'GET', phase: 'init', ...ids, subcommand: 0x08, pvRequest: PV_REQUEST },
    body: `${SID} ${IOID} 08 ${PV_REQUEST_BYTES}`,
  },
  {
    name: 'GET exec',
    from: 'client',
    code: 0x0a,
    message: { command: 'GET', phase: 'exec', ...ids, subcommand: 0x50 },
    body: `${SID} ${IOID} 50`,
  },
  {
    name: 'GET init reply',
    from: 'server',
    code: 0x0a,
    message: { command: 'GET', phase: 'init', ioid, subcommand: 0x08, status: OK, type: SAMPLE_TYPE },
    body: `${IOID} 08 ff ${TYPE}`,
  },
  {
    name: 'GET init reply that refuses',
    from: 'server',
    code: 0x0a,
    message: { command: 'GET', phase: 'init', ioid, subcommand: 0x08, status: NO, type: null },
    body: `${IOID} 08 ${NO_BYTES}`,
  },
  {
    name: 'GET reply',
    from: 'server',
    code: 0x0a,
    message: { command: 'GET', phase: 'exec', ioid, subcommand: 0x40, status: HM, update: ALL },
    body: `${IOID} 40 ${HM_BYTES} ${ALL_BYTES}`,
    operation: get,
  },
  {
    name: 'GET reply that refuses',
    from: 'server',
    code: 0x0a,
    message: { command: 'GET', phase: 'exec', ioid, subcommand: 0, status: NO, update: null },
    body: `${IOID} 00 ${NO_BYTES}`,
  },

  // --- PUT ---
  {
    name: 'PUT init',
    from: 'client',
    code: 0x0b,
    message: { command: 'PUT', phase: 'init', ...ids, subcommand: 0x08, pvRequest: PV_REQUEST },
    body: `${SID} ${IOID} 08 ${PV_REQUEST_BYTES}`,
  },
  {
    name: 'PUT get-put',
    from: 'client',
    code: 0x0b,
    message: { command: 'PUT', phase: 'get', ...ids, subcommand: 0x40 },
    body: `${SID} ${IOID} 40`,
  },
  {
    name: 'PUT exec, the last',
    from: 'client',
    code: 0x0b,
    message: { command: 'PUT', phase: 'exec', ...ids, subcommand: 0x10, update: ONLY_B },
    body: `${SID} ${IOID} 10 ${ONLY_B_BYTES}`,
    operation: put,
  },
  {
    name: 'PUT init reply',
    from: 'server',
    code: 0x0b,
    message: { command: 'PUT', phase: 'init', ioid, subcommand: 0x08, status: OK, type: SAMPLE_TYPE },
    body: `${IOID} 08 ff ${TYPE}`,
  },
  {
    name: 'PUT get-put reply',
    from: 'server',
    code: 0x0b,
    message: { command: 'PUT', phase: 'get', ioid, subcommand: 0x40, status: OK, update: ALL },
    body: `${IOID} 40 ff ${ALL_BYTES}`,
    operation: put,
  },
  {
    name: 'PUT get-put reply that refuses',
    from: 'server',
    code: 0x0b,
    message: { command: 'PUT', phase: 'get', ioid, subcommand: 0x40, status: NO, update: null },
    body: `${IOID} 40 ${NO_BYTES}`,
  },
  {
    name: 'PUT reply',
    from: 'server',
    code: 0x0b,
    message: { command: 'PUT', phase: 'exec', ioid, subcommand: 0, status: OK },
    body: `${IOID} 00 ff`,
  },

  // --- PUT_GET; the BitSets of the replies after pvAccessCPP: responseHandlers.cpp, clientContextImpl.cpp ---
  {
    name: 'PUT_GET init',
    from: 'client',
    code: 0x0c,
    message: { command: 'PUT_GET', phase: 'init', ...ids, subcommand: 0x08, pvRequest: null },
    body: `${SID} ${IOID} 08 ff`,
  },
  {
    name: 'PUT_GET exec',
    from: 'client',
    code: 0x0c,
    message: { command: 'PUT_GET', phase: 'exec', ...ids, subcommand: 0, update: ONLY_B },
    body: `${SID} ${IOID} 00 ${ONLY_B_BYTES}`,
    operation: putGet,
  },
  {
    name: 'PUT_GET get-get',
    from: 'client',
    code: 0x0c,
    message: { command: 'PUT_GET', phase: 'getGet', ...ids, subcommand: 0x40 },
    body: `${SID} ${IOID} 40`,
  },
  {
    name: 'PUT_GET get-put',
    from: 'client',
    code: 0x0c,
    message: { command: 'PUT_GET', phase: 'getPut', ...ids, subcommand: 0x80 },
    body: `${SID} ${IOID} 80`,
  },
  {
    name: 'PUT_GET init reply',
    from: 'server',
    code: 0x0c,
    message: {
      command: 'PUT_GET',
      phase: 'init',
      ioid,
      subcommand: 0x08,
      status: OK,
      putType: SAMPLE_TYPE,
      getType: OTHER_TYPE,
    },
    body: `${IOID} 08 ff ${TYPE} ${OTHER}`,
  },
  {
    name: 'PUT_GET init reply that refuses',
    from: 'server',
    code: 0x0c,
    message: { command: 'PUT_GET', phase: 'init', ioid, subcommand: 0x08, status: NO, putType: null, getType: null },
    body: `${IOID} 08 ${NO_BYTES}`,
  },
  {
    name: 'PUT_GET reply',
    from: 'server',
    code: 0x0c,
    message: { command: 'PUT_GET', phase: 'exec', ioid, subcommand: 0, status: OK, update: OTHER_UPDATE },
    body: `${IOID} 00 ff ${OTHER_BYTES}`,
    operation: putGet,
  },
  {
    name: 'PUT_GET get-get reply',
    from: 'server',
    code: 0x0c,
    message: { command: 'PUT_GET', phase: 'getGet', ioid, subcommand: 0x40, status: OK, update: OTHER_UPDATE },
    body: `${IOID} 40 ff ${OTHER_BYTES}`,
    operation: putGet,
  },
  {
    name: 'PUT_GET get-put reply',
    from: 'server',
    code: 0x0c,
    message: { command: 'PUT_GET', phase: 'getPut', ioid, subcommand: 0x80, status: OK, update: ALL },
    body: `${IOID} 80 ff ${ALL_BYTES}`,
    operation: putGet,
  },
  {
    name: 'PUT_GET reply that refuses',
    from: 'server',
    code: 0x0c,
    message: { command: 'PUT_GET', phase: 'exec', ioid, subcommand: 0x10, status: NO, update: null },
    body: `${IOID} 10 ${NO_BYTES}`,
  },

  // --- MONITOR ---
  {
    name: 'MONITOR init',
    from: 'client',
    code: 0x0d,
    message: { command: 'MONITOR', phase: 'init', ...ids, subcommand: 0x08, pvRequest: PV_REQUEST, window: 0 },
    body: `${SID} ${IOID} 08 ${PV_REQUEST_BYTES}`,
  },
  {
    name: 'MONITOR init with a window',
    from: 'client',
    code: 0x0d,
    message: { command: 'MONITOR', phase: 'init', ...ids, subcommand: 0x88, pvRequest: PV_REQUEST, window: 4 },
    body: `${SID} ${IOID} 88 ${PV_REQUEST_BYTES} [00000004]`,
    mayEndAt: [21],
  },
  {
    name: 'MONITOR start',
    from: 'client',
    code: 0x0d,
    message: { command: 'MONITOR', phase: 'exec', ...ids, subcommand: 0x44, acknowledged: 0 },
    body: `${SID} ${IOID} 44`,
  },
  {
    name: 'MONITOR acknowledgement, stop and last',
    from: 'client',
    code: 0x0d,
    message: { command: 'MONITOR', phase: 'exec', ...ids, subcommand: 0x94, acknowledged: 3 },
    body: `${SID} ${IOID} 94 [00000003]`,
  },
  {
    name: 'MONITOR init reply',
    from: 'server',
    code: 0x0d,
    message: { command: 'MONITOR', phase: 'init', ioid, subcommand: 0x08, status: OK, type: SAMPLE_TYPE },
    body: `${IOID} 08 ff ${TYPE}`,
  },
  {
    name: 'MONITOR update',
    from: 'server',
    code: 0x0d,
    message: { command: 'MONITOR', phase: 'update', ioid, subcommand: 0, update: ONLY_B, overrun: BitSet.of(2) },
    body: `${IOID} 00 ${ONLY_B_BYTES} 01 04`,
    operation: monitor,
  },
  {
    name: 'MONITOR end',
    from: 'server',
    code: 0x0d,
    message: {
      command: 'MONITOR',
      phase: 'final',
      ioid,
      subcommand: 0x10,
      status: OK,
      update: null,
      overrun: BitSet.empty(),
    },
    body: `${IOID} 10 ff`,
  },
  {
    name: 'MONITOR end with a last update',
    from: 'server',
    code: 0x0d,
    message: {
      command: 'MONITOR',
      phase: 'final',
      ioid,
      subcommand: 0x10,
      status: OK,
      update: ALL,
      overrun: BitSet.of(1, 2),
    },
    body: `${IOID} 10 ff ${ALL_BYTES} 01 06`,
    operation: monitor,
    mayEndAt: [6],
  },
  {
    // pvAccessCPP: responseHandlers.cpp, ServerMonitorHandler: the request's subcommand and a status.
    name: 'MONITOR start that is refused',
    from: 'server',
    code: 0x0d,
    message: {
      command: 'MONITOR',
      phase: 'final',
      ioid,
      subcommand: 0x44,
      status: NO,
      update: null,
      overrun: BitSet.empty(),
    },
    body: `${IOID} 44 ${NO_BYTES}`,
  },

  // --- ARRAY; stride and get length after pvAccessCPP: responseHandlers.cpp, clientContextImpl.cpp ---
  {
    name: 'ARRAY init',
    from: 'client',
    code: 0x0e,
    message: { command: 'ARRAY', phase: 'init', ...ids, subcommand: 0x08, pvRequest: PV_REQUEST },
    body: `${SID} ${IOID} 08 ${PV_REQUEST_BYTES}`,
  },
  {
    name: 'ARRAY get',
    from: 'client',
    code: 0x0e,
    message: { command: 'ARRAY', phase: 'get', ...ids, subcommand: 0x50, offset: 1, count: 1000, stride: 2 },
    body: `${SID} ${IOID} 50 01 fe [000003e8] 02`,
  },
  {
    name: 'ARRAY put',
    from: 'client',
    code: 0x0e,
    message: { command: 'ARRAY', phase: 'put', ...ids, subcommand: 0, offset: 1, stride: 1, array: shorts },
    body: `${SID} ${IOID} 00 01 01 02 [0001] [fffe]`,
    operation: array,
  },
  {
    name: 'ARRAY set length',
    from: 'client',
    code: 0x0e,
    message: { command: 'ARRAY', phase: 'setLength', ...ids, subcommand: 0x80, length: 254 },
    body: `${SID} ${IOID} 80 fe [000000fe]`,
  },
  {
    name: 'ARRAY get length',
    from: 'client',
    code: 0x0e,
    message: { command: 'ARRAY', phase: 'getLength', ...ids, subcommand: 0x04 },
    body: `${SID} ${IOID} 04`,
  },
  {
    name: 'ARRAY init reply',
    from: 'server',
    code: 0x0e,
    message: { command: 'ARRAY', phase: 'init', ioid, subcommand: 0x08, status: OK, type: arrayType },
    body: `${IOID} 08 ff 29`,
  },
  {
    name: 'ARRAY get reply',
    from: 'server',
    code: 0x0e,
    message: { command: 'ARRAY', phase: 'get', ioid, subcommand: 0x40, status: OK, array: shorts },
    body: `${IOID} 40 ff 02 [0001] [fffe]`,
    operation: array,
  },
  {
    name: 'ARRAY get reply that refuses',
    from: 'server',
    code: 0x0e,
    message: { command: 'ARRAY', phase: 'get', ioid, subcommand: 0x40, status: NO, array: null },
    body: `${IOID} 40 ${NO_BYTES}`,
  },
  {
    name: 'ARRAY get length reply',
    from: 'server',
    code: 0x0e,
    message: { command: 'ARRAY', phase: 'getLength', ioid, subcommand: 0x04, status: OK, length: 5 },
    body: `${IOID} 04 ff 05`,
  },
  {
    name: 'ARRAY get length reply that refuses',
    from: 'server',
    code: 0x0e,
    message: { command: 'ARRAY', phase: 'getLength', ioid, subcommand: 0x04, status: NO, length: null },
    body: `${IOID} 04 ${NO_BYTES}`,
  },
  {
    name: 'ARRAY put reply',
    from: 'server',
    code: 0x0e,
    message: { command: 'ARRAY', phase: 'put', ioid, subcommand: 0, status: OK },
    body: `${IOID} 00 ff`,
  },
  {
    name: 'ARRAY set length reply',
    from: 'server',
    code: 0x0e,
    message: { command: 'ARRAY', phase: 'setLength', ioid, subcommand: 0x80, status: OK },
    body: `${IOID} 80 ff`,
  },

  // --- the rest ---
  {
    name: 'DESTROY_REQUEST',
    from: 'client',
    code: 0x0f,
    message: { command: 'DESTROY_REQUEST', ...ids },
    body: `${SID} ${IOID}`,
  },
  {
    name: 'CANCEL_REQUEST',
    from: 'client',
    code: 0x15,
    message: { command: 'CANCEL_REQUEST', ...ids },
    body: `${SID} ${IOID}`,
  },
  {
    name: 'PROCESS init',
    from: 'client',
    code: 0x10,
    message: { command: 'PROCESS', phase: 'init', ...ids, subcommand: 0x08, pvRequest: PV_REQUEST },
    body: `${SID} ${IOID} 08 ${PV_REQUEST_BYTES}`,
  },
  {
    name: 'PROCESS exec',
    from: 'client',
    code: 0x10,
    message: { command: 'PROCESS', phase: 'exec', ...ids, subcommand: 0x10 },
    body: `${SID} ${IOID} 10`,
  },
  {
    name: 'PROCESS init reply',
    from: 'server',
    code: 0x10,
    message: { command: 'PROCESS', phase: 'init', ioid, subcommand: 0x08, status: OK },
    body: `${IOID} 08 ff`,
  },
  {
    name: 'PROCESS reply',
    from: 'server',
    code: 0x10,
    message: { command: 'PROCESS', phase: 'exec', ioid, subcommand: 0, status: NO },
    body: `${IOID} 00 ${NO_BYTES}`,
  },
  {
    name: 'GET_FIELD',
    from: 'client',
    code: 0x11,
    message: { command: 'GET_FIELD', ...ids, subField: 'a.b' },
    body: `${SID} ${IOID} 03 'a.b'`,
  },
  {
    name: 'GET_FIELD reply',
    from: 'server',
    code: 0x11,
    message: { command: 'GET_FIELD', ioid, status: OK, type: t.double },
    body: `${IOID} ff 43`,
  },
  {
    name: 'GET_FIELD reply that refuses',
    from: 'server',
    code: 0x11,
    message: { command: 'GET_FIELD', ioid, status: NO, type: null },
    body: `${IOID} ${NO_BYTES}`,
  },
  {
    name: 'RPC init',
    from: 'client',
    code: 0x14,
    message: { command: 'RPC', phase: 'init', ...ids, subcommand: 0x08, pvRequest: PV_REQUEST },
    body: `${SID} ${IOID} 08 ${PV_REQUEST_BYTES}`,
  },
  {
    name: 'RPC exec',
    from: 'client',
    code: 0x14,
    message: { command: 'RPC', phase: 'exec', ...ids, subcommand: 0x10, argument: { type: SAMPLE_TYPE, value: VALUE } },
    body: `${SID} ${IOID} 10 ${TYPE} [0000002a] 02 'hi'`,
  },
  {
    name: 'RPC init reply',
    from: 'server',
    code: 0x14,
    message: { command: 'RPC', phase: 'init', ioid, subcommand: 0x08, status: OK },
    body: `${IOID} 08 ff`,
  },
  {
    name: 'RPC reply',
    from: 'server',
    code: 0x14,
    message: {
      command: 'RPC',
      phase: 'exec',
      ioid,
      subcommand: 0,
      status: OK,
      result: { type: OTHER_TYPE, value: { c: 7 } },
    },
    body: `${IOID} 00 ff ${OTHER} [00000007]`,
  },
  {
    name: 'RPC reply without a result',
    from: 'server',
    code: 0x14,
    message: { command: 'RPC', phase: 'exec', ioid, subcommand: 0x10, status: OK, result: null },
    body: `${IOID} 10 ff ff`,
  },
  {
    name: 'RPC reply that refuses',
    from: 'server',
    code: 0x14,
    message: { command: 'RPC', phase: 'exec', ioid, subcommand: 0, status: NO, result: null },
    body: `${IOID} 00 ${NO_BYTES}`,
  },
];
