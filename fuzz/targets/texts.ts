// Is text that people and files give read, or refused with an error that says why?

import { parsePvFlag } from '../../src/config/pv-flag.ts';
import type { ConfigProblem } from '../../src/config/config-error.ts';
import { parseTomlFile } from '../../src/config/toml-file.ts';
import { Variables } from '../../src/config/variables.ts';
import { configuredPv } from '../../src/server/configured-pv.ts';
import { ntScalar, ntScalarArray } from '../../src/protocol/normative/nt-scalar.ts';
import { parsePvRequest } from '../../src/protocol/pv-request.ts';
import { recordOptions } from '../../src/protocol/pv-request/record-options.ts';
import { selectionOf } from '../../src/protocol/pv-request/selection.ts';
import {
  any,
  boolean,
  double,
  int,
  long,
  string,
  structure,
  ubyte,
  union,
  type TypeDesc,
} from '../../src/protocol/types/type-desc.ts';
import { typeFromJsonSchema } from '../../src/protocol/types/json-schema-type.ts';
import { typeFromJson } from '../../src/protocol/types/type-from-json.ts';
import { coercePartial } from '../../src/protocol/values/coerce.ts';
import { inferType } from '../../src/protocol/values/infer-type.ts';
import { updateFromJson } from '../../src/protocol/values/parse-json.ts';
import { systemClock } from '../../src/transport/clocks.ts';

import { mayRefuse, requireThat, textOf, utf8, type Target } from '../target.ts';

const SAMPLE = structure('demo', {
  value: double,
  count: int,
  big: long,
  text: string,
  flag: boolean,
  choice: union({ number: double, text: string }),
  any,
  nested: structure({ a: ubyte }),
});
const TYPES: readonly TypeDesc[] = [SAMPLE, ntScalar(double, { display: true }), ntScalar(int), ntScalarArray(double)];

export const pvRequests: Target = {
  name: 'pv-request',
  seeds: () =>
    [
      '',
      'value,alarm',
      'field(value,nested.a)',
      'record[queueSize=10,pipeline=true]field(value)',
      'field()',
      'putField(a)getField(b)',
    ].map(utf8),
  run(input) {
    const request = mayRefuse(() => parsePvRequest(textOf(input)));
    if (request === undefined) return;
    mayRefuse(() => recordOptions(request));
    for (const type of [SAMPLE, ...TYPES]) if (type.kind === 'structure') mayRefuse(() => selectionOf(type, request));
  },
};

export const toml: Target = {
  name: 'toml',
  seeds: () =>
    [
      '[server]\nname = "lab"\ntcp_port = 5075\ninterfaces = ["127.0.0.1"]\n',
      '[[channels]]\nname = "a"\ntype = "double"\nvalue = 21.5\nunits = "C"\nalarm = { low = 5, high = 80 }\n',
      '[[channels]]\nname = "e"\ntype = "enum(Off|On)"\nvalue = "On"\n[limits]\nmax_links = 4\n',
      '[store]\nurl = "redis://${USER}@127.0.0.1:6379/0"\n[[access]]\nallow = "read"\npvs = ["lab:*"]\n',
    ].map(utf8),
  run(input) {
    const problems: ConfigProblem[] = [];
    const variables = new Variables({ processEnvironment: { USER: 'x' } }, () => undefined);
    const settings = parseTomlFile(textOf(input), 'fuzz.toml', variables, (problem) => problems.push(problem));
    requireThat((settings === undefined) === problems.length > 0, 'a file is read, or something is said about it');
    requireThat(
      problems.every(({ message }) => message !== ''),
      'every problem says what it is',
    );
  },
};

/** `NAME=TYPE:VALUE` of --pv; what is read can be served. */
export const pvFlags: Target = {
  name: 'pv-flag',
  seeds: () =>
    [
      'a=double:1.5',
      'a=int[]:[1,2,3]',
      'm=enum(Off|On):On',
      't=string:a b',
      'b=long:9007199254740993',
      'f=boolean:true',
    ].map(utf8),
  run(input) {
    const parsed = parsePvFlag(textOf(input));
    if (parsed.ok) configuredPv(parsed.value, systemClock);
    else requireThat(parsed.wrong !== '', 'a refusal says why');
  },
};

/** JSON of types, schemas and values. */
export const json: Target = {
  name: 'json',
  // Read, made a type of in three ways, and written again.
  usPerByte: 4,
  seeds: () =>
    [
      '{"value":1.5,"count":2,"big":"9007199254740993","text":"a","flag":true,"choice":{"select":"text","value":"x"}}',
      '{"any":{"type":"double[]","value":[1,"NaN"]},"nested":{"a":255},"nested.a":1}',
      '{"type":"object","properties":{"a":{"type":"integer"},"b":{"$ref":"#/properties/a"}}}',
      '{"kind":"structure","id":"x","fields":[{"name":"a","type":"int[8]"}]}',
      '{"x-pva-type":"union","oneOf":[{"type":"null"},{"properties":{"select":{"const":"a"},"value":{}}}]}',
      '[1,2,null,"a",[true]]',
    ].map(utf8),
  run(input) {
    let parsed: unknown;
    try {
      parsed = JSON.parse(textOf(input));
    } catch {
      return;
    }
    mayRefuse(() => typeFromJson(parsed));
    mayRefuse(() => typeFromJsonSchema(parsed));
    mayRefuse(() => inferType(parsed));
    mayRefuse(() => updateFromJson(SAMPLE, parsed));
    for (const type of TYPES) mayRefuse(() => coercePartial(type, parsed));
  },
};
