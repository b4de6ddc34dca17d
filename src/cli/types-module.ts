// Which TypeScript file has the types of these PVs, for `context.get(name, { type })`?

import type { TypeDesc } from '../protocol/index.ts';
import { behind, builderSource, literal, valueSource } from './types-source.ts';

/** A PV and the type that its server describes. */
export interface TypedPv {
  readonly pvName: string;
  readonly type: TypeDesc;
}

/** The first line of every file; one without it was not written here. */
export const FILE_HEAD = '// Types of PVs as their servers describe them, written by `pvkit types`.';
const PACKAGE = 'pvkit/protocol';
const RESERVED = new Set(
  `arguments await break case catch class const continue debugger default delete do else enum eval export extends false
finally for function if implements import in instanceof interface let new null package private protected public return
static super switch this throw true try typeof undefined var void while with yield pvTypes`.split(/\s/u),
);

/** A module: one constant for each PV, the type of its values, and all of them by name. */
export function moduleSource(pvs: readonly TypedPv[]): string {
  const imports = new Set<string>();
  const sources = pvs.map(({ type }) => builderSource(type, imports));
  const names = identifiers(pvs, new Set([...RESERVED, ...imports]));
  const first = new Map<TypeDesc, string>();
  const constants = pvs.map(({ pvName, type }, index) => {
    const name = names[index] ?? '';
    const source = first.get(type) ?? sources[index] ?? '';
    if (!first.has(type)) first.set(type, name);
    return [
      `/** ${inComment(pvName)} */`,
      `export const ${name} = ${source};`,
      `export type ${typeName(name)} = ValueOf<typeof ${name}>;`,
      '',
    ].join('\n');
  });
  const table = pvs.map(({ pvName }, index) => `  ${literal(pvName)}: ${names[index] ?? ''},\n`);
  return [
    `${FILE_HEAD}\n`,
    `import {\n${[...imports]
      .toSorted()
      .map((name) => `  ${name},\n`)
      .join('')}  type ValueOf,\n} from '${PACKAGE}';\n`,
    ...constants,
    `/** By the names of the PVs. */\nexport const pvTypes = {\n${table.join('')}} as const;\n`,
  ].join('\n');
}

/** A declaration file: the types of values alone, which need no module at run time. */
export function declarationSource(pvs: readonly TypedPv[]): string {
  const imports = new Set<string>();
  const names = identifiers(pvs, new Set([...RESERVED, 'anyValue', 'pvValues']));
  const types = pvs.map(({ pvName, type }, index) => {
    const source = valueSource(type, imports);
    return `/** ${inComment(pvName)} */\nexport type ${typeName(names[index] ?? '')} =${behind(source)};\n`;
  });
  const table = pvs.map(({ pvName }, index) => `  readonly ${literal(pvName)}: ${typeName(names[index] ?? '')};\n`);
  const needed = [...imports].toSorted().join(', ');
  return [
    `${FILE_HEAD}\n`,
    ...(imports.size === 0 ? [] : [`import type { ${needed} } from '${PACKAGE}';\n`]),
    ...types,
    `/** By the names of the PVs. */\nexport interface PvValues {\n${table.join('')}}\n`,
  ].join('\n');
}

/** One for each PV: `lab:beam-current` is `labBeamCurrent`. */
function identifiers(pvs: readonly TypedPv[], taken: Set<string>): readonly string[] {
  return pvs.map(({ pvName }) => {
    const words = pvName.split(/[^A-Za-z0-9]+/u).filter((word) => word !== '');
    const camel = words.map((word, index) => (index === 0 ? lowerFirst(word) : upperFirst(word))).join('');
    const plain = /^[a-z]/u.test(camel) ? camel : `pv${upperFirst(camel)}`;
    let name = plain;
    for (let count = 2; taken.has(name); count++) name = `${plain}${count}`;
    taken.add(name);
    return name;
  });
}

function typeName(identifier: string): string {
  return upperFirst(identifier);
}

function lowerFirst(word: string): string {
  return word.charAt(0).toLowerCase() + word.slice(1);
}

function upperFirst(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** The name of a PV must not end the comment that it stands in. */
function inComment(pvName: string): string {
  return literal(pvName)
    .slice(1, -1)
    .replaceAll('*/', String.raw`*\/`);
}
