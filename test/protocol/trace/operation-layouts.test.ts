// Do the messages of operations have the fields that the specification names, in its order, and none that it has not?

import { describe, expect, test } from 'vitest';

import type { OperationCommand, OperationTypes } from '../../../src/protocol/messages/message-module.ts';
import { OPERATION_LAYOUTS } from '../../../src/protocol/trace/operation-layouts.ts';
import { int, string, structure } from '../../../src/protocol/types/type-desc.ts';
import { SAMPLES } from '../../support/message-samples.ts';
import { layoutLine } from '../../support/trace.ts';

const OK = 'status (OK)';
const ERROR = 'status (ERROR) { message, callTree }';
const TYPE = '(structure "s", 2 fields) { a (int), b (string) }';
const OTHER_TYPE = '(structure, 1 field) { c (int) }';
const ALL = '(structure "s") { a, b }';
const ONLY_B = '(structure "s") { b }';
const PV_REQUEST =
  'pvRequestIF (structure, 1 field) { field (structure, 0 fields) }, pvRequest (structure) { field (structure) }';
const IDS = 'serverChannelID, requestID';
const INIT = `${IDS}, subcommand (INIT), ${PV_REQUEST}`;
const INIT_REPLY = 'requestID, subcommand (INIT)';

/** By who sends it and the name of its sample. Spec: Protocol-Messages, and pvAccessCPP where its modules say so. */
const FIELDS: Readonly<Record<string, string>> = {
  'client GET init': INIT,
  'client GET exec': `${IDS}, subcommand (GET DESTROY)`,
  'server GET init reply': `${INIT_REPLY}, ${OK}, pvStructureIF ${TYPE}`,
  'server GET init reply that refuses': `${INIT_REPLY}, ${ERROR}`,
  'server GET reply': `requestID, subcommand (GET), status (WARNING) { message, callTree }, changedBitSet (bit 0), pvStructureData ${ALL}`,
  'server GET reply that refuses': `requestID, subcommand, ${ERROR}`,

  'client PUT init': INIT,
  'client PUT get-put': `${IDS}, subcommand (GET)`,
  'client PUT exec, the last': `${IDS}, subcommand (DESTROY), toPutBitSet (bit 2), pvPutStructureData ${ONLY_B}`,
  'server PUT init reply': `${INIT_REPLY}, ${OK}, pvPutStructureIF ${TYPE}`,
  'server PUT get-put reply': `requestID, subcommand (GET), ${OK}, changedBitSet (bit 0), pvStructureData ${ALL}`,
  'server PUT get-put reply that refuses': `requestID, subcommand (GET), ${ERROR}`,
  'server PUT reply': `requestID, subcommand, ${OK}`,

  'client PUT_GET init': `${IDS}, subcommand (INIT), pvRequestIF (null type)`,
  'client PUT_GET exec': `${IDS}, subcommand, toPutBitSet (bit 2), pvPutStructureData ${ONLY_B}`,
  'client PUT_GET get-get': `${IDS}, subcommand (GET_GET)`,
  'client PUT_GET get-put': `${IDS}, subcommand (GET_PUT)`,
  'server PUT_GET init reply': `${INIT_REPLY}, ${OK}, pvPutStructureIF ${TYPE}, pvGetStructureIF ${OTHER_TYPE}`,
  'server PUT_GET init reply that refuses': `${INIT_REPLY}, ${ERROR}`,
  'server PUT_GET reply': `requestID, subcommand, ${OK}, changedBitSet (bit 1), pvGetStructureData (structure) { c }`,
  'server PUT_GET get-get reply': `requestID, subcommand (GET_GET), ${OK}, changedBitSet (bit 1), pvGetStructureData (structure) { c }`,
  'server PUT_GET get-put reply': `requestID, subcommand (GET_PUT), ${OK}, changedBitSet (bit 0), pvPutStructureData ${ALL}`,
  'server PUT_GET reply that refuses': `requestID, subcommand (DESTROY), ${ERROR}`,

  'client MONITOR init': INIT,
  'client MONITOR init with a window': `${IDS}, subcommand (INIT PIPELINE), ${PV_REQUEST}, nfree`,
  'client MONITOR start': `${IDS}, subcommand (START)`,
  'client MONITOR acknowledgement, stop and last': `${IDS}, subcommand (STOP PIPELINE DESTROY), nfree`,
  'server MONITOR init reply': `${INIT_REPLY}, ${OK}, pvStructureIF ${TYPE}`,
  'server MONITOR update': `requestID, subcommand, changedBitSet (bit 2), pvStructureData ${ONLY_B}, overrunBitSet (bit 2)`,
  'server MONITOR end': `requestID, subcommand (DESTROY), ${OK}`,
  'server MONITOR end with a last update': `requestID, subcommand (DESTROY), ${OK}, changedBitSet (bit 0), pvStructureData ${ALL}, overrunBitSet (bits 1, 2)`,
  'server MONITOR start that is refused': `requestID, subcommand (START), ${ERROR}`,

  'client ARRAY init': INIT,
  'client ARRAY get': `${IDS}, subcommand (GET DESTROY), offset, count, stride`,
  'client ARRAY put': `${IDS}, subcommand, offset, stride, pvArrayData`,
  'client ARRAY set length': `${IDS}, subcommand (SET_LENGTH), length`,
  'client ARRAY get length': `${IDS}, subcommand (GET_LENGTH)`,
  'server ARRAY init reply': `${INIT_REPLY}, ${OK}, pvArrayIF (short[])`,
  'server ARRAY get reply': `requestID, subcommand (GET), ${OK}, pvArrayData`,
  'server ARRAY get reply that refuses': `requestID, subcommand (GET), ${ERROR}`,
  'server ARRAY get length reply': `requestID, subcommand (GET_LENGTH), ${OK}, length`,
  'server ARRAY get length reply that refuses': `requestID, subcommand (GET_LENGTH), ${ERROR}`,
  'server ARRAY put reply': `requestID, subcommand, ${OK}`,
  'server ARRAY set length reply': `requestID, subcommand (SET_LENGTH), ${OK}`,

  'client PROCESS init': INIT,
  'client PROCESS exec': `${IDS}, subcommand (DESTROY)`,
  'server PROCESS init reply': `${INIT_REPLY}, ${OK}`,
  'server PROCESS reply': `requestID, subcommand, ${ERROR}`,

  'client RPC init': INIT,
  'client RPC exec': `${IDS}, subcommand (DESTROY), pvStructureIF ${TYPE}, pvStructureData ${ALL}`,
  'server RPC init reply': `${INIT_REPLY}, ${OK}`,
  'server RPC reply': `requestID, subcommand, ${OK}, pvResponseIF ${OTHER_TYPE}, pvResponseData (structure) { c }`,
  'server RPC reply without a result': `requestID, subcommand (DESTROY), ${OK}, pvResponseIF (null type)`,
  'server RPC reply that refuses': `requestID, subcommand, ${ERROR}`,
};

const samples = SAMPLES.flatMap((sample) =>
  isOperation(sample.message.command) ? [{ ...sample, command: sample.message.command }] : [],
);

function isOperation(command: string): command is OperationCommand {
  return command in OPERATION_LAYOUTS;
}

function lineOf(command: OperationCommand, from: 'client' | 'server', body: string, operation?: OperationTypes) {
  const layout = OPERATION_LAYOUTS[command][from === 'client' ? 'fromClient' : 'fromServer'];
  return layout === undefined ? 'no layout' : layoutLine(layout, body, operation);
}

describe('the fields of a message', () => {
  test.each(samples.map((sample) => [sample.from, sample.name, sample] as const))(
    'of a %s: %s',
    (from, name, { command, body, operation }) => {
      expect(lineOf(command, from, body, operation)).toBe(FIELDS[`${from} ${name}`]);
    },
  );

  test('of a monitor end early where that is legal', () => {
    const init = "00000002 00000003 88 80 00 01 05 'field' 80 00 00";
    expect(lineOf('MONITOR', 'client', init)).toBe(`${IDS}, subcommand (INIT PIPELINE), ${PV_REQUEST}`);
  });
});

const PUT_TYPE = structure({ p: int });
const GET_TYPE = structure({ g: string });

describe('what two bits of a subcommand ask at once', () => {
  // pvAccessCPP looks at 0x40 first: responseHandlers.cpp, clientContextImpl.cpp.
  test('is GET_GET of a PUT_GET', () => {
    const operation: OperationTypes = { command: 'PUT_GET', type: GET_TYPE, putType: PUT_TYPE };
    expect(lineOf('PUT_GET', 'client', '00000002 00000003 c0', operation)).toBe(`${IDS}, subcommand (GET_GET GET_PUT)`);
    expect(lineOf('PUT_GET', 'server', "00000003 c0 ff 01 02 01 'x'", operation)).toBe(
      `requestID, subcommand (GET_GET GET_PUT), ${OK}, changedBitSet (bit 1), pvGetStructureData (structure) { g }`,
    );
  });

  test('is the first of get, set length and get length of an ARRAY', () => {
    expect(lineOf('ARRAY', 'client', '00000002 00000003 c4 00 00 01')).toBe(
      `${IDS}, subcommand (GET SET_LENGTH GET_LENGTH), offset, count, stride`,
    );
    expect(lineOf('ARRAY', 'client', '00000002 00000003 84 05')).toBe(
      `${IDS}, subcommand (SET_LENGTH GET_LENGTH), length`,
    );
    expect(lineOf('ARRAY', 'server', '00000003 84 ff')).toBe(`requestID, subcommand (SET_LENGTH GET_LENGTH), ${OK}`);
  });
});

describe('data of a type that was not heard of is left', () => {
  const other: OperationTypes = { command: 'RPC', type: GET_TYPE, putType: PUT_TYPE };

  test.each([
    ['GET', 'server', '00000003 00 ff', '01 01 05', `requestID, subcommand, ${OK}`],
    ['PUT', 'client', '00000002 00000003 00', '01 01 05', `${IDS}, subcommand`],
    ['PUT', 'server', '00000003 40 ff', '01 01 05', `requestID, subcommand (GET), ${OK}`],
    ['PUT_GET', 'client', '00000002 00000003 00', '01 01 05', `${IDS}, subcommand`],
    ['PUT_GET', 'server', '00000003 00 ff', '01 01 05', `requestID, subcommand, ${OK}`],
    ['PUT_GET', 'server', '00000003 80 ff', '01 01 05', `requestID, subcommand (GET_PUT), ${OK}`],
    ['MONITOR', 'server', '00000003 00', '01 01 05 00', 'requestID, subcommand'],
    ['ARRAY', 'client', '00000002 00000003 00', '00 01 01 05', `${IDS}, subcommand`],
    ['ARRAY', 'server', '00000003 40 ff', '01 05', `requestID, subcommand (GET), ${OK}`],
  ] as const)('%s of a %s: %s', (command, from, head, data, fields) => {
    for (const operation of [undefined, other]) {
      expect(lineOf(command, from, `${head} ${data}`, operation)).toBe(`${fields}, rest`);
    }
  });
});

// With the type known: only what the subcommand and the status say makes these messages end where they do.
test.each([
  ['PUT', 'client', '00000002 00000003 40', `${IDS}, subcommand (GET)`],
  ['PUT', 'server', '00000003 00 ff', `requestID, subcommand, ${OK}`],
  ['PUT_GET', 'client', '00000002 00000003 80', `${IDS}, subcommand (GET_PUT)`],
  ['MONITOR', 'client', '00000002 00000003 44', `${IDS}, subcommand (START)`],
  ['MONITOR', 'server', "00000003 10 02 02 'no' 00", `requestID, subcommand (DESTROY), ${ERROR}`],
  ['ARRAY', 'client', '00000002 00000003 04', `${IDS}, subcommand (GET_LENGTH)`],
  ['ARRAY', 'server', '00000003 00 ff', `requestID, subcommand, ${OK}`],
] as const)('%s of a %s ends behind %s, whatever follows', (command, from, body, fields) => {
  const operation: OperationTypes = { command, type: PUT_TYPE, putType: PUT_TYPE };
  expect(lineOf(command, from, body, operation)).toBe(fields);
  expect(lineOf(command, from, `${body} 01 02 00 00 00 07 00`, operation)).toBe(`${fields}, rest`);
});

test('the end of a monitor whose type is known may come without a last update', () => {
  const operation: OperationTypes = { command: 'MONITOR', type: PUT_TYPE };
  expect(lineOf('MONITOR', 'server', '00000003 10 ff', operation)).toBe(`requestID, subcommand (DESTROY), ${OK}`);
});
