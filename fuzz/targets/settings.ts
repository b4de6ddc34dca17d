// Are the texts by which a site sets up its servers read, or refused with an error that says why? `.env` files, access
// rules, expressions.

import { AccessRules } from '../../src/channels/access/access-rules.ts';
import { hasNoRights } from '../../src/channels/access/rights.ts';
import type { AccessRule } from '../../src/channels/access/rule.ts';
import { expression } from '../../src/channels/expression/expression.ts';
import type { Peer } from '../../src/channels/peer.ts';
import { ConfigError, problemText } from '../../src/config/config-error.ts';
import { parseDotenv } from '../../src/config/dotenv.ts';
import { resolveClientConfig, resolveServerConfig } from '../../src/config/effective.ts';

import { mayRefuse, requireThat, textOf, utf8, type Target } from '../target.ts';

/** `.env`, also with the variables of EPICS in it, which the configurations of server and client are made of. */
export const dotenv: Target = {
  name: 'dotenv',
  seeds: () =>
    [
      '# a comment\nexport EPICS_PVA_ADDR_LIST="10.0.0.255 host:5076"\nEPICS_PVA_AUTO_ADDR_LIST=NO\n',
      'EPICS_PVAS_INTF_ADDR_LIST=127.0.0.1\nEPICS_PVAS_SERVER_PORT=5075\nEPICS_PVAS_BROADCAST_PORT=5076\n',
      "EPICS_PVA_NAME_SERVERS='127.0.0.1:5075 [::1]:5075'\nEPICS_PVA_CONN_TMO=30 # seconds\n",
      'EPICS_PVAS_IGNORE_ADDR_LIST="10.0.0.1:3 224.0.0.128,1@127.0.0.1"\nEPICS_PVAS_BEACON_ADDR_LIST=10.0.0.255\n',
      'TEXT="two\\nlines \\"quoted\\" \\$HOME"\r\nEMPTY=\nSPAN=\'one\ntwo\'\n',
    ].map(utf8),
  run(input) {
    const text = textOf(input);
    let problems = 0;
    const declared = parseDotenv(text, 'fuzz.env', (problem) => {
      problems++;
      requireThat(problem.message !== '' && problemText(problem) !== '', 'every problem says what it is');
    });
    const lineCount = text.split(/\r\n|\n|\r/u).length;
    for (const { line } of declared.values()) requireThat(line >= 1 && line <= lineCount, 'a name stands on a line');
    const dotenv = [{ file: 'fuzz.env', text }];
    for (const resolve of [resolveServerConfig, resolveClientConfig]) {
      try {
        requireThat(Object.isFrozen(resolve({ processEnvironment: {}, dotenv })), 'a configuration is frozen');
        requireThat(
          problems === 0 || resolve === resolveClientConfig,
          'a server does not begin with a file that is wrong',
        );
      } catch (thrown) {
        if (!(thrown instanceof ConfigError) || thrown.problems.length === 0) throw thrown;
      }
    }
  },
};

const NAMES = ['lab:a', 'lab:b:temp1', 'x', ''];
const ADDRESSES = ['127.0.0.1', '10.0.0.5', '192.168.1.77', '::1', '2001:db8::5'];

/** Rules as lines `user|host|method|channel|allow`; the last two lines are the user and the host of a client. */
export const access: Target = {
  name: 'access',
  // Eight bytes may be a rule, which every peer and name is held against.
  usPerByte: 16,
  seeds: () =>
    [
      '|||lab:*|read\noperator|ws*|ca|lab:a|write\n|10.0.0.0/16||*|none\noperator\nws1',
      'a?b*|127.0.0.1||*:temp?|write\n*|2001:db8::/32|anonymous||read\naxb\nhost',
      '|||*a*b*c*|write,rpc\nroot||||none\nroot\n10.0.0.5',
    ].map(utf8),
  run(input) {
    const lines = textOf(input).split('\n');
    const [user = '', host = ''] = lines.splice(-2);
    const rules = lines.map(ruleOf);
    const access = mayRefuse(() => new AccessRules(rules));
    if (access === undefined) return;
    const names = [...NAMES, user, host];
    access.findings(names);
    for (const peer of peers(user, host)) {
      const rightsOf = access.of(peer);
      for (const name of names) {
        const rights = rightsOf(name);
        requireThat(access.rightsOf(peer, name) === rights, 'rights do not depend on how they are asked for');
        const rule = access.ruleOf(peer, name);
        if (rule === undefined) requireThat(rights === access.otherwise, 'without a rule that fits the rest holds');
        requireThat(hasNoRights(rights) || access.mayReach(peer.address, name), 'who has rights is answered');
      }
    }
  },
};

function ruleOf(line: string): AccessRule {
  const [user, host, method, channel, allow = 'read'] = line.split('|');
  const patterns = (text: string | undefined): readonly string[] | undefined =>
    text === undefined || text === '' ? undefined : text.split(',');
  return {
    user: patterns(user),
    host: patterns(host),
    // What is no method is refused, as it would be from a program without types.
    method: patterns(method) as AccessRule['method'],
    channel: patterns(channel),
    // The same of rights.
    allow: allow.split(',') as unknown as AccessRule['allow'],
  };
}

function* peers(user: string, host: string): Generator<Peer, void> {
  for (const address of ADDRESSES) {
    yield { user: 'anonymous', host: '', address, port: 1, method: 'anonymous' };
    yield { user, host, address, port: 1, method: 'ca' };
  }
}

const INPUTS: readonly Readonly<Record<string, unknown>>[] = [
  { a: 1.5, b: -2, c: 0 },
  { a: 9_223_372_036_854_775_807n, b: -9_223_372_036_854_775_808n, c: 0n },
  { a: Number.NaN, b: Number.POSITIVE_INFINITY, c: true },
  { a: 3n, b: 0.1, c: 'text' },
];

/** Expressions of computed PVs: what can be read can be computed, whatever the inputs are. */
export const expressions: Target = {
  name: 'expression',
  seeds: () =>
    [
      'sqrt(a*a + b*b)',
      'a > 0 && !(b <= c) ? min(a, b, c) : -a^2^b',
      '1e3 % (a - 0x10) / pi || max(1, abs(b))',
      'floor(a) == round(b) != trunc(c)',
    ].map(utf8),
  run(input) {
    const act = mayRefuse(() => expression(textOf(input), ['a', 'b', 'c']));
    if (act === undefined) return;
    for (const inputs of INPUTS) {
      const value = act(inputs);
      requireThat(typeof value === 'number' || typeof value === 'bigint', 'an expression computes a number');
      requireThat(Object.is(act(inputs), value), 'the same inputs give the same number');
    }
  },
};
