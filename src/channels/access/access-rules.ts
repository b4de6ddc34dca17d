// What may which client do with which PV? A list of rules, read from top to bottom: the first that fits the client and
// the PV decides, and it alone.

import { counted } from '../../protocol/counted.ts';
import { LocalProtocolError } from '../../protocol/errors.ts';
import type { Peer } from '../peer.ts';
import { ALL_RIGHTS, NO_RIGHTS, hasNoRights, rightsOfWords, rightsText, sameRights } from './rights.ts';
import type { AccessRights, Allow } from './rights.ts';
import { ReadyRule, ruleFaults, type AccessRule, type RuleFault } from './rule.ts';

/** What beside the rules makes `AccessRules`. */
export interface AccessRulesOptions {
  /** What is allowed where no rule fits; by default nothing, as soon as there is a rule at all. */
  readonly otherwise?: Allow | undefined;
}

/** What is odd about one of several rules. */
export interface RuleFinding {
  /** From 0. */
  readonly rule: number;
  /** The key that is at fault; undefined for the whole rule. */
  readonly key?: RuleFault['key'];
  /** Which of several patterns of the key, from 0. */
  readonly item?: number;
  /** The rest of a sentence that begins with the rule. */
  readonly message: string;
}

/** What one client may do with each PV. */
export type RightsOfPeer = (pvName: string) => AccessRights;

/** A list that was meant to be something else is wrong in each item. */
const MOST_FAULTS_TOLD = 100;

/** An ordered list of rules, checked. */
export class AccessRules {
  readonly rules: readonly AccessRule[];
  /** What holds where no rule fits. */
  readonly otherwise: AccessRights;
  /** Rules that are never reached and would change nothing if they were. */
  readonly warnings: readonly string[];
  readonly #ready: readonly ReadyRule[];

  /** @throws LocalProtocolError when a rule is wrong or contradicts one before it; the faults in one message, a line each */
  constructor(rules: readonly AccessRule[], { otherwise }: AccessRulesOptions = {}) {
    const { faults, warnings } = checkRules(rules);
    if (faults.length > 0) throw new LocalProtocolError(faultsText(rules, faults));
    this.rules = Object.freeze([...rules]);
    this.warnings = warnings.map((warning) => findingText(rules, warning));
    this.#ready = rules.map((rule) => new ReadyRule(rule));
    const unsaid = rules.length === 0 ? ALL_RIGHTS : NO_RIGHTS;
    this.otherwise = otherwise === undefined ? unsaid : rightsOfWords(otherwise);
  }

  rightsOf(peer: Peer, pvName: string): AccessRights {
    return this.of(peer)(pvName);
  }

  /** What one client may do, for many PVs: rules for others are set aside at once. */
  of(peer: Peer): RightsOfPeer {
    const forPeer = this.#ready.filter((rule) => rule.fitsPeer(peer));
    return (pvName) => forPeer.find((rule) => rule.fitsChannel(pvName))?.rights ?? this.otherwise;
  }

  /** The rule that decides; undefined where none fits. */
  ruleOf(peer: Peer, pvName: string): AccessRule | undefined {
    return this.#ready.find((rule) => rule.fitsPeer(peer) && rule.fitsChannel(pvName))?.source;
  }

  /**
   * Whether some client at an address may do anything with a PV: false only if that is sure whatever the client will say
   * of itself, which is not known when it searches.
   */
  mayReach(address: string, pvName: string): boolean {
    for (const rule of this.#ready) {
      if (!rule.fitsChannel(pvName)) continue;
      const fits = rule.fitsAddress(address);
      if (fits !== false && !hasNoRights(rule.rights)) return true;
      // What stands behind it is never reached.
      if (fits === true) return false;
    }
    return !hasNoRights(this.otherwise);
  }

  /** What is hardly meant, given the PVs that there are: patterns that name none of them, PVs that no rule is for. */
  findings(pvNames: readonly string[]): readonly string[] {
    if (this.#ready.length === 0) return [];
    // Who may create channels speaks of names that are not there yet.
    const unnamed = this.#ready.flatMap((rule, index) =>
      (rule.rights.manage === true ? [] : rule.channelsWithout(pvNames)).map(({ text }) => {
        const message = `names no PV of this server with ${JSON.stringify(text)}`;
        return findingText(this.rules, { rule: index, key: 'channel', message });
      }),
    );
    const unsaid = pvNames.filter((pvName) => !this.#ready.some((rule) => rule.fitsChannel(pvName)));
    const [first] = unsaid;
    if (first === undefined || !hasNoRights(this.otherwise)) return unnamed;
    const others = unsaid.length === 1 ? '' : ` and ${counted(unsaid.length - 1, 'more PV')}`;
    return [
      ...unnamed,
      `access: nobody may use ${first}${others}: no rule is for that, and what no rule allows is not allowed`,
    ];
  }
}

/** What is wrong with rules, each by itself and beside the others; and what is merely of no use. */
export function checkRules(rules: readonly AccessRule[]): {
  readonly faults: readonly RuleFinding[];
  readonly warnings: readonly RuleFinding[];
} {
  const faults: RuleFinding[] = [];
  const warnings: RuleFinding[] = [];
  const before: { readonly index: number; readonly rule: ReadyRule }[] = [];
  for (const [index, source] of rules.entries()) {
    const own = ruleFaults(source);
    for (const fault of own) faults.push({ rule: index, ...fault });
    if (own.length > 0) continue;
    const rule = new ReadyRule(source);
    const first = before.find((earlier) => earlier.rule.covers(rule));
    if (first !== undefined) {
      const list = sameRights(first.rule.rights, rule.rights) ? warnings : faults;
      list.push({ rule: index, message: unreachedText(rule, first.rule, ruleName(rules, first.index)) });
    }
    before.push({ index, rule });
  }
  return { faults, warnings };
}

function unreachedText(rule: ReadyRule, first: ReadyRule, firstName: string): string {
  const [its, firstIts] = [rightsText(rule.rights), rightsText(first.rights)];
  if (its === firstIts) return `is never reached and not needed: ${firstName} fits the same and allows the same`;
  if (rule.covers(first)) {
    return `contradicts ${firstName}: both fit the same clients and PVs, one allows ${firstIts}, the other ${its}`;
  }
  return `is never reached: ${firstName} stands before it, fits all that it fits, and allows ${firstIts} where it would allow ${its}; put the narrower rule first`;
}

function faultsText(rules: readonly AccessRule[], faults: readonly RuleFinding[]): string {
  const told = faults.slice(0, MOST_FAULTS_TOLD).map((fault) => findingText(rules, fault));
  const moreCount = faults.length - told.length;
  return [...told, ...(moreCount > 0 ? [`and ${counted(moreCount, 'more fault')}`] : [])].join('\n');
}

/** `lab.toml:12: access[1].channel names ...` */
function findingText(rules: readonly AccessRule[], { rule, key, item, message }: RuleFinding): string {
  const place = `access[${rule}]${key === undefined ? '' : `.${key}`}${item === undefined ? '' : `[${item}]`}`;
  const origin = rules[rule]?.origin;
  return `${origin === undefined ? '' : `${origin}: `}${place}: ${message}`;
}

function ruleName(rules: readonly AccessRule[], index: number): string {
  const origin = rules[index]?.origin;
  return origin === undefined ? `access[${index}]` : `access[${index}] (${origin})`;
}
