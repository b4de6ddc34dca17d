// A conversation is understood as a third hears it: ids become names, types agreed on before give data its fields.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { DEFAULT_LIMITS } from '../../../src/protocol/limits.ts';
import { COMMAND_NAMES, Conversation } from '../../../src/protocol/trace/conversation.ts';
import { flagWords, noteHeader } from '../../../src/protocol/trace/header-notes.ts';
import { MessageCutter } from '../../../src/protocol/trace/message-cutter.ts';
import { encodeMessage } from '../../../src/protocol/messages/index.ts';
import { deltaLines } from '../../../src/protocol/values/format-delta.ts';
import { noteText } from '../../../src/protocol/trace/note-text.ts';
import { OK } from '../../../src/protocol/status.ts';
import { Writer } from '../../../src/protocol/writer.ts';
import { masksOf, structureTypes, valuesOf } from '../../support/arbitraries.ts';
import { hitsLimit } from '../../support/hits-limit.ts';
import { allNotes, cut, heard, holesIn, noteLines, tracesOf, tracesOfHex } from '../../support/trace.ts';
import { loadTranscript, streamOf, transcriptNames } from '../../support/transcript.ts';
import { fromHex, malformedCases } from '../../support/vectors.ts';

describe('a recorded message', () => {
  it('has its fields beside its bytes: search', () => {
    const [search] = tracesOf(loadTranscript('pvxs-get-double'));
    expect(search?.pvNames).toEqual(['vec:double']);
    expect(search && noteLines(search)).toEqual([
      '0  66 69 6e 64  searchSequenceID uint = 1718185572',
      '4  80  flags ubyte = 128 (unicast)',
      '5  00 00 00  reserved',
      '8  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  responseAddress string = "::"',
      '24  d1 23  responsePort ushort = 53539',
      '26  01  protocols 1 element',
      '27  03 74 63 70    [0] string = "tcp"',
      '31  00 01  channels 1 element',
      '33    [0]',
      '33  12 34 56 78      searchInstanceID uint = 305419896',
      '37  0a 76 65 63 3a 64 6f 75 62 6c 65      channelName string = "vec:double"',
    ]);
  });

  it('has its fields beside its bytes: a type', () => {
    const reply = tracesOf(loadTranscript('base-be-get-double')).find(
      ({ header, command, words }) => header.fromServer && command === 'GET' && words === 'INIT',
    );
    expect(reply && noteLines(reply).slice(0, 7)).toEqual([
      '0  80 70 60 51  requestID uint = 2154848337',
      '4  08  subcommand ubyte = 8 (INIT)',
      '5  ff  status OK',
      '6  80 15 65 70 69 63 73 3a 6e 74 2f 4e 54 53 63 61 6c 61 72 3a 31 2e 30 04  pvStructureIF structure "epics:nt/NTScalar:1.0", 4 fields',
      '30  05 76 61 6c 75 65 43    value double',
      '37  05 61 6c 61 72 6d 80 07 61 6c 61 72 6d 5f 74 03    alarm structure "alarm_t", 3 fields',
      '53  08 73 65 76 65 72 69 74 79 22      severity int',
    ]);
  });

  it('has its fields beside its bytes: data', () => {
    const reply = tracesOf(loadTranscript('pvxs-get-double')).findLast(
      ({ header, command }) => header.fromServer && command === 'GET',
    );
    expect(reply && noteLines(reply)).toEqual([
      '0  00 20 00 10  requestID uint = 268443648',
      '4  00  subcommand ubyte = 0',
      '5  ff  status OK',
      '6  02 82 59  changedBitSet bits 1, 7, 8, 11, 12, 14',
      '9  pvStructureData structure "epics:nt/NTScalar:1.0"',
      '9  00 00 00 00 00 40 45 40    value double = 42.5',
      '17    timeStamp structure "time_t"',
      '17  00 f1 53 65 00 00 00 00      secondsPastEpoch long = 1700000000',
      '25  01 00 00 00      nanoseconds int = 1',
      '29    display structure',
      '29  00 00 00 00 00 00 59 c0      limitLow double = -100',
      '37  00 00 00 00 00 00 59 40      limitHigh double = 100',
      '45  02 6d 6d      units string = "mm"',
    ]);
  });

  it('has a header of fields, too', () => {
    const control = tracesOf(loadTranscript('pvxs-get-double')).find(({ header }) => header.isControl);
    const { header, headerBytes, command } = control ?? expect.fail('no control message');
    const notes = noteHeader(headerBytes, header, command);
    expect(noteLines({ body: headerBytes, fields: notes })).toEqual([
      '0  ca  magic ubyte = 202',
      '1  02  version ubyte = 2',
      '2  41  flags ubyte = 65 (server, little endian, control)',
      '3  02  messageCommand ubyte = 2 (SET_BYTE_ORDER)',
      '4  00 00 00 00  payloadSize uint = 0 (a value, no size: nothing follows)',
    ]);
    expect(flagWords({ ...header, isControl: false, bigEndian: true, segment: 'last' })).toBe(
      'server, big endian, last segment',
    );
  });
});

// Ids in what follows: channel 1 of the client is 2 of the server, request 3.
const CREATE = 'ca 02 00 07 08 00 00 00  01 00 01 00 00 00 01 61';
const CREATED = 'ca 02 40 07 09 00 00 00  01 00 00 00 02 00 00 00 ff';
const INIT_BODY = '02 00 00 00 03 00 00 00 08 ff';

describe('an operation that no recorded peer has', () => {
  it('PUT_GET has a put type and a get type', () => {
    const traces = tracesOfHex(
      CREATE,
      CREATED,
      `ca 02 00 0c 0a 00 00 00 ${INIT_BODY}`,
      // The put type is a structure of one int, the get type one of one string.
      'ca 02 40 0c 12 00 00 00  03 00 00 00 08 ff  80 00 01 01 70 22  80 00 01 01 67 60',
      'ca 02 00 0c 0f 00 00 00  02 00 00 00 03 00 00 00 00  01 02  07 00 00 00',
      'ca 02 40 0c 0a 00 00 00  03 00 00 00 00 ff  01 02  01 78',
      'ca 02 00 0c 09 00 00 00  02 00 00 00 03 00 00 00 80',
      'ca 02 40 0c 0c 00 00 00  03 00 00 00 80 ff  01 01  07 00 00 00',
      'ca 02 00 0c 09 00 00 00  02 00 00 00 03 00 00 00 40',
      'ca 02 40 0c 0a 00 00 00  03 00 00 00 40 ff  01 02  01 78',
    );
    expect(traces.map(({ words, problem, pvNames }) => [words, problem, pvNames])).toEqual(
      ['', '', 'INIT', 'INIT', '', '', 'GET_PUT', 'GET_PUT', 'GET_GET', 'GET_GET'].map((words) => [
        words,
        undefined,
        ['a'],
      ]),
    );
    expect(traces.slice(3, 6).map((trace) => noteLines(trace).slice(-3))).toEqual([
      ['9  01 70 22    p int', '12  80 00 01  pvGetStructureIF structure, 1 field', '15  01 67 60    g string'],
      ['9  01 02  toPutBitSet bit 1', '11  pvPutStructureData structure', '11  07 00 00 00    p int = 7'],
      ['6  01 02  changedBitSet bit 1', '8  pvGetStructureData structure', '8  01 78    g string = "x"'],
    ]);
    expect(traces.slice(7).map((trace) => noteLines(trace).at(-1))).toEqual([
      '8  07 00 00 00    p int = 7',
      '8  40  subcommand ubyte = 64 (GET_GET)',
      '8  01 78    g string = "x"',
    ]);
  });

  it('ARRAY reads and writes parts and lengths', () => {
    const traces = tracesOfHex(
      CREATE,
      CREATED,
      `ca 02 00 0e 0a 00 00 00 ${INIT_BODY}`,
      'ca 02 40 0e 07 00 00 00  03 00 00 00 08 ff  29', // short[]
      'ca 02 00 0e 0c 00 00 00  02 00 00 00 03 00 00 00 40  01 02 01',
      'ca 02 40 0e 0b 00 00 00  03 00 00 00 40 ff  02 05 00 06 00',
      'ca 02 00 0e 0e 00 00 00  02 00 00 00 03 00 00 00 00  00 01 01 09 00',
      'ca 02 00 0e 0a 00 00 00  02 00 00 00 03 00 00 00 80  05',
      'ca 02 00 0e 09 00 00 00  02 00 00 00 03 00 00 00 04',
      'ca 02 40 0e 07 00 00 00  03 00 00 00 04 ff  05',
      'ca 02 40 0e 06 00 00 00  03 00 00 00 00 ff',
    );
    expect(traces.map(({ problem }) => problem)).toEqual(traces.map(() => undefined));
    expect(traces.slice(3).map((trace) => noteLines(trace).slice(2))).toEqual([
      ['5  ff  status OK', '6  29  pvArrayIF short[]'],
      [
        '8  40  subcommand ubyte = 64 (GET)',
        '9  01  offset uint = 1',
        '10  02  count uint = 2',
        '11  01  stride uint = 1',
      ],
      ['5  ff  status OK', '6  02 05 00 06 00  pvArrayData short[] = {2}[5, 6]'],
      [
        '8  00  subcommand ubyte = 0',
        '9  00  offset uint = 0',
        '10  01  stride uint = 1',
        '11  01 09 00  pvArrayData short[] = {1}[9]',
      ],
      ['8  80  subcommand ubyte = 128 (SET_LENGTH)', '9  05  length uint = 5'],
      ['8  04  subcommand ubyte = 4 (GET_LENGTH)'],
      ['5  ff  status OK', '6  05  length uint = 5'],
      ['5  ff  status OK'],
    ]);
  });

  it('PROCESS, ACL_CHANGE, AUTHNZ, CANCEL_REQUEST and MESSAGE have their fields', () => {
    const traces = tracesOfHex(
      CREATE,
      CREATED,
      `ca 02 00 10 0a 00 00 00 ${INIT_BODY}`,
      'ca 02 40 10 0b 00 00 00  03 00 00 00 08  02 02 6e 6f 00 00',
      'ca 02 40 06 05 00 00 00  01 00 00 00 05',
      'ca 02 40 06 05 00 00 00  01 00 00 00 00',
      'ca 02 40 06 02 00 00 00  01 00',
      'ca 02 00 05 01 00 00 00  ff',
      'ca 02 00 15 08 00 00 00  02 00 00 00 03 00 00 00',
      'ca 02 40 12 08 00 00 00  03 00 00 00 01 02 68 69',
      'ca 02 40 02 02 00 00 00  61 62',
    );
    expect(traces.slice(3).map((trace) => noteLines(trace))).toEqual([
      [
        '0  03 00 00 00  requestID uint = 3',
        '4  08  subcommand ubyte = 8 (INIT)',
        '5  02  status ERROR',
        '6  02 6e 6f    message string = "no"',
        '9  00    callTree string = ""',
        '10  00  rest behind what is known',
      ],
      ['0  01 00 00 00  clientChannelID uint = 1', '4  05  accessRights ubyte = 5 (PUT, RPC)'],
      ['0  01 00 00 00  clientChannelID uint = 1', '4  00  accessRights ubyte = 0 (read only)'],
      ['0  01 00  rest behind what is known'],
      ['0  ff  dataIF null type'],
      ['0  02 00 00 00  serverChannelID uint = 2', '4  03 00 00 00  requestID uint = 3'],
      [
        '0  03 00 00 00  requestID uint = 3',
        '4  01  messageType ubyte = 1 (warning)',
        '5  02 68 69  message string = "hi"',
      ],
      ['0  61 62  somePayload comes back as it is'],
    ]);
    expect(traces.map(({ pvNames }) => pvNames.join(','))).toEqual([
      'a',
      'a',
      'a',
      'a',
      'a',
      'a',
      '',
      '',
      'a',
      'a',
      '',
    ]);
  });
});

describe('types', () => {
  it('are remembered for each direction by their ids', () => {
    const traces = tracesOfHex(
      // The client defines its type 1 as a structure of one int, the server its own as one of one string.
      'ca 02 00 05 0a 00 00 00  fd 01 00 80 00 01 01 69 22  07',
      'ca 02 40 05 0b 00 00 00  fd 01 00 80 00 01 01 73 60  01 78',
      'ca 02 00 05 07 00 00 00  fe 01 00  08 00 00 00',
      'ca 02 40 05 05 00 00 00  fe 01 00  01 79',
    );
    expect(traces.slice(1).map((trace) => noteLines(trace))).toEqual([
      [
        '0  fd 01 00 80 00 01  dataIF structure, 1 field, from now on type 1',
        '6  01 73 60    s string',
        '9  data structure',
        '9  01 78    s string = "x"',
      ],
      ['0  fe 01 00  dataIF structure, defined before as type 1', '3  data structure', '3  08 00 00 00    i int = 8'],
      ['0  fe 01 00  dataIF structure, defined before as type 1', '3  data structure', '3  01 79    s string = "y"'],
    ]);
    // The first message is one byte of its int and nothing more.
    expect(traces[0]?.problem).toBe(
      'not decodable: AUTHNZ at offset 9 of 10, field i: 4 bytes expected at offset 9, 1 are there',
    );
  });
});

describe('what cannot be decoded', () => {
  it('says why, keeps what was understood, and does not stop what follows', () => {
    const traces = tracesOfHex(
      CREATE,
      'ca 02 00 42 02 00 00 00  01 02',
      'ca 02 41 42 02 00 00 00',
      'ca 02 00 04 02 00 00 00  01 02',
      'ca 02 40 0a 09 00 00 00  03 00 00 00 00 ff  01 02 05',
      'ca 02 40 0d 08 00 00 00  03 00 00 00 00  01 02 05',
      'ca 02 40 07 09 00 00 00  01 00 00 00 02 00 00 00 09',
      CREATED,
    );
    expect(traces.map(({ command, problem }) => [command, problem])).toEqual([
      ['CREATE_CHANNEL', undefined],
      ['0x42', 'not decodable: no message of a client that is known: command 0x42'],
      ['0x42', 'not decodable: no message of a server that is known: command 0x42'],
      ['SEARCH_RESPONSE', 'not decodable: no message of a client that is known: command 0x04'],
      ['GET', 'not decodable: the type of the data is not known: no INIT of request 3 was seen'],
      ['MONITOR', 'not decodable: the type of the data is not known: no INIT of request 3 was seen'],
      [
        'CREATE_CHANNEL',
        'not decodable: CREATE_CHANNEL at offset 9 of 9: status type 9 at offset 8, 0 to 3 or 255 expected',
      ],
      ['CREATE_CHANNEL', undefined],
    ]);
    expect(traces.slice(4, 7).map((trace) => noteLines(trace).at(-1))).toEqual([
      '6  01 02 05  rest not decoded',
      '5  01 02 05  rest not decoded',
      '8  09  status unknown type 9',
    ]);
    expect(traces.at(-1)?.pvNames).toEqual(['a']);
    expect(traces.slice(1, 3).map(({ pvNames, words }) => [pvNames, words])).toEqual([
      [[], ''],
      [[], ''],
    ]);
  });

  it('is data of a request that begins anew and has no type yet', () => {
    const init = `ca 02 00 0a 0a 00 00 00 ${INIT_BODY}`;
    const typed = 'ca 02 40 0a 0c 00 00 00  03 00 00 00 08 ff  80 00 01 01 67 60';
    const data = 'ca 02 40 0a 0a 00 00 00  03 00 00 00 00 ff  01 02  01 78';
    expect(tracesOfHex(CREATE, CREATED, init, typed, data, init, data).map(({ problem }) => problem)).toEqual([
      ...Array.from({ length: 6 }, () => undefined),
      'not decodable: the type of the data is not known: no INIT of request 3 was seen',
    ]);
  });

  it('is no MessagePack in a datagram, whatever it looks like', () => {
    const looksPacked = 'ca 02 00 05 02 00 00 00  91 c0';
    const problemOf = (conversation: Conversation) =>
      heard(conversation, cut(new MessageCutter(), fromHex(looksPacked)))[0]?.problem;
    expect(problemOf(new Conversation())).toBe(undefined);
    expect(problemOf(new Conversation({ toPort: 5076 }))).toContain('type code 0x91 at offset 0 is not assigned');
  });

  it('is not looked into further than the decoder does, which has its limits', () => {
    const limits = { ...DEFAULT_LIMITS, maxValueNodes: 8 };
    const lastOf = (hex: string): readonly string[] => {
      const [trace] = heard(new Conversation({ limits }), cut(new MessageCutter(), fromHex(hex)));
      expect(trace?.problem).toContain('maxValueNodes allows 8');
      return trace === undefined ? [] : noteLines(trace).slice(-1);
    };
    // AUTHNZ: any[] of three structures, and a union[] of three, each of two structures without fields.
    const fields = '02 01 61 80 00 00 01 62 80 00 00';
    const any = `01 80 00 ${fields}`;
    expect(lastOf(`ca 02 00 05 2c 00 00 00  8a 03 ${any} ${any} ${any}`)).toEqual([
      '30  01 80 00 02 01 61 80 00 00 01 62 80 00 00  rest not decoded',
    ]);
    expect(lastOf(`ca 02 00 05 1a 00 00 00  89 81 00 01 01 78 80 00 ${fields} 03 01 00 01 00 01 00`)).toEqual([
      '24  01 00  rest not decoded',
    ]);
  });

  it('gives no more notes than the limit, and the rest as one', () => {
    hitsLimit('maxTraceNotes');
    const conversation = new Conversation({ limits: { ...DEFAULT_LIMITS, maxTraceNotes: 4 } });
    const [trace] = heard(conversation, cut(new MessageCutter(), fromHex(CREATE)));
    expect(trace && noteLines(trace)).toEqual([
      '0  01 00  channels 1 element',
      '2    [0]',
      '2  01 00 00 00      clientChannelID uint = 1',
      '6  01 61      channelName string = "a"',
    ]);
    const [cutShort] = heard(
      new Conversation({ limits: { ...DEFAULT_LIMITS, maxTraceNotes: 2 } }),
      cut(new MessageCutter(), fromHex(CREATE)),
    );
    expect(cutShort && noteLines(cutShort)).toEqual([
      '0  01 00  channels 1 element',
      '2    [0]',
      '2  01 00 00 00 01 61  ... too many fields to be shown one by one',
    ]);
  });
});

describe('a message in segments', () => {
  const first = 'ca 02 10 07 03 00 00 00  01 00 01';
  const middle = 'ca 02 30 07 00 00 00 00';
  const last = 'ca 02 20 07 05 00 00 00  00 00 00 01 61';

  it('comes in segments and then as a whole, whatever else comes between', () => {
    const traces = tracesOfHex(first, middle, 'ca 02 01 03 07 00 00 00', CREATED, last);
    expect(
      traces.map(({ command, part, problem, pvNames, words }) => [command, part, problem, [...pvNames, words]]),
    ).toEqual([
      ['CREATE_CHANNEL', 'segment', undefined, ['']],
      ['CREATE_CHANNEL', 'segment', undefined, ['']],
      ['ECHO_REQUEST', 'whole', undefined, ['']],
      ['CREATE_CHANNEL', 'whole', undefined, ['']],
      ['CREATE_CHANNEL', 'segment', undefined, ['']],
      ['CREATE_CHANNEL', 'joined', undefined, ['a', '']],
    ]);
    expect(traces.slice(-2).map((trace) => noteLines(trace))).toEqual([
      ['0  00 00 00 01 61  segment a part of the message'],
      [
        '0  01 00  channels 1 element',
        '2    [0]',
        '2  01 00 00 00      clientChannelID uint = 1',
        '6  01 61      channelName string = "a"',
      ],
    ]);
  });

  it('says what is wrong with its segments', () => {
    const otherCommand = 'ca 02 20 08 01 00 00 00  00';
    const otherOrder = 'ca 02 a0 07 00 00 00 01  00';
    const problems = (...messages: readonly string[]) => tracesOfHex(...messages).map(({ problem }) => problem);
    expect(problems(middle, last)).toEqual(['middle segment without a first', 'last segment without a first']);
    expect(problems(first, otherCommand, last)).toEqual([
      undefined,
      'segment amid those of CREATE_CHANNEL',
      'last segment without a first',
    ]);
    expect(problems(first, otherOrder)).toEqual([undefined, 'segment in another byte order than the first']);
    expect(problems(first, first, last)).toEqual([
      undefined,
      'the message in segments before it has no last one',
      undefined,
      undefined,
    ]);
    expect(problems(first, CREATE)).toEqual([undefined, 'the message in segments before it has no last one']);
  });

  it('is given up past the limit, or when bytes between were lost', () => {
    const small = new Conversation({ limits: { ...DEFAULT_LIMITS, maxBodyBytes: 5 } });
    expect(heard(small, cut(new MessageCutter(), fromHex(first + last))).map(({ problem }) => problem)).toEqual([
      undefined,
      'joined segments: 8 asked, maxBodyBytes allows 5',
    ]);
    const upTo = (maxBodyBytes: number, ...segments: readonly string[]) =>
      heard(
        new Conversation({ limits: { ...DEFAULT_LIMITS, maxBodyBytes } }),
        cut(new MessageCutter(), fromHex(segments.join(''))),
      ).map(({ problem }) => problem);
    expect(upTo(8, first, last)).toEqual([undefined, undefined, undefined]);
    const more = 'ca 02 30 07 02 00 00 00  00 00';
    expect(upTo(9, first, more, more, more, last)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      'joined segments: 14 asked, maxBodyBytes allows 9',
    ]);
    const holed = new Conversation();
    heard(holed, cut(new MessageCutter(), fromHex(first)));
    holed.forget(false);
    expect(heard(holed, cut(new MessageCutter(), fromHex(last))).map(({ problem }) => problem)).toEqual([
      'last segment without a first',
    ]);
  });
});

describe('any data', () => {
  it('has a note for every byte, with the values that the codecs find', () => {
    const updates = structureTypes().chain((type) => fc.tuple(fc.constant(type), valuesOf(type), masksOf(type)));
    fc.assert(
      fc.property(updates, fc.boolean(), ([type, value, changed], bigEndian) => {
        const ids = { ioid: 3, subcommand: 0, status: OK } as const;
        const writer = new Writer(bigEndian);
        encodeMessage(writer, { command: 'GET', phase: 'init', ...ids, subcommand: 8, type }, { fromServer: true });
        const update = { type, value, changed };
        encodeMessage(writer, { command: 'GET', phase: 'exec', ...ids, update }, { fromServer: true });
        const traces = heard(new Conversation(), cut(new MessageCutter(), writer.detach(0)));
        expect(traces.map(({ problem }) => problem)).toEqual([undefined, undefined]);
        for (const trace of traces) expect(holesIn(trace)).toEqual([]);
        const data = traces[1]?.fields.filter(({ name }) => name === 'pvStructureData') ?? [];
        const texts = [...allNotes(data)].filter(({ content }) => content !== undefined).map((note) => noteText(note));
        const expected = deltaLines(type, value, changed).flatMap(({ text }) => text ?? []);
        expect(texts.map((text, index) => text.endsWith(` = ${expected[index] ?? '?'}`))).toEqual(
          expected.map(() => true),
        );
      }),
      { numRuns: 200 },
    );
  });
});

describe('bad input', () => {
  it.each(malformedCases().filter(({ kind }) => kind === 'message'))('is survived: $name', ({ hex }) => {
    for (const trace of tracesOfHex(hex)) expect(holesIn(trace)).toEqual([]);
  });

  it('is survived when it is a recorded conversation with bytes changed', () => {
    const names = transcriptNames().filter((name) => loadTranscript(name).connections.length > 0);
    const changes = fc.array(fc.tuple(fc.nat({ max: 2_000 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(fc.constantFrom(...names), changes, (name, list) => {
        const recorded = loadTranscript(name);
        const conversation = new Conversation();
        for (const dir of ['c2s', 's2c'] as const) {
          const bytes = streamOf(recorded, 0, dir).slice();
          for (const [at, byte] of list) if (at < bytes.length) bytes[at] = byte;
          for (const trace of heard(conversation, cut(new MessageCutter(), bytes))) expect(holesIn(trace)).toEqual([]);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('commands', () => {
  it('all have a name to be asked for', () => {
    expect(COMMAND_NAMES).toEqual(expect.arrayContaining(['GET', 'BEACON', 'SET_BYTE_ORDER', 'ORIGIN_TAG']));
    expect(COMMAND_NAMES).toHaveLength(27);
  });
});
