// What does core-pva's command line `pvaclient` print, and what should it print for a value of pvkit?

import type { BitSet } from '../../../src/protocol/bit-set.ts';
import type { StructureType, TypeDesc } from '../../../src/protocol/types/type-desc.ts';
import type { PvValue, StructureValue } from '../../../src/protocol/types/value-of.ts';
import type { TypedUpdate } from '../../../src/protocol/values/update.ts';
import { runToEnd, type Ended, type Environment } from './line-process.ts';
import { JAVA_CLASSES } from './peers.ts';

/** What core-pva shows of scalars that never came, where that is not the default of all others. */
const UNSENT: Readonly<Record<string, string>> = { float: 'NaN', double: 'NaN', string: 'null' };
const INDENT = '    ';
/** So that arrays are printed whole. */
const ALL_ELEMENTS = '100000';

export const PVACLIENT = ['-cp', JAVA_CLASSES, 'org.epics.pva.client.PVAClientMain'];

/** Settings of core-pva beside those that all clients have. */
export function javaEnvironment(environment: Environment): Environment {
  return { ...environment, EPICS_PVA_MAX_ARRAY_FORMATTING: ALL_ELEMENTS, EPICS_PVA_ENABLE_IPV6: 'NO' };
}

/** Runs `pvaclient ARGS` to its end. */
export function pvaclient(args: readonly string[], environment: Environment): Promise<Ended> {
  return runToEnd('java', [...PVACLIENT, ...args], javaEnvironment(environment));
}

/** The lines that `get` and `info` printed for each PV: `NAME = FIRST LINE` and the indented ones below it. */
export function blocksOf(stdout: string): ReadonlyMap<string, readonly string[]> {
  const blocks = new Map<string, string[]>();
  let block: string[] = [];
  for (const line of stdout.split('\n')) {
    const [, name, first] = /^(\S+) = (.*)$/u.exec(line) ?? [];
    if (name !== undefined && first !== undefined) {
      block = [first];
      blocks.set(name, block);
    } else if (line !== '') block.push(line);
  }
  return blocks;
}

/** What `info` prints for a PV of this type. */
export function javaTypeLines(type: TypeDesc, name = '', level = 0): string[] {
  const indent = INDENT.repeat(level);
  switch (type.kind) {
    case 'structure':
    case 'union':
      return [`${indent}${idOf(type)} ${name}`, ...memberLines(type, level + 1)];
    case 'structureArray': {
      const list = type.element.id === '' ? 'structure[]' : `${type.element.id}[]`;
      return [`${indent}${list} ${name}`, ...javaTypeLines(type.element, '', level + 1)];
    }
    case 'scalar':
      return [`${indent}${type.scalar} ${name}`];
    case 'scalarArray':
      return [`${indent}${type.scalar}[] ${name}`];
    case 'any':
      return [`${indent}any ${name}`];
    default:
      throw new Error(`core-pva 5.0.5 has no ${type.kind}`);
  }
}

function memberLines({ fields }: Pick<StructureType, 'fields'>, level: number): string[] {
  return fields.flatMap(({ name, type }) => javaTypeLines(type, name, level));
}

function idOf({ id, kind }: { readonly id: string; readonly kind: string }): string {
  return id === '' ? kind : id;
}

/** What `get` prints for a value that pvkit read, in the form that `plainLines` gives. */
export function javaReadingLines({ type, value, changed }: TypedUpdate): string[] {
  return valueLines(type, value, { sent: changed, bit: 0, name: '', level: 0 });
}

interface Place {
  /** The bits that came; what did not keeps the default of core-pva. */
  readonly sent: BitSet | undefined;
  readonly bit: number;
  readonly name: string;
  readonly level: number;
}

function valueLines(type: TypeDesc, value: PvValue, place: Place): string[] {
  const { sent, bit, name, level } = place;
  const indent = INDENT.repeat(level);
  /** Something inside of this whole: it came as this did. */
  const inner = (innerType: TypeDesc, innerValue: PvValue, innerName: string): string[] =>
    valueLines(innerType, innerValue, { sent: undefined, bit: 0, name: innerName, level: level + 1 });
  // Each cast follows from the type, whose values these are.
  switch (type.kind) {
    case 'scalar': {
      const isSent = sent === undefined || sent.has(bit);
      return [`${indent}${type.scalar} ${name} ${isSent ? textOf(value) : (UNSENT[type.scalar] ?? textOf(value))}`];
    }
    case 'scalarArray': {
      const items = Array.from(value as ArrayLike<PvValue>, textOf);
      return [`${indent}${type.scalar}[] ${name} [${items.join(', ')}]`];
    }
    case 'structure':
      return [`${indent}${idOf(type)} ${name}`, ...structureLines(type, value as StructureValue, place)];
    case 'union': {
      const head = `${indent}${idOf(type)} ${name}`;
      if (value === null) return [head, `${indent}${INDENT}- nothing selected -`];
      const { select, value: selected } = value as { readonly select: string; readonly value: PvValue };
      const member = type.fields[type.indexOf.get(select) ?? -1];
      if (member === undefined) throw new Error(`union has no member '${select}'`);
      return [head, ...inner(member.type, selected, select)];
    }
    case 'any': {
      const head = `${indent}any ${name}`;
      if (value === null) return [head, `${indent}${INDENT}(none)`];
      const content = value as { readonly type: TypeDesc; readonly value: PvValue };
      return [head, ...inner(content.type, content.value, 'any')];
    }
    case 'structureArray': {
      const list = type.element.id === '' ? 'structure[]' : `${type.element.id}[]`;
      const elements = value as readonly StructureValue[];
      return [`${indent}${list} ${name}`, ...elements.flatMap((element) => inner(type.element, element, ''))];
    }
    default:
      throw new Error(`core-pva 5.0.5 has no ${type.kind}`);
  }
}

function structureLines(type: StructureType, value: StructureValue, { sent, bit, level }: Place): string[] {
  const isWhole = sent === undefined || sent.has(bit);
  let next = bit + 1;
  return type.fields.flatMap((field) => {
    const place = { sent: isWhole ? undefined : sent, bit: next, name: field.name, level: level + 1 };
    next += field.type.bitCount;
    return valueLines(field.type, value[field.name] ?? null, place);
  });
}

/**
 * The printed lines with numbers spelled as JavaScript does (Java writes 6.02E23, and floats in the digits of a float)
 * and without the remark that core-pva adds to alarms, times and choices: `alarm_t alarm [NO_ALARM]`.
 */
export function plainLines(lines: readonly string[]): string[] {
  return lines.map((line) => {
    const floating = /^( *(float|double)(?:\[\])? \S* )(.*)$/u.exec(line);
    if (floating !== null) {
      const [, head = '', type = '', rest = ''] = floating;
      return head + rest.replaceAll(/[^[\], ]+/gu, (number) => textOf(numberOf(type, number)));
    }
    return line.replace(/^( *[a-z]\w*_t \w*) \[.*\]$/u, '$1');
  });
}

function numberOf(type: string, text: string): number {
  return type === 'float' ? Math.fround(Number(text)) : Number(text);
}

function textOf(value: unknown): string {
  return Object.is(value, -0) ? '-0' : String(value);
}
