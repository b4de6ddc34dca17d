// How is an update of a PV shown, in the form that was asked for?

import {
  deltaLines,
  deltaLineText,
  escapeText,
  formatJson,
  formatTree,
  type BitSet,
  type DeltaLine,
  type PvValue,
  type TextOptions,
  type TypeDesc,
} from '../protocol/index.ts';
import type { Output } from './host.ts';
import { formatOf, type Format, type ViewOptions } from './options.ts';
import type { Paint } from './paint.ts';
import { printable } from './printable.ts';
import { timeStampText } from './time-text.ts';

interface RemarkOptions {
  /** Remark on numbers that stand for something, elsewhere than on a terminal, too. */
  readonly remarks?: true;
}

/** A value that came from a PV. */
export interface Shown {
  readonly pvName: string;
  readonly type: TypeDesc;
  readonly value: PvValue;
  /** The fields that mean something. */
  readonly changed?: BitSet;
}

const INDENT = '    ';
/** A terminal holds a few lines; who wants a whole waveform on it asks for it. */
const ELEMENTS_ON_TERMINAL = 20;

export class ValueView {
  readonly format: Format;
  readonly #text: TextOptions;
  readonly #paint: Paint;
  readonly #isWhole: boolean;
  readonly #hasRemarks: boolean;

  /** @throws UsageError when flags contradict each other */
  constructor(options: ViewOptions & RemarkOptions, output: Output, paint: Paint, byDefault: Format = 'delta') {
    this.format = formatOf(options, byDefault);
    this.#text = {
      maxElements: options.elements ?? (output.isTerminal ? ELEMENTS_ON_TERMINAL : 0),
      digits: options.precision ?? 0,
    };
    this.#paint = paint;
    this.#hasRemarks = paint.isOn || options.remarks === true;
    // Without a selection what the server left out is at its default; with one it is merely not known.
    this.#isWhole = options.request === undefined;
  }

  /** The PV in the form that was asked for; `head` is the line above the value where that is no JSON. */
  text(head: string, shown: Shown): string {
    if (this.format === 'json') return `{"name":${JSON.stringify(shown.pvName)},"value":${this.json(shown)}}\n`;
    return this.block(head, shown);
  }

  /** JSON of the fields that are known; on one line. */
  json({ type, value, changed }: Shown): string {
    return formatJson(type, value, this.#isWhole ? undefined : changed);
  }

  /** A head line such as the name, and below it the value as delta or tree. */
  block(head: string, shown: Omit<Shown, 'pvName'>): string {
    return `${head}\n${this.body(shown, INDENT)}`;
  }

  /** The value alone, as delta or tree. */
  body({ type, value, changed }: Omit<Shown, 'pvName'>, indent = ''): string {
    const known = this.#isWhole || changed === undefined ? {} : { mask: changed };
    if (this.format === 'tree') return formatTree(type, value, { ...this.#text, ...known, indent });
    const lines = deltaLines(type, value, changed, this.#text);
    return lines.map((line) => `${indent}${this.#line(line, value)}\n`).join('');
  }

  name(pvName: string): string {
    return this.#paint.bold(printable(pvName));
  }

  /** In a pipe exactly what pvxs prints; on a terminal with a remark where a number stands for something. */
  #line(line: DeltaLine, value: PvValue): string {
    const text = deltaLineText(line);
    if (!this.#hasRemarks) return text;
    const remark = remarkOn(line.path, value);
    if (remark === undefined) return text;
    const paint = remark.severity === undefined ? this.#paint.dim : severityPaint(remark.severity, this.#paint);
    return `${text}  ${paint(`# ${remark.text}`)}`;
  }
}

// --- remarks ---------------------------------------------------------------------------------------------------

const SEVERITIES = ['no alarm', 'MINOR', 'MAJOR', 'INVALID', 'UNDEFINED'];

interface Remark {
  readonly text: string;
  readonly severity?: number;
}

/** The choice behind an index, the name of a severity, the day of a time stamp. */
function remarkOn(path: string, value: PvValue): Remark | undefined {
  switch (path) {
    case 'value.index': {
      const choices = at(at(value, 'value'), 'choices');
      const choice: unknown = Array.isArray(choices) ? choices[Number(at(at(value, 'value'), 'index'))] : undefined;
      return typeof choice === 'string' ? { text: escapeText(choice) } : undefined;
    }
    case 'alarm.severity': {
      const severity = Number(at(at(value, 'alarm'), 'severity'));
      const text = SEVERITIES[severity];
      return text === undefined ? undefined : { text, severity };
    }
    case 'timeStamp.secondsPastEpoch': {
      const seconds = at(at(value, 'timeStamp'), 'secondsPastEpoch');
      const nanoseconds = at(at(value, 'timeStamp'), 'nanoseconds');
      if (typeof seconds !== 'bigint') return undefined;
      return { text: timeStampText(seconds, typeof nanoseconds === 'number' ? nanoseconds : 0) };
    }
    default:
      return undefined;
  }
}

function severityPaint(severity: number, paint: Paint): (text: string) => string {
  if (severity === 0) return paint.green;
  return severity === 1 ? paint.yellow : paint.red;
}

/** A field of a structure, undefined of anything else. */
function at(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return Object.getOwnPropertyDescriptor(value, name)?.value;
}
