// On what are findings founded, and how are they made?

import type { ClientSettings } from '../config/effective.ts';
import type { Diagnosis, Finding, FindingCode, SearchAnswer } from './diagnose-result.ts';

export interface DiagnosisFacts extends Omit<Diagnosis, 'findings' | 'isWell'> {
  readonly config: ClientSettings;
  /** Host names of the configuration that nobody knows. */
  readonly unknownHosts: readonly string[];
}

export function problem(code: FindingCode, text: string, advice: string): Finding {
  return { level: 'problem', code, text, advice };
}

export function warning(code: FindingCode, text: string, advice: string): Finding {
  return { level: 'warning', code, text, advice };
}

/** Answers to searches of the configuration. */
export function configuredAnswers({ searches }: DiagnosisFacts): readonly SearchAnswer[] {
  return searches.filter(({ isConfigured }) => isConfigured).flatMap(({ answers }) => answers);
}

/** Who says to have the PV. */
export function claims(facts: DiagnosisFacts): readonly SearchAnswer[] {
  const ofNameServers = facts.nameServers.flatMap(({ visit }) => visit?.foundAt ?? []);
  return [...configuredAnswers(facts).filter(({ hasPv }) => hasPv), ...ofNameServers];
}
