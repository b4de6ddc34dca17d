// Access rules and the put log in the TOML file: what they set, what a person sees of them, and how they can be wrong.

import { describe, expect, it } from 'vitest';

import { serverRows } from '../../src/config/effective-rows.ts';
import { resolveServerConfig, type ServerConfig } from '../../src/config/effective.ts';
import { parseTomlFile } from '../../src/config/toml-file.ts';

function resolve(...lines: readonly string[]): ServerConfig {
  return resolveServerConfig({
    processEnvironment: {},
    toml: { file: 'lab.toml', text: lines.join('\n'), parse: parseTomlFile },
  });
}

/** The faults, one a line. */
function faultsOf(...lines: readonly string[]): readonly string[] {
  try {
    resolve(...lines);
  } catch (thrown) {
    return String(thrown instanceof Error ? thrown.message : thrown).split('\n');
  }
  return [];
}

const RULES = [
  '[server]',
  'default_access = ["read", "call"]',
  '[log]',
  'puts = "puts.log"',
  '[[access]]',
  'user = ["alice", "op*"]',
  'host = "10.0.0.0/8"',
  'method = "ca"',
  'channel = "lab:*"',
  'allow = ["write", "call"]',
  '[[access]]',
  'channel = ["lab:secret", "lab:old:*"]',
  'allow = "none"',
];

describe('[[access]]', () => {
  it('sets rules with the line of each, and what holds where none fits', () => {
    const { accessRules, accessDefault, putLog, origins, warnings } = resolve(...RULES);
    expect(accessRules).toEqual([
      {
        user: ['alice', 'op*'],
        host: '10.0.0.0/8',
        method: 'ca',
        channel: 'lab:*',
        allow: ['write', 'call'],
        origin: 'lab.toml:5',
      },
      { channel: ['lab:secret', 'lab:old:*'], allow: 'none', origin: 'lab.toml:11' },
    ]);
    expect(accessDefault).toEqual(['read', 'call']);
    expect(putLog).toBe('puts.log');
    expect(origins.accessDefault).toBe('lab.toml:2');
    expect(origins.putLog).toBe('lab.toml:4');
    expect(warnings).toEqual([]);
  });

  it('is shown in the effective configuration', () => {
    const rows = (config: ServerConfig) => serverRows(config).filter(([key]) => /access|puts/u.test(key));
    expect(rows(resolve(...RULES))).toEqual([
      ['log.puts', 'puts.log', 'lab.toml:4'],
      ['server.default_access', 'read call', 'lab.toml:2'],
      ['access[0]', 'user alice op*, host 10.0.0.0/8, method ca, channel lab:*: write call', 'lab.toml:5'],
      ['access[1]', 'channel lab:secret lab:old:*: none', 'lab.toml:11'],
    ]);
    expect(rows(resolve('[[access]]', 'allow = "read"'))).toEqual([
      ['log.puts', '(none)', 'default'],
      ['server.default_access', 'none', 'default'],
      ['access[0]', 'everybody: read', 'lab.toml:1'],
    ]);
    expect(rows(resolve())).toEqual([
      ['log.puts', '(none)', 'default'],
      ['server.default_access', 'all', 'default'],
    ]);
  });

  it('that is not needed is a warning, and the server starts', () => {
    const { warnings } = resolve('[[access]]', 'allow = "read"', '[[access]]', 'user = "bob"', 'allow = "read"');
    expect(warnings).toEqual([
      'lab.toml:3: access[1]: is never reached and not needed: access[0] (lab.toml:1) fits the same and allows the same',
    ]);
  });

  it('may have placeholders', () => {
    const config = resolveServerConfig({
      processEnvironment: { OPERATORS: '10.1.0.0/16' },
      toml: { file: 'lab.toml', text: '[[access]]\nhost = "${OPERATORS}"\nallow = "all"', parse: parseTomlFile },
    });
    expect(config.accessRules).toMatchObject([{ host: '10.1.0.0/16' }]);
  });

  it.each<[string, readonly string[], readonly string[]]>([
    [
      'an unknown key',
      ['[[access]]', 'group = "x"', 'allow = "read"'],
      ['lab.toml:2: access[0].group: is no key of access; expected user, host, method, channel, allow'],
    ],
    [
      'a misspelled key',
      ['[[access]]', 'chanel = "x"', 'allow = "read"'],
      ['lab.toml:2: access[0].chanel: is no key of access; did you mean "channel"?'],
    ],
    [
      'no right',
      ['[[access]]', 'user = "x"'],
      [
        'lab.toml:1: access[0].allow: is missing; expected one of none, read, write, call, all, manage, or a list of such',
      ],
    ],
    [
      'an unknown right in a list',
      ['[[access]]', 'allow = ["read", "delete"]'],
      [
        'lab.toml:2: access[0].allow: is the string "delete"; expected one of none, read, write, call, all, manage, or a list of such',
      ],
    ],
    [
      'a user that is no text',
      ['[[access]]', 'user = [1]', 'allow = "read"'],
      ['lab.toml:2: access[0].user: is the integer 1; expected a string, or a list of such'],
    ],
    [
      'an unknown method',
      ['[[access]]', 'method = "x509"', 'allow = "read"'],
      ['lab.toml:2: access[0].method: is the string "x509"; expected one of anonymous, ca, or a list of such'],
    ],
    ['a table', ['[access]', 'allow = "read"'], ['lab.toml:1: access: is a table; expected an array']],
    [
      'rights that exclude each other',
      ['[[access]]', 'allow = ["none", "read"]'],
      ['lab.toml:2: access[0].allow: has "none" beside other rights'],
    ],
    [
      'an empty list',
      ['[[access]]', 'channel = []', 'allow = "read"'],
      ['lab.toml:2: access[0].channel: is an empty list, which fits nothing; leave it out for everything'],
    ],
    [
      'a host in a list on a line of its own',
      ['[[access]]', 'host = [', '  "ws1",', '  "10.0.*",', ']', 'allow = "read"'],
      ['lab.toml:4: access[0].host[1]: is no address; write a network as in "10.0.0.0/16"'],
    ],
    [
      'a rule for nobody',
      ['[[access]]', 'user = "alice"', 'method = "anonymous"', 'allow = "read"'],
      ['lab.toml:2: access[0].user: fits nobody: a client of method anonymous is user "anonymous"'],
    ],
    [
      'rules that contradict each other',
      ['[[access]]', 'channel = "a"', 'allow = "read"', '', '[[access]]', 'channel = "a"', 'allow = "all"'],
      [
        'lab.toml:5: access[1]: contradicts access[0] (lab.toml:1): both fit the same clients and PVs, one allows read, the other read, write, call',
      ],
    ],
    [
      'a rule behind a wider one',
      ['[[access]]', 'allow = "none"', '[[access]]', 'user = "alice"', 'allow = "all"'],
      [
        'lab.toml:3: access[1]: is never reached: access[0] (lab.toml:1) stands before it, fits all that it fits, and allows none where it would allow read, write, call; put the narrower rule first',
      ],
    ],
    [
      'more than one thing, and beside other faults',
      [
        '[server]',
        'tcp_port = "x"',
        '[[access]]',
        'user = ""',
        'allow = "read"',
        '[[access]]',
        'host = ""',
        'allow = "read"',
      ],
      [
        'lab.toml:2: server.tcp_port: is the string "x"; expected an integer from 0 to 65535',
        'lab.toml:4: access[0].user: is empty',
        'lab.toml:7: access[1].host: is empty',
      ],
    ],
    [
      'a default that is no right',
      ['[server]', 'default_access = "some"'],
      [
        'lab.toml:2: server.default_access: is the string "some"; expected one of none, read, write, call, all, manage, or a list of such',
      ],
    ],
    [
      'a put log without a name',
      ['[log]', 'puts = ""'],
      ['lab.toml:2: log.puts: is the string ""; expected the name of a file, or "-"'],
    ],
  ])('cannot have %s', (_what, lines, faults) => {
    expect(faultsOf(...lines)).toEqual(faults);
  });

  it('cannot have a thousand rules and one', () => {
    const lines = Array.from({ length: 1_001 }, (_, index) => `[[access]]\nuser = "u${index}"\nallow = "read"`);
    expect(faultsOf(...lines)).toEqual(['lab.toml:1: access: has 1001 rules; at most 1000 are allowed']);
    expect(resolve(...lines.slice(1)).accessRules).toHaveLength(1_000);
  });
});
