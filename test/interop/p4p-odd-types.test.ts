// Do p4p's clients cope with everything that a program of pvkit can serve, in either byte order?

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Context } from '../../src/client/context.ts';
import { expectCommandReads } from './support/command-reads.ts';
import { contextOf, p4pInfo, taggedGet } from './support/library.ts';
import { endEverything } from './support/line-process.ts';
import { clientEnvironment, firstBytes, LOOPBACK } from './support/loopback.ts';
import { P4pClient } from './support/p4p-client.ts';
import { startOddServer, type ServedAt } from './support/peers.ts';
import { fieldAt, withoutChanged } from './support/tagged.ts';
import { nextUpdate } from './support/updates.ts';

afterAll(endEverything);

describe.each([{ byteOrder: 'little' }, { byteOrder: 'big' }] as const)(
  'a $byteOrder-endian server of pvkit',
  (how) => {
    let server: ServedAt;
    let p4p: P4pClient;
    let context: Context;

    beforeAll(async () => {
      server = await startOddServer(how.byteOrder);
      const environment = clientEnvironment(server.udpPort);
      p4p = await P4pClient.start(environment);
      context = contextOf(environment);
    });
    afterAll(async () => {
      await p4p.end();
      await context.close();
      // It ends in good order when its input does.
      expect(await server.process.end()).toBe(0);
    });

    it('tells clients to speak it', async () => {
      // Control message SET_BYTE_ORDER of a server; bit 7 of the flags is the byte order that clients are to use.
      const flags = how.byteOrder === 'big' ? 'c1' : '41';
      expect(await firstBytes(server.tcpPort, 4)).toBe(`ca 02 ${flags} 02`);
    });

    it('gives p4p and pvkit the same values', async () => {
      for (const pvName of server.names) {
        expect(withoutChanged(await p4p.get(pvName)), pvName).toEqual(await taggedGet(context, pvName));
      }
    });

    it('gives p4p and pvkit the same types', async () => {
      const types = await p4p.types(server.names);
      for (const [index, pvName] of server.names.entries()) {
        expect(types[index], pvName).toEqual(await p4pInfo(context, pvName));
      }
    });

    it('gives p4p and the command line the same values and types', async () => {
      const at = `${LOOPBACK}:${server.tcpPort}`;
      await expectCommandReads(server.names, at, clientEnvironment(server.udpPort), p4p);
    });

    it('gives p4p what was set: unions, any, structures in lists', async () => {
      const value = await p4p.get('odd:all');
      expect(fieldAt(value, 'any', 'x')).toBe(7);
      expect(fieldAt(value, 'anys')).toEqual([1.5, 'second', { array: 'int32', items: [1, 2, 3] }]);
      expect(fieldAt(value, 'choice')).toBe('chosen');
      expect(fieldAt(value, 'choices')).toEqual([0.5, 'half']);
      expect(fieldAt(value, 'rows')).toMatchObject([
        { fields: { x: 1, label: 'one', nested: { fields: { deep: { int: '18446744073709551615' } } } } },
        { fields: { x: -2, label: '', nested: { fields: { deep: 0 } } } },
      ]);
      expect(fieldAt(value, 'inner', 'deep', 'leaf')).toEqual({ int: '-4611686018427387904' });
      expect(fieldAt(value, 'inner', 'deep', 'bytes')).toEqual({ array: 'uint8', items: [0, 128, 255] });
    });

    it('says which fields were ever set, and sends no others', async () => {
      expect(await p4p.get('odd:unset')).toMatchObject({ changed: [] });
      expect(await p4p.get('odd:double')).toMatchObject({ changed: ['display.units', 'value'] });
    });

    it('takes puts of members, of any and of lists from p4p', async () => {
      await p4p.put('odd:all', {
        any: 'now a text',
        choice: { union: 'number', value: 2.5 },
        'inner.deep.leaf': { int: '9223372036854775807' },
        rows: [{ x: 5, label: 'five' }],
      });
      const value = await taggedGet(context, 'odd:all');
      expect(value).toEqual(withoutChanged(await p4p.get('odd:all')));
      expect(fieldAt(value, 'any')).toBe('now a text');
      expect(fieldAt(value, 'choice')).toBe(2.5);
      expect(fieldAt(value, 'inner', 'deep', 'leaf')).toEqual({ int: '9223372036854775807' });
      expect(fieldAt(value, 'rows')).toMatchObject([{ fields: { x: 5, label: 'five' } }]);
      // What was not put stays.
      expect(fieldAt(value, 'choices')).toEqual([0.5, 'half']);
      expect(fieldAt(value, 'inner', 'flag')).toBe(true);
    });

    it('takes an image from p4p', async () => {
      const pixels = Array.from({ length: 5_000 }, (_, index) => (index * 7) % 65_536);
      await p4p.put('odd:image', {
        value: { union: 'ushortValue', value: { array: 'uint16', items: pixels } },
        uniqueId: 18,
      });
      const value = await taggedGet(context, 'odd:image');
      expect(fieldAt(value, 'value')).toEqual({ array: 'uint16', items: pixels });
      expect(fieldAt(value, 'uniqueId')).toBe(18);
      expect(fieldAt(value, 'dimension')).toHaveLength(2);
    });

    it('takes and gives arrays of 5 000 elements', async () => {
      const items = Array.from({ length: 5_000 }, (_, index) => Math.sqrt(index));
      expect(fieldAt(await p4p.get('odd:doubles'), 'value')).toMatchObject({ items: { length: 5_000 } });
      await p4p.put('odd:doubles', { value: { array: 'float64', items } });
      expect(fieldAt(await p4p.get('odd:doubles'), 'value')).toEqual({ array: 'float64', items });
      expect(fieldAt(await taggedGet(context, 'odd:doubles'), 'value')).toEqual({ array: 'float64', items });
    });

    it('shows p4p in a monitor what pvkit puts', async () => {
      const monitor = await p4p.monitor('odd:union');
      expect(fieldAt(await nextUpdate(monitor), 'value')).toBe(2.5);
      await context.put('odd:union', { value: { select: 'text', value: 'changed' } });
      expect(fieldAt(await nextUpdate(monitor), 'value')).toBe('changed');
      await context.put('odd:union', { value: { select: 'number', value: 2.5 } });
      expect(fieldAt(await nextUpdate(monitor), 'value')).toBe(2.5);
      await monitor.stop();
    });

    it('waits for a put that takes its time', async () => {
      await p4p.put('odd:slow-put', 3);
      expect(fieldAt(await p4p.get('odd:slow-put'), 'value')).toBe(3);
    });

    it.each([
      { pvName: 'odd:picky', value: 101, sentence: 'more than 100 is too much' },
      { pvName: 'odd:readonly', value: 1, sentence: 'read-only' },
    ])('refuses a put to $pvName with a sentence and changes nothing', async ({ pvName, value, sentence }) => {
      const before = await p4p.get(pvName);
      await expect(p4p.put(pvName, value)).rejects.toThrow(sentence);
      expect(await p4p.get(pvName)).toEqual(before);
    });

    it('answers calls: a sum, nothing, the arguments themselves', async () => {
      const args = [
        ['lhs', 'd', 1.5],
        ['rhs', 'l', { int: '4' }],
      ] as const;
      expect(fieldAt(await p4p.rpc('odd:add', args), 'value')).toBe(5.5);
      expect(await p4p.rpc('odd:void', [])).toBeNull();
      const echoed = await p4p.rpc('odd:echo', args);
      expect(echoed).toMatchObject({ structure: 'epics:nt/NTURI:1.0' });
      expect(fieldAt(echoed, 'path')).toBe('odd:echo');
      expect(fieldAt(echoed, 'query')).toMatchObject({ fields: { lhs: 1.5, rhs: 4 } });
    });

    it.each([
      { pvName: 'odd:fail', sentence: 'this service always fails' },
      { pvName: 'odd:add', sentence: 'lhs and rhs are expected' },
      { pvName: 'odd:double', sentence: 'takes no RPC' },
    ])('says why a call of $pvName fails', async ({ pvName, sentence }) => {
      await expect(p4p.rpc(pvName, [])).rejects.toThrow(sentence);
    });

    it.each([
      { kind: 'a monitor', request: 'record[queueSize=4]field(value)' },
      { kind: 'a pipeline monitor', request: 'record[pipeline=true,queueSize=4]field(value)' },
    ])('squashes a burst in $kind: counts go up, and the last one comes', async ({ request }) => {
      const monitor = await p4p.monitor('odd:bursty', { request });
      const before = Number(fieldAt(await nextUpdate(monitor), 'value'));
      await p4p.rpc('odd:burst', [['count', 'd', 1_000]]);
      const counts = [before];
      while (counts.at(-1) !== before + 1_000) {
        const count = Number(fieldAt(await nextUpdate(monitor), 'value'));
        expect(count).toBeGreaterThan(counts.at(-1) ?? Infinity);
        counts.push(count);
      }
      // A thousand at once are more than a queue of four can hold.
      expect(counts.length).toBeLessThan(1_000);
      await monitor.stop();
    });
  },
);
