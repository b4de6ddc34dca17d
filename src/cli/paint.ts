// What looks different on a terminal? Colours, where the user wants them; never in a pipe or a file.

import type { CliHost, Output } from './host.ts';

export interface Paint {
  readonly isOn: boolean;
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly green: (text: string) => string;
}

type Environment = CliHost['environment'];

/** Colours for one stream: on a terminal, unless NO_COLOR (https://no-color.org) or a dumb terminal say no. */
export function paintOf(output: Output, environment: Environment): Paint {
  const isOn = output.isTerminal && (environment['NO_COLOR'] ?? '') === '' && (environment['TERM'] ?? '') !== 'dumb';
  const style =
    (on: number, off: number) =>
    (text: string): string =>
      isOn && text !== '' ? `\u001b[${on}m${text}\u001b[${off}m` : text;
  return {
    isOn,
    bold: style(1, 22),
    dim: style(2, 22),
    red: style(31, 39),
    yellow: style(33, 39),
    green: style(32, 39),
  };
}

/**
 * Rows as aligned columns, one line each; the last column is not padded. `minimum` widths keep lines that come later
 * in step.
 */
export function columns(rows: readonly (readonly string[])[], minimum: readonly number[] = []): string {
  const widths: number[] = [...minimum];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  }
  return rows
    .map((row) => {
      const cells = row.map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0)));
      return `${cells.join('  ').trimEnd()}\n`;
    })
    .join('');
}
