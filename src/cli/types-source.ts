// How is a type of pvData written in TypeScript: as the builders that make it, or as the type of its values?

import {
  alarmType,
  controlType,
  displayFormType,
  displayType,
  enumDisplayType,
  enumType,
  ntEnum,
  ntNdArray,
  ntScalar,
  ntScalarArray,
  plainDisplayType,
  scalar,
  SCALAR_NAMES,
  timeStampType,
  valueAlarmType,
  type Field,
  type NtScalarOptions,
  type ScalarName,
  type TypeDesc,
} from '../protocol/index.ts';

/** An expression, and what it needs of `pvkit/protocol`. */
interface Known {
  readonly source: string;
  readonly imports: readonly string[];
}

const INDENT = '  ';
const IDENTIFIER = /^[A-Za-z_$][\w$]*$/u;
/** A plain object would put these elsewhere than where they stand. */
const UNORDERED = /^(?:\d+|__proto__)$/u;

/** The text of a string for TypeScript. */
export function literal(text: string): string {
  const escaped = JSON.stringify(text)
    .slice(1, -1)
    .replaceAll('\\"', '"')
    .replaceAll("'", String.raw`\'`);
  const unsafe = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu;
  return `'${escaped.replaceAll(unsafe, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`)}'`;
}

// --- builders --------------------------------------------------------------------------------------------------

/** The expression that makes the type; what it needs of `pvkit/protocol` is added to `imports`. */
export function builderSource(type: TypeDesc, imports: Set<string>, indent = ''): string {
  const known = knownTypes().get(type);
  if (known !== undefined) {
    for (const name of known.imports) imports.add(name);
    return known.source;
  }
  const use = (name: string): string => {
    imports.add(name);
    return name;
  };
  switch (type.kind) {
    case 'scalar':
      return use(type.scalar);
    case 'boundedString':
      return `${use('boundedString')}(${type.bound})`;
    case 'scalarArray': {
      const element = use(type.scalar);
      if (type.sizing === 'variable') return `${use('arrayOf')}(${element})`;
      return `${use(type.sizing === 'bounded' ? 'boundedArrayOf' : 'fixedArrayOf')}(${element}, ${type.size})`;
    }
    case 'structure':
    case 'union':
      return `${use(type.kind)}(${membersSource(type, imports, indent)})`;
    case 'structureArray':
    case 'unionArray':
      return `${use('arrayOf')}(${builderSource(type.element, imports, indent)})`;
    case 'any':
      return use('any');
    case 'anyArray':
      return use('anyArray');
  }
}

function membersSource(
  { id, fields }: { readonly id: string; readonly fields: readonly Field[] },
  imports: Set<string>,
  indent: string,
): string {
  const inner = indent + INDENT;
  const isList = fields.some(({ name }) => UNORDERED.test(name));
  const lines = fields.map((field) => {
    const source = builderSource(field.type, imports, inner);
    if (isList) return `${inner}{ name: ${literal(field.name)}, type: ${source} },\n`;
    return field.name === source ? `${inner}${source},\n` : `${inner}${key(field.name)}: ${source},\n`;
  });
  const body = lines.length === 0 ? '' : `\n${lines.join('')}${indent}`;
  if (isList) return `${literal(id)}, [${body}]`;
  return id === '' ? `{${body}}` : `${literal(id)}, {${body}}`;
}

function key(name: string): string {
  return IDENTIFIER.test(name) ? name : literal(name);
}

let known: ReadonlyMap<TypeDesc, Known> | undefined;

/** Types that have a shorter name. Equal types are one object, so that looking up finds them. */
function knownTypes(): ReadonlyMap<TypeDesc, Known> {
  known ??= new Map([
    ...named({ alarmType, timeStampType, enumType, plainDisplayType, enumDisplayType, ntEnum, ntNdArray }),
    ...SCALAR_NAMES.flatMap(substructuresOf),
    ...SCALAR_NAMES.flatMap(normativeTypesOf),
  ]);
  return known;
}

function named(types: Readonly<Record<string, TypeDesc>>): readonly (readonly [TypeDesc, Known])[] {
  return Object.entries(types).map(([name, type]) => [type, { source: name, imports: [name] }]);
}

function substructuresOf(name: ScalarName): readonly (readonly [TypeDesc, Known])[] {
  if (name === 'boolean' || name === 'string') return [];
  const makers = { displayType, displayFormType, controlType, valueAlarmType };
  return Object.entries(makers).map(([maker, make]) => [
    make(scalar(name)),
    { source: `${maker}(${name})`, imports: [maker, name] },
  ]);
}

function normativeTypesOf(name: ScalarName): readonly (readonly [TypeDesc, Known])[] {
  // The plainest options come last, and stay: text has no limits, so that options mean nothing to it.
  return OPTIONS.flatMap((options) => {
    const names = Object.keys(options).map((option) => `${option}: true`);
    const behind = names.length === 0 ? '' : `, { ${names.join(', ')} }`;
    return Object.entries({ ntScalar, ntScalarArray }).map(([maker, make]): readonly [TypeDesc, Known] => [
      make(scalar(name), options),
      { source: `${maker}(${name}${behind})`, imports: [maker, name] },
    ]);
  });
}

/** Every combination of options, those with the fewest last. */
const OPTIONS: readonly NtScalarOptions[] = [{ form: true } as const, { display: true } as const, {}]
  .flatMap((display) => [{ ...display, control: true } as const, display])
  .flatMap((options) => [{ ...options, valueAlarm: true } as const, options]);

// --- values ----------------------------------------------------------------------------------------------------

const SCALAR_VALUES: Readonly<Record<ScalarName, readonly [scalar: string, array: string]>> = {
  boolean: ['boolean', 'readonly boolean[]'],
  byte: ['number', 'Int8Array'],
  ubyte: ['number', 'Uint8Array'],
  short: ['number', 'Int16Array'],
  ushort: ['number', 'Uint16Array'],
  int: ['number', 'Int32Array'],
  uint: ['number', 'Uint32Array'],
  long: ['bigint', 'BigInt64Array'],
  ulong: ['bigint', 'BigUint64Array'],
  float: ['number', 'Float32Array'],
  double: ['number', 'Float64Array'],
  string: ['string', 'readonly string[]'],
};

/** The TypeScript type of the type's values, as `ValueOf` gives it; what it needs is added to `imports`. */
export function valueSource(type: TypeDesc, imports: Set<string>, indent = ''): string {
  const inner = indent + INDENT;
  switch (type.kind) {
    case 'scalar':
      return SCALAR_VALUES[type.scalar][0];
    case 'scalarArray':
      return SCALAR_VALUES[type.scalar][1];
    case 'boundedString':
      return 'string';
    case 'structure': {
      const fields = type.fields.map(
        (field) => `${inner}readonly ${key(field.name)}:${behind(valueSource(field.type, imports, inner))};\n`,
      );
      return fields.length === 0 ? '{}' : `{\n${fields.join('')}${indent}}`;
    }
    case 'union': {
      const members = type.fields.map(
        ({ name, type: member }) =>
          `\n${inner}| { readonly select: ${literal(name)}; readonly value:${behind(valueSource(member, imports, inner))} }`,
      );
      return [...members, members.length === 0 ? 'null' : `\n${inner}| null`].join('');
    }
    case 'structureArray':
      return `readonly (${valueSource(type.element, imports, indent)} | null)[]`;
    case 'unionArray':
      return `readonly (${valueSource(type.element, imports, indent)})[]`;
    case 'any':
      imports.add('AnyValue');
      return 'AnyValue';
    case 'anyArray':
      imports.add('AnyValue');
      return 'readonly AnyValue[]';
  }
}

/** Behind a colon or an equals sign: what begins on a line of its own needs no space. */
export function behind(source: string): string {
  return source.startsWith('\n') ? source : ` ${source}`;
}
