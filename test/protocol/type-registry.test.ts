// Does the type registry follow definitions, and refuse what would take memory without end?

import { describe, expect, test } from 'vitest';

import { LimitError, RemoteProtocolError, TruncatedError } from '../../src/protocol/errors.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { Reader } from '../../src/protocol/reader.ts';
import * as t from '../../src/protocol/types/type-desc.ts';
import type { TypeDesc } from '../../src/protocol/types/type-desc.ts';
import { decodeType, encodeType, TypeReceiver, TypeSender } from '../../src/protocol/types/wire.ts';
import { Writer } from '../../src/protocol/writer.ts';
import { hitsLimit } from '../support/hits-limit.ts';
import { fromHex, toHex } from '../support/vectors.ts';

const read = (hex: string, types: TypeReceiver, bigEndian = true): TypeDesc | null =>
  types.decode(new Reader(fromHex(hex), bigEndian));

// Spec: Protocol-Encoding, "Introspection Data", Example #1.
const TIME_STAMP_HEX = `
  FD 00 01 80  0B 74 69 6D  65 53 74 61  6D 70 5F 74
  03 10 73 65  63 6F 6E 64  73 50 61 73  74 45 70 6F
  63 68 23 0B  6E 61 6E 6F  53 65 63 6F  6E 64 73 22
  07 75 73 65  72 54 61 67  22`;
const timeStamp = t.structure('timeStamp_t', { secondsPastEpoch: t.long, nanoSeconds: t.int, userTag: t.int });

// Spec: the same place, Example #2.
const EXAMPLE_HEX = `
  FD 00 01 80  10 65 78 61  6D 70 6C 65  53 74 72 75
  63 74 75 72  65 07 05 76  61 6C 75 65  28 10 62 6F
  75 6E 64 65  64 53 69 7A  65 41 72 72  61 79 30 10
  0E 66 69 78  65 64 53 69  7A 65 41 72  72 61 79 38
  04 09 74 69  6D 65 53 74  61 6D 70 FD  00 02 80 06
  74 69 6D 65  5F 74 03 10  73 65 63 6F  6E 64 73 50
  61 73 74 45  70 6F 63 68  23 0B 6E 61  6E 6F 73 65
  63 6F 6E 64  73 22 07 75  73 65 72 54  61 67 22 05
  61 6C 61 72  6D FD 00 03  80 07 61 6C  61 72 6D 5F
  74 03 08 73  65 76 65 72  69 74 79 22  06 73 74 61
  74 75 73 22  07 6D 65 73  73 61 67 65  60 0A 76 61
  6C 75 65 55  6E 69 6F 6E  FD 00 04 81  00 03 0B 73
  74 72 69 6E  67 56 61 6C  75 65 60 08  69 6E 74 56
  61 6C 75 65  22 0B 64 6F  75 62 6C 65  56 61 6C 75
  65 43 0C 76  61 72 69 61  6E 74 55 6E  69 6F 6E FD
  00 05 82`;
const example = t.structure('exampleStructure', {
  value: t.arrayOf(t.byte),
  boundedSizeArray: t.boundedArrayOf(t.byte, 16),
  fixedSizeArray: t.fixedArrayOf(t.byte, 4),
  timeStamp: t.structure('time_t', { secondsPastEpoch: t.long, nanoseconds: t.int, userTag: t.int }),
  alarm: t.structure('alarm_t', { severity: t.int, status: t.int, message: t.string }),
  valueUnion: t.union({ stringValue: t.string, intValue: t.int, doubleValue: t.double }),
  variantUnion: t.any,
});

describe('the receiving side', () => {
  test("reads the specification's examples", () => {
    expect(read(TIME_STAMP_HEX, new TypeReceiver())).toBe(timeStamp);
    expect(read(EXAMPLE_HEX, new TypeReceiver())).toBe(example);
  });

  test('finds a type by the id it was defined with, until the id is defined anew', () => {
    const types = new TypeReceiver();
    read(TIME_STAMP_HEX, types);
    expect(read('FE 00 01', types)).toBe(timeStamp);
    read('FD 00 01 80 00 01 01 61 22', types);
    expect(read('FE 00 01', types)).toBe(t.structure({ a: t.int }));
  });

  test('refuses an id that nobody defined, naming it', () => {
    expect(() => read('FE 00 07', new TypeReceiver())).toThrow(
      new RemoteProtocolError('type id 7 at offset 1 was never defined on this link'),
    );
  });

  test.each([
    [
      'the form with a tag, which is of transports that lose messages',
      '80 00 01 01 61 FC 00 01 00 00 00 2A 22',
      'type with a tag (0xfc) at offset 5: reserved for other transports',
    ],
    ['a code that no type has', '80 00 01 01 61 01', 'type code 0x01 at offset 5 is not assigned'],
    ['a size that no scalar has', '6F', 'type code 0x6f at offset 0 is not assigned'],
    [
      'a definition that is an id',
      'FD 00 07 FE 00 01',
      'type id 7 at offset 1 is followed by code 0xfe, a full description expected',
    ],
    [
      'a definition of no type',
      '80 00 01 01 61 FD 00 07 FF',
      'type id 7 at offset 6 is followed by code 0xff, a full description expected',
    ],
    [
      'a definition that none of the other codes can be, either',
      'FD 00 07 E0',
      'type id 7 at offset 1 is followed by code 0xe0, a full description expected',
    ],
    ['a field of no type', '80 00 01 01 61 FF', "field 'a' at offset 5 has the null type, a type expected"],
    ['two fields of one name', '80 00 02 01 61 22 01 61 22', "two fields named 'a' in the structure at offset 0"],
    ['two members of one name', '81 00 02 01 61 22 01 61 22', "two fields named 'a' in the union at offset 0"],
    ['an array of null structures', '88 FF', 'element type of an array of structures is null at offset 2'],
    ['a structure array of int', '88 22', 'element type of an array of structures is scalar at offset 2'],
    ['a structure array of unions', '88 81 00 00', 'element type of an array of structures is union at offset 4'],
    ['an array of null unions', '89 FF', 'element type of an array of unions is null at offset 2'],
    ['a union array of structures', '89 80 00 00', 'element type of an array of unions is structure at offset 4'],
    ['a union array of any', '89 82', 'element type of an array of unions is any at offset 2'],
    ['a string that may have no byte', '83 00', 'bound 0 before offset 2, at least 1 expected'],
    ['an array that may have no element', '30 00', 'bound 0 before offset 2, at least 1 expected'],
    ['an array of no element', '38 00', 'bound 0 before offset 2, at least 1 expected'],
  ])('refuses %s, and says where', (_, hex, why) => {
    expect(() => read(hex, new TypeReceiver())).toThrow(new RemoteProtocolError(why));
  });

  test('counts the entries it keeps and refuses one too many', () => {
    hitsLimit('maxTypeRegistryEntries');
    const types = new TypeReceiver({ limits: { ...DEFAULT_LIMITS, maxTypeRegistryEntries: 2 } });
    read('FD 00 01 22', types);
    read('FD 00 02 22', types);
    read('FD 00 02 23', types);
    expect(() => read('FD 00 03 22', types)).toThrow(new LimitError('maxTypeRegistryEntries', 3, 2, 'type registry'));
    expect(read('FE 00 02', types)).toBe(t.long);
  });

  test('counts the fields of what it keeps, giving back those of a replaced definition', () => {
    hitsLimit('maxTypeRegistryFields');
    const types = new TypeReceiver({ limits: { ...DEFAULT_LIMITS, maxTypeRegistryFields: 5 } });
    for (let round = 0; round < 10; round++) read('FD 00 01 80 00 02 01 61 22 01 62 22', types);
    expect(() => read('FD 00 02 80 00 02 01 61 22 01 62 22', types)).toThrow(/maxTypeRegistryFields allows 5/);
  });

  test.each([
    ['a client', false, 'maxTypeRegistryFields', 4],
    ['a server', true, 'maxServerTypeFields', 49],
  ])('takes no end of types of %s neither', (_, fromServer, limit, mostCount) => {
    hitsLimit('maxTypeRegistryFields', 'maxServerTypeFields');
    const wide = t.structure(
      Object.fromEntries(Array.from({ length: 9_998 }, (_field, index) => [`f${index}`, t.int])),
    );
    const sender = new TypeSender();
    const types = new TypeReceiver({ fromServer });
    // Each is 10 000 nodes, and `wide` counts once more for its own id.
    const name = (index: number): void => {
      const writer = new Writer(true);
      sender.encode(writer, t.structure({ [`s${index}`]: wide }));
      types.decode(new Reader(writer.view(), true));
    };
    for (let index = 0; index < mostCount; index++) name(index);
    expect(() => name(mostCount)).toThrow(`${limit} allows`);
    expect(types.keptBytes).toBeGreaterThan(mostCount * 10_000 * 1_000);
  });

  test('tells the memory of the types that have an id, those of a replaced definition given back', () => {
    const types = new TypeReceiver();
    expect(types.keptBytes).toBe(0);
    read('80 00 01 01 61 22', types);
    expect(types.keptBytes).toBe(0);
    // A node takes 1 300 bytes, and each byte behind the code of the type four.
    read('FD 00 01 80 00 01 01 61 22', types);
    expect(types.keptBytes).toBe(2 * 1_300 + 5 * 4);
    read('FD 00 02 80 00 02 01 61 22 01 62 22', types);
    expect(types.keptBytes).toBe((2 + 3) * 1_300 + (5 + 8) * 4);
    read('FD 00 02 22', types);
    expect(types.keptBytes).toBe((2 + 1) * 1_300 + 5 * 4);
  });

  test('counts the bytes of what it keeps, names among them, giving back those of a replaced definition', () => {
    hitsLimit('maxTypeRegistryBytes');
    const types = new TypeReceiver({ limits: { ...DEFAULT_LIMITS, maxTypeRegistryBytes: 30 } });
    const long = `80 00 01 10 ${'61'.repeat(16)} 22`;
    for (let round = 0; round < 10; round++) read(`FD 00 01 ${long}`, types);
    expect(() => read(`FD 00 02 ${long}`, types)).toThrow(/maxTypeRegistryBytes allows 30/);
    read('FD 00 02 80 00 01 01 61 22', types);
    // Without an id nothing is kept.
    for (let round = 0; round < 10; round++) read(long, types);
  });

  test('accepts 20 levels of nesting and refuses 21, also through an id', () => {
    hitsLimit('maxTypeNesting');
    const nested = (levels: number): string => '80 00 01 01 61 '.repeat(levels) + '22';
    expect(read(nested(20), new TypeReceiver())?.depth).toBe(20);
    expect(() => read(nested(21), new TypeReceiver())).toThrow(
      new LimitError('maxTypeNesting', 21, 20, 'levels of one type'),
    );
    const types = new TypeReceiver();
    read(`FD 00 01 ${nested(15)}`, types);
    expect(() => read('80 00 01 01 61 '.repeat(6) + 'FE 00 01', types)).toThrow(/maxTypeNesting allows 20/);
  });

  test.each(['22', '2A', '82', '8A', '80 00 00', '81 00 00', '88 80 00 00'])(
    'reads the deepest type that may be, %s at its end, by an id as well as in full',
    (end) => {
      const outer = '80 00 01 01 61 '.repeat(end.startsWith('88') ? 19 : 20);
      const type = read(outer + end, new TypeReceiver());
      const types = new TypeReceiver();
      read(`FD 00 01 ${end}`, types);
      expect(read(`${outer} FE 00 01`, types)).toBe(type);
      expect(() => read(`80 00 01 01 61 ${outer} ${end}`, types)).toThrow('maxTypeNesting allows 20');
      expect(() => read(`80 00 01 01 61 ${outer} FE 00 01`, types)).toThrow('maxTypeNesting allows 20');
    },
  );

  test.each([
    ['structures', '80 00 01 01 61 88 '],
    ['unions', '81 00 01 01 61 89 '],
  ])('counts an array of %s as a level of its own', (_, outer) => {
    const inner = `${outer.slice(0, 2)} 00 00`;
    expect(read(outer.repeat(10) + inner, new TypeReceiver())?.nodeCount).toBe(21);
    expect(() => read(outer.repeat(10) + `${outer.slice(0, 2)} 00 01 01 61 22`, new TypeReceiver())).toThrow(
      new LimitError('maxTypeNesting', 21, 20, 'levels of one type'),
    );
  });

  test('refuses more fields than the limit before it has read them all', () => {
    hitsLimit('maxTypeFields');
    const readUpTo = (maxTypeFields: number, hex: string) =>
      read(hex, new TypeReceiver({ limits: { ...DEFAULT_LIMITS, maxTypeFields } }));
    const three = '80 00 03 01 61 22 01 62 22 01 63 22';
    expect(readUpTo(4, three)?.nodeCount).toBe(4);
    expect(() => readUpTo(3, three)).toThrow(
      new LimitError('maxTypeFields', 4, 3, 'fields of the structure at offset 0'),
    );
    // Of four fields three are there.
    expect(() => readUpTo(3, three.replace('03', '04'))).toThrow(LimitError);
    expect(() => readUpTo(4, three.replace('03', '04'))).toThrow(TruncatedError);
    const alone = new Reader(fromHex(three), true);
    expect(() => decodeType(alone, { ...DEFAULT_LIMITS, maxTypeFields: 3 })).toThrow(LimitError);
    // An array has its element, too.
    expect(readUpTo(2, '8A')).toBe(t.anyArray);
    expect(() => readUpTo(1, '8A')).toThrow(new LimitError('maxTypeFields', 2, 1, 'fields of one type'));
  });

  test('counts of the type of an any what its ids stand for, ids behind ids too, and of other types nothing', () => {
    const types = new TypeReceiver({ limits: { ...DEFAULT_LIMITS, maxBodyBytes: 31 } });
    const readAny = (hex: string) => types.decodeOfAny(new Reader(fromHex(hex), true));
    const whyOf = (asked: number) => new LimitError('maxBodyBytes', asked, 31, 'bytes of types in any');
    // 1 is a structure of 6 bytes; 2 one of 8 with its id in it, defined behind that id.
    read('FD 00 01 80 00 01 01 61 22', types);
    read('80 00 02 01 61 FE 00 01 01 62 FD 00 02 80 00 01 01 63 FE 00 01', types);
    for (let round = 0; round < 10; round++) {
      types.beginMessage();
      expect(readAny('80 00 02 01 61 FE 00 01 01 62 FE 00 02')?.nodeCount).toBe(6);
      expect(readAny('80 00 02 01 61 22 01 62 22')?.nodeCount).toBe(3);
      expect(readAny('FF')).toBe(null);
      read('FE 00 02', types);
      readAny('FE 00 01');
      expect(() => readAny('FE 00 01')).toThrow(whyOf(6 + (8 + 6) + 6 + 6));
    }
  });

  test.each(Array.from({ length: 61 }, (_, cut) => cut))(
    'ends in a clear error when the bytes stop after %i',
    (cut) => {
      const bytes = fromHex(EXAMPLE_HEX).subarray(0, cut);
      expect(() => decodeType(new Reader(bytes, true))).toThrow(TruncatedError);
    },
  );
});

describe('the sending side', () => {
  const encode = (sender: TypeSender, type: TypeDesc | null): string => {
    const writer = new Writer(true);
    sender.encode(writer, type);
    return toHex(writer.view());
  };

  test('defines a composite type once and sends its id from then on', () => {
    const sender = new TypeSender();
    expect(encode(sender, timeStamp)).toBe(toHex(fromHex(TIME_STAMP_HEX)));
    expect(encode(sender, timeStamp)).toBe('fe0001');
  });

  test('sends nested types by id too, so that a receiver can follow', () => {
    const sender = new TypeSender();
    const types = new TypeReceiver();
    for (const type of [
      example,
      t.arrayOf(timeStamp),
      timeStamp,
      t.arrayOf(t.union({ a: t.any })),
      example,
      null,
      t.double,
    ]) {
      expect(read(encode(sender, type), types)).toBe(type);
    }
  });

  test('goes back to full types when all ids are given', () => {
    const sender = new TypeSender({ ...DEFAULT_LIMITS, maxTypeRegistryEntries: 1 });
    encode(sender, timeStamp);
    const other = t.structure({ a: t.int });
    expect(encode(sender, other)).toBe('8000010161' + '22');
    expect(encode(sender, other)).toBe('8000010161' + '22');
    expect(encode(sender, timeStamp)).toBe('fe0001');
  });

  test.each([t.double, t.arrayOf(t.double), t.fixedArrayOf(t.int, 3), t.boundedString(8), null])(
    'gives no id to what is as short as one: %j',
    (type) => {
      const sender = new TypeSender();
      const [first, second] = [encode(sender, type), encode(sender, type)];
      const writer = new Writer(true);
      encodeType(writer, type);
      expect([first, second]).toEqual([toHex(writer.view()), toHex(writer.view())]);
      expect(sender.idCount).toBe(0);
    },
  );

  test('takes back the ids of a message that was not sent', () => {
    const sender = new TypeSender();
    const [known, lost] = [t.structure({ a: t.int }), t.structure({ c: t.structure({ d: t.int }) })];
    expect(encode(sender, known)).toBe('fd0001' + '8000010161' + '22');
    const { idCount } = sender;
    const definition = 'fd0002' + '8000010163' + 'fd0003' + '8000010164' + '22';
    expect(encode(sender, lost)).toBe(definition);
    sender.forgetSince(idCount);
    expect(encode(sender, known)).toBe('fe0001');
    expect(encode(sender, lost)).toBe(definition);
    expect(encode(sender, lost)).toBe('fe0002');
  });

  test('writes every type in full without a registry', () => {
    const writer = new Writer(true);
    encodeType(writer, example);
    expect(decodeType(new Reader(writer.view(), true))).toBe(example);
  });
});
