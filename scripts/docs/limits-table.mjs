// Which bounds are there, and why? limits.ts as Markdown.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { declarationsOf } from './declarations.mjs';

const KIB = 1_024;

/**
 * @param {string} dist
 * @returns {Promise<string>}
 */
export async function limitsTable(dist) {
  const stem = join(dist, 'protocol', 'limits');
  const { DEFAULT_LIMITS, LINK_LIMITS, CLIENT_LIMITS } =
    /** @type {Record<'DEFAULT_LIMITS' | 'LINK_LIMITS' | 'CLIENT_LIMITS', Record<string, number>>} */ (
      await import(pathToFileURL(`${stem}.js`).href)
    );
  const reasons = reasonsIn(readFileSync(`${stem}.d.ts`, 'utf8'));
  return [
    "Those of [`limits.ts`](../src/protocol/limits.ts); a server's can be set in the TOML file, `[limits]`, in snake_case:",
    table(DEFAULT_LIMITS, reasons),
    'What an end of a link keeps of what is over, and a client of what servers tell it, has bounds that nobody needs to set:',
    table({ ...LINK_LIMITS, ...CLIENT_LIMITS }, reasons),
  ].join('\n\n');
}

/**
 * @param {Readonly<Record<string, number>>} limits
 * @param {ReadonlyMap<string, string>} reasons
 */
function table(limits, reasons) {
  const rows = Object.entries(limits).map(([name, value]) => {
    const reason = reasons.get(name);
    if (reason === undefined) throw new Error(`src/protocol/limits.ts: ${name} has no comment that says its reason`);
    return `| \`${name}\` | ${amount(name, value)} | ${reason} |`;
  });
  return ['| limit | default | what it bounds, and what happens past it |', '| --- | --- | --- |', ...rows].join('\n');
}

/**
 * The comment above each member.
 * @param {string} declarations
 * @returns {ReadonlyMap<string, string>}
 */
function reasonsIn(declarations) {
  const members = declarationsOf(declarations).flatMap(({ text }) =>
    Array.from(text.matchAll(/\/\*\*((?:(?!\*\/)[^])*)\*\/\s*(?:readonly )?(\w+): /gu)),
  );
  return new Map(members.map(([, text = '', name = '']) => [name, text.replaceAll(/\s+(?:\*\s)?\s*/gu, ' ').trim()]));
}

/**
 * @param {string} name
 * @param {number} value
 */
function amount(name, value) {
  if (value === Number.POSITIVE_INFINITY) return 'none';
  if (name.endsWith('Ms') && value % 1_000 === 0) return `${grouped(value / 1_000)} s`;
  if (name.endsWith('Ms')) return `${grouped(value)} ms`;
  if (!name.endsWith('Bytes') || value < KIB || value % KIB !== 0) return grouped(value);
  return value % (KIB * KIB) === 0 ? `${grouped(value / KIB / KIB)} MiB` : `${grouped(value / KIB)} KiB`;
}

/** @param {number} value */
function grouped(value) {
  return value.toLocaleString('en').replaceAll(',', ' ');
}
