// Do the `[[access]]` rules of a file make sense, each by itself and one behind the other?
import { z } from 'zod';
import { checkRules, type RuleFinding } from '../channels/access/access-rules.ts';
import type { AccessRule } from '../channels/access/rule.ts';
import type { TomlPath } from './toml-lines.ts';
import { accessSchema, type AccessContent } from './toml-schema.ts';

type PathReport = (path: TomlPath, message: string) => void;

/** More than these is taken for a mistake: every channel that is created is held against them one after the other. */
const MAX_RULES = 1_000;

/**
 * Checks what the form of a rule does not show: patterns that cannot fit, rules that contradict others or are never
 * reached. Works on the raw tables, so that these faults are found beside those of form. What is merely of no use goes
 * to `notice`.
 */
export function checkAccess(
  raw: unknown,
  originAt: (path: TomlPath) => string,
  report: PathReport,
  notice: PathReport,
): void {
  const parsed = z.array(accessSchema).safeParse(raw);
  // What is wrong with the form is said already.
  if (!parsed.success) return;
  if (parsed.data.length > MAX_RULES) {
    return report(['access'], `has ${parsed.data.length} rules; at most ${MAX_RULES} are allowed`);
  }
  const { faults, warnings } = checkRules(toAccessRules(parsed.data, originAt));
  for (const fault of faults) report(pathOf(fault), fault.message);
  for (const warning of warnings) notice(pathOf(warning), warning.message);
}

export function toAccessRules(
  content: readonly AccessContent[],
  originAt: (path: TomlPath) => string,
): readonly AccessRule[] {
  return content.map(({ user, host, method, channel, allow }, index) => ({
    ...(user === undefined ? {} : { user }),
    ...(host === undefined ? {} : { host }),
    ...(method === undefined ? {} : { method }),
    ...(channel === undefined ? {} : { channel }),
    allow,
    origin: originAt(['access', index]),
  }));
}

function pathOf({ rule, key, item }: RuleFinding): TomlPath {
  const path: (string | number)[] = ['access', rule];
  if (key !== undefined) path.push(key);
  if (item !== undefined) path.push(item);
  return path;
}
