// Which of the choices does a label or an index name?

import type { LocalProtocolError } from '../errors.ts';
import { typeMismatch } from './mismatch.ts';

const SHOWN_CHOICES = 16;

/**
 * The index of a choice. A label wins over an index, for choices that are digits. Where no choices are known, any
 * index from 0 is taken and every label refused.
 */
export function enumIndex(choices: readonly string[], choice: unknown): number {
  if (typeof choice === 'string') {
    const labelled = choices.indexOf(choice);
    if (labelled !== -1) return labelled;
  }
  const index = indexOf(choice);
  if (index === undefined) throw choiceMismatch(choices, choice);
  const isKnown = choices.length === 0 ? index <= 0x7fff_ffff : index < choices.length;
  if (!isKnown) throw choiceMismatch(choices, choice);
  return index;
}

function indexOf(choice: unknown): number | undefined {
  if (typeof choice === 'number') return Number.isInteger(choice) && choice >= 0 ? choice : undefined;
  if (typeof choice === 'bigint') return choice >= 0n ? Number(choice) : undefined;
  return typeof choice === 'string' && /^\s*\d{1,10}\s*$/.test(choice) ? Number(choice) : undefined;
}

function choiceMismatch(choices: readonly string[], choice: unknown): LocalProtocolError {
  if (choices.length === 0) return typeMismatch('the index of a choice (no labels are known)', choice);
  const shown = choices.slice(0, SHOWN_CHOICES).map((label) => `'${label}'`);
  const more = choices.length > SHOWN_CHOICES ? ` and ${choices.length - SHOWN_CHOICES} more` : '';
  return typeMismatch(`one of ${shown.join(', ')}${more}, or an index from 0 to ${choices.length - 1}`, choice);
}
