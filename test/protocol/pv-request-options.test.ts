// Are record options read whatever type they come in, and is what cannot be used said?

import { describe, expect, test } from 'vitest';

import { LocalProtocolError } from '../../src/protocol/errors.ts';
import { parsePvRequest } from '../../src/protocol/pv-request.ts';
import { recordOptions, type RecordOptions } from '../../src/protocol/pv-request/record-options.ts';
import {
  arrayOf,
  boolean,
  double,
  int,
  string,
  structure,
  ulong,
  type TypeDesc,
} from '../../src/protocol/types/type-desc.ts';
import type { PvValue } from '../../src/protocol/types/value-of.ts';
import { dataCases, typeOf, valueOf } from '../support/vectors.ts';

function optionsOf(text: string): RecordOptions {
  return recordOptions(parsePvRequest(`record[${text}]`));
}

/** One option of a given type, as a program sends it. */
function typed(name: string, type: TypeDesc, value: PvValue): RecordOptions {
  return recordOptions({
    type: structure({ record: structure({ _options: structure({ [name]: type }) }) }),
    value: { record: { _options: { [name]: value } } } as PvValue,
  });
}

describe('record options', () => {
  test('have defaults', () => {
    for (const request of [null, parsePvRequest(''), { type: double, value: 1 }]) {
      const { raw, ...options } = recordOptions(request);
      expect(raw.size).toBe(0);
      expect(options).toEqual({
        queueSize: 4,
        pipeline: false,
        ackAny: 2,
        process: undefined,
        block: false,
        atomic: undefined,
        notices: [],
      });
    }
  });

  test('are read from the text that tools send', () => {
    const { raw, ...options } = optionsOf(
      'queueSize=8,pipeline=true,ackAny=50%,process=passive,block=true,atomic=false,DBE=1',
    );
    expect(options).toEqual({
      queueSize: 8,
      pipeline: true,
      ackAny: 4,
      process: 'passive',
      block: true,
      atomic: false,
      notices: [],
    });
    expect(raw.get('DBE')).toBe('1');
  });

  test('are read from the typed ones recorded from pvxs', () => {
    const recorded = dataCases().find((one) => one.name === 'pvRequest: pipeline options, typed');
    const type = typeOf(recorded?.type ?? { kind: 'missing' });
    const options = recordOptions({ type, value: valueOf(type, recorded?.value) });
    expect(options).toMatchObject({ pipeline: true, queueSize: 4, notices: [] });
  });

  test.each<[asked: string, size: number, notice: RegExp | undefined]>([
    ['2', 2, undefined],
    ['0x10', 16, undefined],
    ['1000', 1_000, undefined],
    ['1', 4, /queueSize '1', a whole number from 2 to 1000 expected; 4 is used/],
    ['0', 4, /queueSize '0'/],
    ['-3', 4, /queueSize '-3'/],
    ['many', 4, /queueSize 'many'/],
    ['1001', 1_000, /queueSize '1001' is more than this server gives; 1000 is used/],
    ['999999999999999', 1_000, /is more than/],
  ])('queueSize=%s', (asked, size, notice) => {
    const { queueSize, notices } = optionsOf(`queueSize=${asked}`);
    expect(queueSize).toBe(size);
    expect(notices).toEqual(notice === undefined ? [] : [expect.stringMatching(notice)]);
  });

  test('a pipeline needs a queueSize that can be used, because both sides count with it', () => {
    expect(() => optionsOf('pipeline=true,queueSize=1')).toThrow(LocalProtocolError);
    expect(() => optionsOf('pipeline=true,queueSize=x')).toThrow(
      "can not pipeline with queueSize 'x', a whole number from 2 to 1000 expected",
    );
    expect(optionsOf('pipeline=true')).toMatchObject({ pipeline: true, queueSize: 4 });
  });

  test('numbers and booleans may have any type', () => {
    expect(typed('queueSize', int, 8).queueSize).toBe(8);
    expect(typed('queueSize', ulong, 8n).queueSize).toBe(8);
    expect(typed('queueSize', double, 8.9).queueSize).toBe(8);
    expect(typed('queueSize', double, Number.NaN).queueSize).toBe(4);
    expect(typed('pipeline', boolean, true).pipeline).toBe(true);
    expect(typed('pipeline', int, 1).pipeline).toBe(true);
    expect(typed('pipeline', int, 0).pipeline).toBe(false);
    expect(typed('pipeline', ulong, 1n).pipeline).toBe(true);
    expect(typed('pipeline', ulong, 0n)).toMatchObject({ pipeline: false, notices: [] });
    expect(typed('block', string, 'TRUE').block).toBe(true);
    expect(typed('process', boolean, false).process).toBe(false);
  });

  test.each([
    ['true', true],
    [' True\t', true],
    ['  1 ', true],
    ['FALSE', false],
    [' false ', false],
    [' 0  ', false],
  ])('"%s" is a truth value as text', (text, isTrue) => {
    expect(typed('atomic', string, text)).toMatchObject({ atomic: isTrue, notices: [] });
  });

  test.each(['', 'true!', 'untrue', 'falsehood', 'afalse', '11', '01', '10', '00', 'yes'])('"%s" is none', (text) => {
    expect(typed('atomic', string, text)).toMatchObject({
      atomic: undefined,
      notices: [`record._options.atomic '${text}', true or false expected; ignored`],
    });
  });

  test.each<[type: TypeDesc, value: PvValue, shown: string]>([
    [string, '', "''"],
    [string, '8 updates', "'8 updates'"],
    [string, 'x8', "'x8'"],
    [string, '0x', "'0x'"],
    [string, '0x123456789', "'0x123456789'"],
    [string, 'x'.repeat(40), `'${'x'.repeat(40)}'`],
    [string, 'x'.repeat(41), `'${'x'.repeat(40)}…'`],
    [boolean, true, 'true'],
    [double, Number.POSITIVE_INFINITY, 'Infinity'],
    [double, 1.9, '1.9'],
    // What reads as a number where it is made text.
    [arrayOf(int), Int32Array.of(8), 'that is no scalar'],
  ])('%o: no queueSize is %o', (type, value, shown) => {
    expect(typed('queueSize', type, value)).toMatchObject({
      queueSize: 4,
      notices: [`record._options.queueSize ${shown}, a whole number from 2 to 1000 expected; 4 is used`],
    });
  });

  test.each(['8', '  8\t', '0x8', ' 0X08 '])('"%s" is a queueSize as text', (text) => {
    expect(typed('queueSize', string, text)).toMatchObject({ queueSize: 8, notices: [] });
  });

  test('what is no truth value is ignored and said', () => {
    expect(optionsOf('pipeline=maybe')).toMatchObject({
      pipeline: false,
      notices: ["record._options.pipeline 'maybe', true or false expected; ignored"],
    });
    expect(typed('atomic', arrayOf(int), Int32Array.of(1))).toMatchObject({
      atomic: undefined,
      notices: ['record._options.atomic that is no scalar, true or false expected; ignored'],
    });
  });

  test.each<[text: string, ackAny: number, noticeCount: number]>([
    ['queueSize=10', 5, 0],
    ['queueSize=10,ackAny=3', 3, 0],
    ['queueSize=10,ackAny=99', 10, 0],
    ['queueSize=10,ackAny=0', 5, 0],
    ['queueSize=10,ackAny=20%', 2, 0],
    ['queueSize=10,ackAny=12.5 %', 1, 0],
    ['queueSize=10,ackAny=1%', 5, 0],
    ['queueSize=10,ackAny=900%', 10, 0],
    ['queueSize=10,ackAny=-1', 5, 1],
    ['queueSize=10,ackAny=half', 5, 1],
    ['queueSize=2', 1, 0],
  ])('%s acknowledges after %i', (text, ackAny, noticeCount) => {
    const options = optionsOf(text);
    expect(options.ackAny).toBe(ackAny);
    expect(options.notices).toHaveLength(noticeCount);
  });

  test.each<[type: TypeDesc, value: PvValue, ackAny: number]>([
    [int, 3, 3],
    [ulong, 3n, 3],
    [double, 3.9, 3],
    [string, ' 75 % ', 3],
    [string, '74.99%', 2],
    [string, '75.%', 3],
    [string, '75', 4],
  ])('%o: %o acknowledges after %i of 4', (type, value, ackAny) => {
    expect(typed('ackAny', type, value)).toMatchObject({ ackAny, notices: [] });
  });

  test.each<[type: TypeDesc, value: PvValue, shown: string]>([
    [int, -1, '-1'],
    [string, 'about 75%', "'about 75%'"],
    [string, '75% of it', "'75% of it'"],
    [string, '75%%', "'75%%'"],
    [string, '.5%', "'.5%'"],
    [arrayOf(string), ['75%'], 'that is no scalar'],
  ])('%o: no ackAny is %o', (type, value, shown) => {
    expect(typed('ackAny', type, value)).toMatchObject({
      ackAny: 2,
      notices: [`record._options.ackAny ${shown}, a whole number or a part such as 50% expected; 2 is used`],
    });
  });

  test('a hostile text is shown by its beginning', () => {
    expect(optionsOf(`queueSize=${'9'.repeat(5_000)}`).notices).toEqual([expect.stringMatching(/^.{1,150}$/)]);
  });

  test('a value that lacks what its type promises is not there', () => {
    const type = structure({ record: structure({ _options: structure({ pipeline: string, constructor: string }) }) });
    const { raw, pipeline } = recordOptions({ type, value: { record: { _options: {} } } });
    expect(raw.get('constructor')).toBeNull();
    expect(pipeline).toBe(false);
  });

  test('a record that is no structure has none', () => {
    expect(recordOptions({ type: structure({ record: string }), value: { record: 'x' } }).raw.size).toBe(0);
    expect(
      recordOptions({ type: structure({ record: structure({ _options: int }) }), value: { record: { _options: 1 } } })
        .raw.size,
    ).toBe(0);
  });
});
