// `pvkit decode` explains what it is given, for people and for programs, and says what it cannot explain.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { hitsLimit } from '../support/hits-limit.ts';
import { transcriptNames } from '../support/transcript.ts';
import { fromHex } from '../support/vectors.ts';
import * as w from '../support/capture-writer.ts';
import { run, start, type RunOptions } from './support.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pvkit-decode-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const vectors = fileURLToPath(new URL('../vectors/transcripts/', import.meta.url));
const decode = (words: readonly string[], options: RunOptions = {}) =>
  run(['decode', ...words], { folder: vectors, ...options });

async function* chunks(...texts: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array, void> {
  for (const text of texts) yield Buffer.from(text);
}

const decodeText = (text: string, ...words: readonly string[]) => decode(words, { stdin: chunks(text) });

// Of pvxs-get-double.
const SET_BYTE_ORDER = 'ca 02 41 02 00 00 00 00';
const VALIDATED = 'ca 02 40 09 01 00 00 00 ff';

function objects(stdout: string): readonly Record<string, unknown>[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('a recorded conversation', () => {
  it.each(transcriptNames())('is explained to its end: %s', async (name) => {
    const { stdout, stderr, exitCode } = await decode([`${name}.json`]);
    expect(stdout).toMatch(/^#1 {2}/mu);
    expect(stdout).not.toMatch(/not decodable|skipped|known$/mu);
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
  });

  it('shows the fields of each message beside their bytes', async () => {
    const { stdout } = await decode(['pvxs-get-double.json']);
    const blocks = stdout.split('\n\n');
    // A search over UDP, a request, and the data that answers it.
    expect(blocks[0]).toBe(`#1  0.000000  udp  client 127.0.0.1:53539 -> server 127.0.0.1:25121  SEARCH  vec:double
      -8  ca 02 80 03 00 00 00 30  header version 2, client, big endian, SEARCH 0x03, 48 bytes
       0  66 69 6e 64              searchSequenceID uint = 1718185572
       4  80                       flags ubyte = 128 (unicast)
       5  00 00 00                 reserved
       8  00 00 00 00 00 00 00 00  responseAddress string = "::"
      16  00 00 00 00 00 00 00 00
      24  d1 23                    responsePort ushort = 53539
      26  01                       protocols 1 element
      27  03 74 63 70                [0] string = "tcp"
      31  00 01                    channels 1 element
                                     [0]
      33  12 34 56 78                  searchInstanceID uint = 305419896
      37  0a 76 65 63 3a 64 6f 75      channelName string = "vec:double"
      45  62 6c 65`);
    expect(blocks[12]).toBe(`#12  0.000500  tcp 0  client :39908 -> server :25122  GET INIT  vec:double
      -8  ca 02 00 0a 15 00 00 00  header version 2, client, little endian, GET 0x0a, 21 bytes
       0  01 03 05 07              serverChannelID uint = 117768961
       4  00 20 00 10              requestID uint = 268443648
       8  08                       subcommand ubyte = 8 (INIT)
       9  80 00 01                 pvRequestIF structure, 1 field
      12  05 66 69 65 6c 64 80 00    field structure, 0 fields
      20  00
                                   pvRequest structure
                                     field structure`);
    expect(blocks[15]).toBe(`#15  0.000600  tcp 0  server :25122 -> client :39908  GET  vec:double
      -8  ca 02 40 0a 30 00 00 00  header version 2, server, little endian, GET 0x0a, 48 bytes
       0  00 20 00 10              requestID uint = 268443648
       4  00                       subcommand ubyte = 0
       5  ff                       status OK
       6  02 82 59                 changedBitSet bits 1, 7, 8, 11, 12, 14
                                   pvStructureData structure "epics:nt/NTScalar:1.0"
       9  00 00 00 00 00 40 45 40    value double = 42.5
                                     timeStamp structure "time_t"
      17  00 f1 53 65 00 00 00 00      secondsPastEpoch long = 1700000000
      25  01 00 00 00                  nanoseconds int = 1
                                     display structure
      29  00 00 00 00 00 00 59 c0      limitLow double = -100
      37  00 00 00 00 00 00 59 40      limitHigh double = 100
      45  02 6d 6d                     units string = "mm"`);
    expect(blocks[5]).toBe('0.000200  tcp 0  :39908 -> :25122  connection opened');
  });

  it('shows segments, and what they are together', async () => {
    const { stdout } = await decode(['pvxs-ts-get-segmented.json', '--command', 'CMD_GET']);
    const titles = stdout.split('\n').filter((line) => line.startsWith('#'));
    expect(titles.map((title) => title.replace(/^.*GET/u, 'GET'))).toEqual(
      expect.arrayContaining(['GET  (first segment)', 'GET  (last segment)', expect.stringMatching(/^GET {2}\(its/u)]),
    );
    expect(stdout).toMatch(/segment a part of the message\n.*\n.*\n.*\n +\.\.\. and \d+ bytes more\n/u);
  });
});

describe('standard input', () => {
  it('is read without a file, and with -, in whatever pieces it comes', async () => {
    for (const words of [[], ['-']]) {
      const stdin = chunks(SET_BYTE_ORDER.slice(0, 4), SET_BYTE_ORDER.slice(4));
      const { stdout, exitCode } = await decode(words, { stdin });
      expect(stdout).toBe(
        '#1  at byte 0  server -> client  SET_BYTE_ORDER\n' +
          '      -8  ca 02 41 02 00 00 00 00  header version 2, server, little endian, control, SET_BYTE_ORDER 0x02, value 0\n\n',
      );
      expect(exitCode).toBe(0);
    }
  });

  it('may be messages as they are', async () => {
    const { stdout } = await decode(['--json'], { stdin: chunks(fromHex(SET_BYTE_ORDER + VALIDATED)) });
    expect(objects(stdout).map(({ command, offset }) => [command, offset])).toEqual([
      ['SET_BYTE_ORDER', 0],
      ['CONNECTION_VALIDATED', 8],
    ]);
  });

  it('may be text that JSON begins with spaces', async () => {
    const { stdout } = await decodeText(
      ` {"udp": [{"t": 0, "src": "1.2.3.4:5", "dst": "6.7.8.9:10", "hex": "${VALIDATED.replaceAll(' ', '')}"}]}`,
    );
    expect(stdout).toContain('#1  0.000000  udp  server 1.2.3.4:5 -> client 6.7.8.9:10  CONNECTION_VALIDATED\n');
  });
});

describe('a capture file', () => {
  it('is explained, and what is left out is told', async () => {
    const ends: w.Ends = { from: 'fe80:0:0:0:0:0:0:1', fromPort: 5076, to: 'fe80:0:0:0:0:0:0:2', toPort: 4 };
    const packets = [fromHex(VALIDATED), Buffer.from('other'), Buffer.from('other')];
    const frames = packets.map((payload, index) => ({
      timeNs: 1_700_000_000_000_000_001n + BigInt(index) * 1_500_000_000n,
      bytes: w.ethernet(w.ipv6(ends, w.UDP, w.udp(ends, payload))),
    }));
    const file = join(folder, 'small.pcap');
    writeFileSync(file, w.pcap(frames.toReversed(), { isNano: true }));
    const { stdout, stderr, exitCode } = await decode([file]);
    expect(stdout).toMatch(
      /^#1 {2}-3\.000000 {2}udp {2}server \[fe80::1\]:5076 -> client \[fe80::2\]:4 {2}CONNECTION_VALIDATED\n/u,
    );
    expect(stderr).toBe('left out: datagrams that are not pvAccess: 2 (the first is packet 1)\n');
    expect(exitCode).toBe(0);
    const json = await decode(['--json', file]);
    expect(objects(json.stdout)).toMatchObject([
      { kind: 'message', time: -3, wallTime: '2023-11-14T22:13:20.000000001Z', transport: 'udp', to: '[fe80::2]:4' },
      { kind: 'leftOut', reason: 'datagrams that are not pvAccess', count: 2, firstPacket: 1 },
    ]);
    expect(json.stderr).toBe('');
  });

  it('with a time that no calendar has is explained all the same', async () => {
    const ends: w.Ends = { from: '1.2.3.4', fromPort: 1, to: '5.6.7.8', toPort: 2 };
    const bytes = w.ethernet(w.ipv4(ends, w.UDP, w.udp(ends, fromHex(VALIDATED))));
    const file = w.pcapng([{ timeNs: 0n, bytes }], { offsetSeconds: 0n });
    // if_tsoffset stands last in the interface block, before the end of options and the length.
    const at = file.indexOf(Buffer.from([14, 0, 8, 0])) + 4;
    for (const seconds of [2n ** 62n, -5n]) {
      file.writeBigInt64LE(seconds, at);
      const { stdout } = await decode(['--json'], { stdin: chunks(file) });
      expect(objects(stdout)[0]).toMatchObject({ command: 'CONNECTION_VALIDATED', wallTime: null, time: 0 });
    }
  });

  it('that breaks off is explained up to there', async () => {
    const ends: w.Ends = { from: '1.2.3.4', fromPort: 1, to: '5.6.7.8', toPort: 2 };
    const bytes = w.ethernet(w.ipv4(ends, w.UDP, w.udp(ends, fromHex(VALIDATED))));
    const file = w.pcap([{ timeNs: 0n, bytes }]);
    const cut = Buffer.concat([file, Buffer.from('abc')]);
    const { stdout, stderr, exitCode } = await decode([], { stdin: chunks(cut) });
    expect(stdout).toContain('CONNECTION_VALIDATED');
    expect(stderr).toContain(`pvkit: byte ${file.length} of the file: packet 2 is cut\n`);
    expect(exitCode).toBe(1);
  });
});

describe('messages that are asked for', () => {
  it('are those about a PV', async () => {
    const { stdout } = await decode(['pvxs-get-two-pvs.json', '--pv', 'vec:double', '--json']);
    const found = objects(stdout);
    expect(found.length).toBeGreaterThan(5);
    for (const { kind, pvNames } of found) {
      expect(kind).toBe('message');
      expect(pvNames).toContain('vec:double');
    }
    const all = await decode(['pvxs-get-two-pvs.json', '--json']);
    expect(found.length).toBeLessThan(objects(all.stdout).length);
    const both = await decode(['pvxs-get-two-pvs.json', '--pv', 'vec:double', '--pv', 'no:such', '--json']);
    expect(both.stdout).toBe(stdout);
  });

  it('are those of some commands, numbered as among all', async () => {
    const { stdout } = await decode(['pvxs-get-double.json', '--command', 'get,Set_Byte_Order', '--json']);
    expect(objects(stdout).map(({ number, command, sender }) => [number, command, sender])).toEqual([
      [6, 'SET_BYTE_ORDER', 'server'],
      [12, 'GET', 'client'],
      [13, 'GET', 'server'],
      [14, 'GET', 'client'],
      [15, 'GET', 'server'],
    ]);
  });

  it('must be of commands that there are', async () => {
    const { stderr, exitCode } = await decode(['pvxs-get-double.json', '--command', 'GET,PUSH']);
    expect(stderr).toContain('Expected names such as BEACON CONNECTION_VALIDATION');
    expect(exitCode).toBe(2);
  });
});

describe('--json', () => {
  it('gives one object a line, with every field, its bytes and its value', async () => {
    const { stdout } = await decode(['pvxs-get-double.json', '--json']);
    const found = objects(stdout);
    expect(found.find(({ kind }) => kind === 'connection')).toEqual({
      kind: 'connection',
      time: 0.0002,
      transport: 'tcp',
      connection: 0,
      from: ':39908',
      to: ':25122',
      event: 'opened',
    });
    expect(found.find(({ number }) => number === 15)).toMatchObject({
      kind: 'message',
      command: 'GET',
      subcommand: '',
      part: 'whole',
      pvNames: ['vec:double'],
      header: { hex: 'ca02400a30000000', version: 2, fromServer: true, bigEndian: false, size: 48 },
      length: 48,
      problem: null,
      fields: [
        { name: 'requestID', offset: 0, length: 4, hex: '00200010', value: 268_443_648 },
        { name: 'subcommand', offset: 4, length: 1, hex: '00', value: 0 },
        { name: 'status', remark: 'OK' },
        { name: 'changedBitSet', hex: '028259' },
        { name: 'pvStructureData', length: 0, fields: [{ name: 'value', value: 42.5 }, {}, {}] },
      ],
    });
  });

  it('leaves out bytes and value of a field that is very long', async () => {
    const size = 1024 * 1024 + 1;
    const payload = Buffer.alloc(8 + size, 0x2a);
    payload.set(fromHex('ca 02 00 02'));
    payload.writeUInt32LE(size, 4);
    const { stdout } = await decode(['--json'], { stdin: chunks(payload) });
    expect(objects(stdout)[0]?.['fields']).toEqual([
      { name: 'somePayload', offset: 0, length: size, hex: null, remark: 'comes back as it is' },
    ]);
  });

  it('tells of bytes that are no message, too', async () => {
    const { stdout } = await decodeText(`00 01 ${VALIDATED}`, '--json');
    expect(objects(stdout)[0]).toEqual({
      kind: 'skipped',
      transport: 'none',
      offset: 0,
      length: 2,
      hex: '0001',
      reason: 'message starts with 0x00, 0xca expected',
    });
  });
});

describe('-v', () => {
  it('shows the header field by field, and long fields whole', async () => {
    const { stdout } = await decodeText(`ca 02 40 02 28 00 00 00 ${'61 '.repeat(40)}`, '-v');
    expect(stdout).toBe(`#1  at byte 0  server -> client  ECHO
      -8  ca                       magic ubyte = 202
      -7  02                       version ubyte = 2
      -6  40                       flags ubyte = 64 (server, little endian)
      -5  02                       messageCommand ubyte = 2 (ECHO)
      -4  28 00 00 00              payloadSize uint = 40
       0  61 61 61 61 61 61 61 61  somePayload comes back as it is
       8  61 61 61 61 61 61 61 61
      16  61 61 61 61 61 61 61 61
      24  61 61 61 61 61 61 61 61
      32  61 61 61 61 61 61 61 61

`);
  });
});

describe('-# and --precision', () => {
  it('cut arrays and numbers short', async () => {
    const words = ['pvxs-get-table.json', '--command', 'GET'];
    const { stdout } = await decode([...words, '-#', '1', '--precision', '2']);
    expect(stdout).toMatch(/double\[\] = \{\d+\}\[\S+, \.\.\.\]/u);
    const all = await decode([...words, '-#', '0']);
    expect(all.stdout).not.toContain(', ...]');
  });
});

describe('a terminal', () => {
  it('gets colours, and 20 elements of an array; a pipe gets neither', async () => {
    const words = ['pvxs-get-big.json', '--command', 'GET'];
    const terminal = await decode(words, { isTerminal: true });
    expect(terminal.stdout).toContain('\u001b[1m#');
    expect(terminal.stdout).toMatch(/(?:, [-\d.]+){19}, \.\.\.\]/u);
    const pipe = await decode(words);
    expect(pipe.stdout).not.toContain('\u001b');
    expect(pipe.stdout).not.toContain(', ...]');
  });

  it('shows what went wrong in red, and cannot be steered by a peer', async () => {
    const evil = 'ca 02 00 42 00 00 00 00 ca 02 00 07 0c 00 00 00 01 00 01 00 00 00 05 1b 5b 32 4a 0a';
    const { stdout } = await decode([], { stdin: chunks(evil), isTerminal: true });
    expect(stdout).toContain('\u001b[31mnot decodable: no message of a client that is known: command 0x42\u001b[39m');
    expect(stdout).not.toContain('\u001b[2J');
    expect(stdout).toContain('CREATE_CHANNEL  \\u{1b}[2J');
  });
});

describe('what cannot be explained', () => {
  it('is shown with its place, and what follows is explained', async () => {
    const { stdout, exitCode } = await decodeText(`00 01 ${VALIDATED} ca 02 40 09 01 00 00 00 07`);
    expect(stdout).toBe(
      `at byte 0  2 bytes skipped: message starts with 0x00, 0xca expected
       0  00 01

#1  at byte 2  server -> client  CONNECTION_VALIDATED
      -8  ca 02 40 09 01 00 00 00  header version 2, server, little endian, CONNECTION_VALIDATED 0x09, 1 byte
       0  ff                       status OK

#2  at byte 11  server -> client  CONNECTION_VALIDATED
      -8  ca 02 40 09 01 00 00 00  header version 2, server, little endian, CONNECTION_VALIDATED 0x09, 1 byte
       0  07                       status unknown type 7
    not decodable: CONNECTION_VALIDATED at offset 1 of 1: status type 7 at offset 0, 0 to 3 or 255 expected

`,
    );
    expect(exitCode).toBe(0);
  });

  it.each([
    ['nothing at all', '', 'no message of pvAccess in the 0 bytes of standard input'],
    ['no hexadecimal text', 'hello', "line 1, column 1: 'hello', hexadecimal digits expected"],
    ['no message', '00 01 02', 'no message of pvAccess in the 8 bytes of standard input'],
    ['broken JSON', '{"udp": [}', 'the text begins like JSON and is none: '],
    ['JSON of something else', '{"a": 1}', 'JSON, but no recorded conversation: neither "udp" nor "tcp" in it'],
    [
      'a transcript with wrong times',
      '{"udp": [{"t": -1, "src": "", "dst": "", "hex": ""}]}',
      'JSON, but no recorded conversation: udp.0.t: ',
    ],
  ])('is refused with a reason: %s', async (_, text, message) => {
    const { stderr, exitCode } = await decodeText(text);
    expect(stderr).toContain(`pvkit: ${message}`);
    expect(exitCode).toBe(1);
  });

  it.each([
    ['1f8b0800', 'the input is compressed; unpack it first'],
    ['28b52ffd', 'the input is compressed; unpack it first'],
    ['34cdb2a1', 'a modified pcap file; write it anew with tcpdump or editcap'],
    ['d4c3b2a1', 'byte 4 of the file: the header of the pcap file is cut'],
  ])('is refused by its first bytes: %s', async (hex, message) => {
    const { stderr, exitCode } = await decode([], { stdin: chunks(fromHex(hex)) });
    expect(stderr).toContain(`pvkit: ${message}`);
    expect(exitCode).toBe(1);
  });

  it('is refused by its name if it is a folder', async () => {
    const { stderr, exitCode } = await decode(['..']);
    expect(stderr).toBe('pvkit: .. cannot be read: EISDIR: illegal operation on a directory, read\n');
    expect(exitCode).toBe(1);
  });

  it('is refused if there is no such file', async () => {
    const { stderr, exitCode } = await decode(['no-such-file']);
    expect(stderr).toMatch(/^pvkit: no-such-file cannot be read: ENOENT/u);
    expect(exitCode).toBe(1);
  });

  it('is refused if it is too long', async () => {
    hitsLimit('maxCaptureBytes');
    const hex = Buffer.alloc(64 * 1024 * 1024 + 1, '0');
    const { stderr } = await decode([], { stdin: chunks(hex) });
    expect(stderr).toContain('pvkit: text of 67108865 bytes, at most 67108864 expected');
    const chunk = Buffer.alloc(64 * 1024 * 1024);
    const tooLong = await decode([], { stdin: chunks(...Array.from({ length: 9 }, () => chunk)) });
    expect(tooLong.stderr).toContain('pvkit: standard input has more than 536870912 bytes');
  });
});

describe('^C', () => {
  it('ends it', async () => {
    const running = start(['decode', '--json'], { stdin: chunks(VALIDATED), folder });
    running.interrupt();
    expect(await running.exitCode).toBe(1);
  });
});
