// What may which client do with which PV, and which rules cannot be meant as they are?
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AccessRules } from '../../../src/channels/access/access-rules.ts';
import {
  ALL_RIGHTS,
  hasNoRights,
  NO_RIGHTS,
  rightsOfWords,
  rightsText,
  type Allow,
  type AllowWord,
} from '../../../src/channels/access/rights.ts';
import type { AccessRule } from '../../../src/channels/access/rule.ts';
import type { Peer } from '../../../src/channels/peer.ts';

function peer(user: string, { host = '', address = '10.0.0.5' } = {}): Peer {
  const method = user === 'anonymous' ? 'anonymous' : 'ca';
  return { user, host, address, port: 40_000, method };
}

const ALICE = peer('alice', { host: 'ws1' });
const BOB = peer('bob', { host: 'ws2', address: '10.1.0.7' });
const NOBODY = peer('anonymous');

describe('rules', () => {
  const rules = new AccessRules([
    { channel: 'lab:safety:*', allow: 'read' },
    { user: ['alice', 'op*'], method: 'ca', allow: 'all' },
    { host: '10.1.0.0/16', channel: ['lab:b:*', 'lab:call'], allow: ['write', 'call'] },
    { method: 'anonymous', channel: 'lab:hidden', allow: 'none' },
    { channel: 'lab:*', allow: 'read' },
  ]);

  it.each([
    ['the first that fits decides, even against a later one that allows more', ALICE, 'lab:safety:door', 'read'],
    ['a user of a list', ALICE, 'lab:x', 'read, write, call'],
    ['a user by a pattern', peer('operator7'), 'other', 'read, write, call'],
    ['the method belongs to the rule', { ...peer('alice'), method: 'anonymous' as const }, 'lab:x', 'read'],
    ['a network and a channel', BOB, 'lab:b:1', 'read, write, call'],
    ['a network and another channel', BOB, 'lab:c:1', 'read'],
    ['another network', peer('bob', { address: '10.2.0.7' }), 'lab:b:1', 'read'],
    ['none is a right like others', NOBODY, 'lab:hidden', 'none'],
    ['the last rule is for the rest', NOBODY, 'lab:x', 'read'],
    ['what no rule fits is not allowed', NOBODY, 'other', 'none'],
  ])('%s', (_what, who, pvName, expected) => {
    expect(rightsText(rules.rightsOf(who, pvName))).toBe(expected);
  });

  it('tell which of them decides', () => {
    expect(rules.ruleOf(ALICE, 'lab:safety:door')).toBe(rules.rules[0]);
    expect(rules.ruleOf(NOBODY, 'other')).toBeUndefined();
  });

  it('that there are none of allow everything', () => {
    expect(new AccessRules([]).rightsOf(NOBODY, 'x')).toEqual(ALL_RIGHTS);
  });

  it.each<[readonly AccessRule[], Allow | undefined, string]>([
    [[], 'read', 'read'],
    [[{ user: 'alice', allow: 'all' }], 'read', 'read'],
    [[{ user: 'alice', allow: 'all' }], ['read', 'call'], 'read, call'],
    [[{ user: 'alice', allow: 'all' }], undefined, 'none'],
  ])('%o with %o otherwise: %s', (list, otherwise, expected) => {
    expect(rightsText(new AccessRules(list, { otherwise }).rightsOf(BOB, 'x'))).toBe(expected);
  });

  it('write includes read, as in EPICS access security', () => {
    expect(rightsOfWords('write')).toEqual({ read: true, write: true, call: false });
    expect(rightsOfWords(['call', 'read'])).toEqual({ read: true, write: false, call: true });
    expect(rightsOfWords('none')).toEqual(NO_RIGHTS);
  });
});

describe('a rule that cannot be', () => {
  const none: readonly AllowWord[] = [];
  // What TypeScript refuses comes from files and from JavaScript.
  const word = (text: string): AllowWord => text as AllowWord;

  it.each<[string, AccessRule, string]>([
    ['no right', { allow: none }, 'access[0].allow: names no right; write "none" for none'],
    ['none and another', { allow: ['none', 'read'] }, 'access[0].allow: has "none" beside other rights'],
    [
      'an unknown right',
      { allow: word('delete') },
      'access[0].allow: is "delete"; expected one of none, read, write, call, all, manage',
    ],
    ['an empty user', { user: '', allow: 'read' }, 'access[0].user: is empty'],
    ['an empty channel in a list', { channel: ['a', ''], allow: 'read' }, 'access[0].channel[1]: is empty'],
    [
      'an empty list',
      { channel: [], allow: 'read' },
      'access[0].channel: is an empty list, which fits nothing; leave it out for everything',
    ],
    ['no network', { host: ['ws1', '10.0.*'], allow: 'read' }, 'access[0].host[1]: is no address'],
    [
      'a method nobody has',
      { method: 'x509' as 'ca', allow: 'read' },
      'access[0].method: is "x509"; expected one of anonymous, ca',
    ],
    [
      'an anonymous client with a name',
      { user: 'alice', method: 'anonymous', allow: 'read' },
      'access[0].user: fits nobody: a client of method anonymous is user "anonymous"',
    ],
    [
      'an anonymous client on a host with a name',
      { host: 'ws1', method: 'anonymous', allow: 'read' },
      'access[0].host: fits nobody: a client of method anonymous tells no host name, write its address',
    ],
  ])('%s', (_what, rule, sentence) => {
    expect(() => new AccessRules([rule])).toThrow(sentence);
  });

  it('an anonymous client may be meant by its address, or by any name', () => {
    expect(() => new AccessRules([{ host: ['ws1', '10.0.0.1'], method: 'anonymous', allow: 'read' }])).not.toThrow();
    expect(() => new AccessRules([{ user: 'anon*', host: '*', method: 'anonymous', allow: 'read' }])).not.toThrow();
  });
});

describe('a rule behind another', () => {
  const at = (line: number, rule: AccessRule): AccessRule => ({ ...rule, origin: `lab.toml:${line}` });

  it('that says otherwise of the same clients and PVs contradicts it', () => {
    const list = [
      at(1, { user: 'alice', channel: ['a', 'b'], allow: 'read' }),
      at(5, { user: 'alice', channel: ['b', 'a'], allow: 'write' }),
    ];
    expect(() => new AccessRules(list)).toThrow(
      'lab.toml:5: access[1]: contradicts access[0] (lab.toml:1): both fit the same clients and PVs, one allows read, the other read, write',
    );
  });

  it('that is narrower and says otherwise is never reached', () => {
    const list = [at(1, { channel: '*', allow: 'none' }), at(4, { user: 'alice', channel: 'lab:*', allow: 'read' })];
    expect(() => new AccessRules(list)).toThrow(
      'lab.toml:4: access[1]: is never reached: access[0] (lab.toml:1) stands before it, fits all that it fits, and allows none where it would allow read; put the narrower rule first',
    );
  });

  it('that is narrower and says the same is not needed', () => {
    const { warnings } = new AccessRules([
      { host: '10.0.0.0/8', allow: 'read' },
      { host: '10.1.0.0/16', user: 'bob', method: 'ca', allow: 'read' },
    ]);
    expect(warnings).toEqual([
      'access[1]: is never reached and not needed: access[0] fits the same and allows the same',
    ]);
  });

  it('that overlaps it is meant', () => {
    const { warnings } = new AccessRules([
      { user: 'alice', allow: 'write' },
      { channel: 'lab:*', allow: 'read' },
      { method: ['anonymous', 'ca'], host: '*', allow: 'none' },
    ]);
    expect(warnings).toEqual([]);
  });

  it('both methods are all methods', () => {
    expect(
      () =>
        new AccessRules([
          { method: ['anonymous', 'ca'], allow: 'read' },
          { user: 'alice', allow: 'write' },
        ]),
    ).toThrow('is never reached');
  });

  it('all faults are told at once', () => {
    const list: AccessRule[] = [{ user: '', allow: 'read' }, { allow: 'read' }, { channel: 'x', allow: 'all' }];
    expect(() => new AccessRules(list)).toThrow(/access\[0\]\.user: is empty\naccess\[2\]: is never reached/u);
  });

  it('tells the first faults of a list that is wrong in a quarter of a million items, and how many more there are', () => {
    const list: AccessRule[] = [{ user: Array<string>(250_000).fill(''), allow: 'read' }];
    expect(() => new AccessRules(list)).toThrow(
      /^access\[0\]\.user\[0\]: is empty\n(?:.*\n){98}access\[0\]\.user\[99\]: is empty\nand 249900 more faults$/u,
    );
  });
});

describe('what is hardly meant', () => {
  const names = ['lab:x', 'lab:y', 'cam:1'];

  it('a pattern that names no PV, and PVs that no rule is for', () => {
    const rules = new AccessRules([
      { channel: ['lab:x', 'lab:z*'], allow: 'read', origin: 'lab.toml:3' },
      { user: 'alice', channel: 'typo', allow: 'write' },
    ]);
    expect(rules.findings(names)).toEqual([
      'lab.toml:3: access[0].channel: names no PV of this server with "lab:z*"',
      'access[1].channel: names no PV of this server with "typo"',
      'access: nobody may use lab:y and 1 more PV: no rule is for that, and what no rule allows is not allowed',
    ]);
  });

  it('nothing, where all is said', () => {
    expect(new AccessRules([]).findings(names)).toEqual([]);
    expect(new AccessRules([{ channel: 'lab:*', allow: 'none' }], { otherwise: 'read' }).findings(names)).toEqual([]);
    expect(new AccessRules([{ allow: 'read' }]).findings(names)).toEqual([]);
  });
});

describe('the order of rules', () => {
  const word = fc.constantFrom<AllowWord>('none', 'read', 'write', 'call', 'all');
  const some = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<T | T[] | undefined> =>
    fc.oneof(fc.constant(undefined), values, fc.array(values, { minLength: 1, maxLength: 3 }));
  const rule: fc.Arbitrary<AccessRule> = fc.record({
    user: some(fc.constantFrom('alice', 'bob', 'a*', '?ob')),
    host: some(fc.constantFrom('ws1', 'ws*', '10.0.0.5', '10.0.0.0/8', '10.1.0.0/16')),
    method: some(fc.constantFrom('ca' as const, 'anonymous' as const)),
    channel: some(fc.constantFrom('lab:x', 'lab:*', '*:x', 'cam:?')),
    allow: word,
  });
  const peers = fc.constantFrom(
    ALICE,
    BOB,
    NOBODY,
    peer('bob', { host: 'ws1', address: '192.168.0.1' }),
    peer('carol', { host: 'other', address: '10.1.2.3' }),
  );
  const names = fc.constantFrom('lab:x', 'lab:y', 'cam:1', 'cam:x');

  const list = (patterns: string | readonly string[] | undefined): readonly string[] =>
    patterns === undefined ? ['*'] : [patterns].flat();
  const regex = (text: string): RegExp =>
    new RegExp(`^${text.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.')}$`, 'u');
  const NETWORKS: Readonly<Record<string, string>> = { '10.0.0.0/8': '10.', '10.1.0.0/16': '10.1.' };

  /** What docs/access.md says, word by word. */
  function naive(rules: readonly AccessRule[], who: Peer, pvName: string): string {
    for (const { user, host, method, channel, allow } of rules) {
      const fits =
        list(user).some((text) => regex(text).test(who.user)) &&
        list(host).some((text) => {
          const network = NETWORKS[text];
          if (network !== undefined) return who.address.startsWith(network);
          return /^\d/u.test(text) ? who.address === text : regex(text).test(who.host);
        }) &&
        (method === undefined || [method].flat().includes(who.method)) &&
        list(channel).some((text) => regex(text).test(pvName));
      if (fits) return rightsText(rightsOfWords(allow));
    }
    return rules.length === 0 ? 'read, write, call' : 'none';
  }

  /** Rules that are accepted: those that would not be are left out. */
  function accepted(rules: readonly AccessRule[]): AccessRules {
    let kept: readonly AccessRule[] = [];
    for (const next of rules) {
      try {
        kept = new AccessRules([...kept, next]).rules;
      } catch {
        // Contradicts, or is never reached.
      }
    }
    return new AccessRules(kept);
  }

  it('is from top to bottom, and the first that fits decides', () => {
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 6 }), peers, names, (rules, who, pvName) => {
        const made = accepted(rules);
        expect(rightsText(made.rightsOf(who, pvName))).toBe(naive(made.rules, who, pvName));
      }),
      { numRuns: 300 },
    );
  });

  it('a rule that is refused as never reached would never have decided', () => {
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 5 }), rule, peers, names, (rules, last, who, pvName) => {
        const made = accepted(rules);
        let isReached = true;
        try {
          isReached = new AccessRules([...made.rules, last]).warnings.length === made.warnings.length;
        } catch (thrown) {
          isReached = !/never reached|contradicts/u.test(String(thrown));
        }
        fc.pre(!isReached && made.rules.length > 0);
        // Nor does anything change where it stands at the end.
        expect(naive([...made.rules, last], who, pvName)).toBe(naive(made.rules, who, pvName));
      }),
      { numRuns: 200 },
    );
  });

  it('a name is hidden from an address only if no client there may do anything with it', () => {
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 6 }), peers, names, (rules, who, pvName) => {
        const made = accepted(rules);
        if (!hasNoRights(made.rightsOf(who, pvName))) expect(made.mayReach(who.address, pvName)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it.each<[string, readonly AccessRule[], string, boolean]>([
    ['no rule', [], 'x', true],
    ['none for all', [{ channel: 'x', allow: 'none' }], 'x', false],
    ['none behind something for somebody', [{ user: 'alice', allow: 'read' }, { allow: 'none' }], 'x', true],
    ['something for another network', [{ host: '10.1.0.0/16', allow: 'read' }], 'x', false],
    ['something for a name', [{ host: 'ws1', allow: 'read' }], 'x', true],
    ['something for all', [{ allow: 'call' }], 'x', true],
  ])('a search is answered with %s', (_what, rules, pvName, expected) => {
    expect(new AccessRules(rules).mayReach('10.0.0.5', pvName)).toBe(expected);
  });
});
