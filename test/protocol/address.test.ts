// Do addresses and GUIDs survive the way to bytes and back, and is nonsense refused?

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { ANY_IPV4, ANY_IPV6, isAny, readAddress, writeAddress } from '../../src/protocol/address.ts';
import { LocalProtocolError, TruncatedError } from '../../src/protocol/errors.ts';
import { guidText, readGuid, writeGuid } from '../../src/protocol/guid.ts';
import { Reader } from '../../src/protocol/reader.ts';
import { Writer } from '../../src/protocol/writer.ts';
import { fromHex, toHex } from '../support/vectors.ts';

function read(hex: string): string {
  return readAddress(new Reader(fromHex(hex), true));
}

function write(address: string, bigEndian = true): string {
  const writer = new Writer(bigEndian);
  writeAddress(writer, address);
  return toHex(writer.view());
}

const PAIRS: readonly (readonly [address: string, hex: string])[] = [
  // Search of pvxs, search response of pvxs and ORIGIN_TAG of pvxs in test/vectors/transcripts/pvxs-ioc-get-ai.json.
  ['::', '00000000000000000000000000000000'],
  ['0.0.0.0', '00000000000000000000ffff00000000'],
  ['127.0.0.1', '00000000000000000000ffff7f000001'],
  ['255.255.255.255', '00000000000000000000ffffffffffff'],
  // RFC 5952, sections 1, 4 and 5.
  ['2001:db8::1', '20010db8000000000000000000000001'],
  ['2001:db8:0:1:1:1:1:1', '20010db8000000010001000100010001'],
  ['2001:0:0:1::1', '20010000000000010000000000000001'],
  ['2001:db8::1:0:0:1', '20010db8000000000001000000000001'],
  ['::1', '00000000000000000000000000000001'],
  ['fe80::', 'fe800000000000000000000000000000'],
  ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
];

describe('an address', () => {
  test.each(PAIRS)('%s', (address, hex) => {
    expect(read(hex)).toBe(address);
    expect(write(address)).toBe(hex);
  });

  test('is in network order in messages of both byte orders', () => {
    expect(write('192.0.2.1', false)).toBe(write('192.0.2.1', true));
    expect(write('2001:db8::1', false)).toBe(write('2001:db8::1', true));
  });

  test('is any in both forms that peers write', () => {
    expect(isAny(ANY_IPV4)).toBe(true);
    expect(isAny(ANY_IPV6)).toBe(true);
    expect(isAny(read('00000000000000000000000000000000'))).toBe(true);
    expect(isAny(read('00000000000000000000ffff00000000'))).toBe(true);
    expect(isAny('127.0.0.1')).toBe(false);
    expect(isAny('::1')).toBe(false);
  });

  test('may be given with a zone, in capitals, and with IPv4 inside', () => {
    expect(write('FE80::A%eth0')).toBe('fe80000000000000000000000000000a');
    expect(write('::ffff:192.0.2.1')).toBe('00000000000000000000ffffc0000201');
    expect(write('64:ff9b::192.0.2.33')).toBe('0064ff9b0000000000000000c0000221');
    expect(write('1:2:3:4:5:6:7::')).toBe('00010002000300040005000600070000');
  });

  test.each(['', 'localhost', '1.2.3', '1.2.3.256', '1.2.3.4.5', ':::', '1::2::3', '1:2:3:4:5:6:7', '12345::', 'g::'])(
    "'%s' is none",
    (text) => {
      expect(() => write(text)).toThrow(LocalProtocolError);
    },
  );

  test.each(['1:2:3:4:5:6:7:8::', '::1:2:3:4:5:6:7:8', '1.2.3.4::', '::1.2.3.4:5'])("'%s' is none", (text) => {
    expect(() => write(text)).toThrow('an IPv4 or IPv6 address expected');
  });

  test('longer than an address with its zone is none', () => {
    expect(write(`0000:0000:0000:0000:0000:ffff:192.0.2.1%${'e'.repeat(15)}`)).toBe(write('192.0.2.1'));
    expect(() => write(`fe80::a%${'e'.repeat(100)}`)).toThrow('an IPv4 or IPv6 address expected');
  });

  test('of any sixteen bytes reads as text that writes them again', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        expect(write(readAddress(new Reader(bytes, true)))).toBe(toHex(bytes));
      }),
    );
  });

  test('that is cut is told', () => {
    expect(() => read('0000')).toThrow(TruncatedError);
  });
});

describe('a GUID', () => {
  test('is read and written as 24 hexadecimal digits', () => {
    // Search response in test/vectors/transcripts/pvxs-ioc-get-ai.json.
    const hex = '2649bf98082353d590f1405d';
    expect(readGuid(new Reader(fromHex(hex), false))).toBe(hex);
    expect(guidText(fromHex(hex))).toBe(hex);
    const writer = new Writer(false);
    writeGuid(writer, hex);
    expect(toHex(writer.view())).toBe(hex);
  });

  test.each(['', '2649bf98082353d590f1405', '2649BF98082353D590F1405D', '2649bf98082353d590f1405d00', 'xyz'.repeat(8)])(
    "'%s' is none",
    (guid) => {
      expect(() => writeGuid(new Writer(false), guid)).toThrow('24 lower-case hexadecimal digits expected');
    },
  );
});
