// What is the value of a NAME: in the process environment, else in .env, else in .env.example?
import type { Report } from './config-error.ts';
import { parseDotenv, type Declaration } from './dotenv.ts';

/** Files that are read beside a configuration, the stronger first. */
export const DOTENV_FILE = '.env';
export const EXAMPLE_FILE = '.env.example';

export interface Variable {
  readonly name: string;
  readonly value: string;
  /** Where it was declared; none for the process environment. */
  readonly file?: string;
  readonly line?: number;
}

/** One file of declarations, already read. */
export interface DotenvText {
  /** The name to show for it. */
  readonly file: string;
  readonly text: string;
}

export interface VariableSources {
  readonly processEnvironment: Readonly<Record<string, string | undefined>>;
  /** `.env` files, the strongest first. */
  readonly dotenv?: readonly DotenvText[];
  /** `.env.example` files, the strongest first. */
  readonly examples?: readonly DotenvText[];
}

/** All declared names, in three layers of falling power. */
export class Variables {
  readonly #process: Readonly<Record<string, string | undefined>>;
  readonly #dotenv: ReadonlyMap<string, Variable>;
  readonly #examples: ReadonlyMap<string, Variable>;

  constructor(sources: VariableSources, report: Report) {
    this.#process = sources.processEnvironment;
    this.#dotenv = merge(sources.dotenv ?? [], report);
    this.#examples = merge(sources.examples ?? [], report);
  }

  /** The strongest declaration of a name, an empty one too; undefined if it is declared nowhere. */
  get(name: string): Variable | undefined {
    return this.#ofProcess(name) ?? this.#dotenv.get(name) ?? this.#examples.get(name);
  }

  /**
   * The first of `names` that is set, as EPICS variables with a fallback are looked up.
   *
   * The examples are asked only when no name is set elsewhere: they hold defaults, and the default of a name must not hide
   * its fallback. An empty value in a file only declares the name. An empty value in the process environment is a value
   * when `emptyCounts` (pvxs reads an empty address list as "no addresses"), else it is as good as unset.
   */
  pick(names: readonly string[], emptyCounts: boolean): Variable | undefined {
    for (const name of names) {
      const ofProcess = this.#ofProcess(name);
      if (ofProcess !== undefined && (emptyCounts || ofProcess.value.trim() !== '')) return ofProcess;
      const ofFile = this.#dotenv.get(name);
      if (ofFile !== undefined && ofFile.value.trim() !== '') return ofFile;
    }
    return names
      .map((name) => this.#examples.get(name))
      .find((variable) => variable !== undefined && variable.value.trim() !== '');
  }

  /** Every declared name, for a look at what nobody knows. */
  names(): readonly string[] {
    const ofProcess = Object.keys(this.#process).filter((name) => this.#process[name] !== undefined);
    return [...new Set([...ofProcess, ...this.#dotenv.keys(), ...this.#examples.keys()])];
  }

  #ofProcess(name: string): Variable | undefined {
    const value = Object.hasOwn(this.#process, name) ? this.#process[name] : undefined;
    return value === undefined ? undefined : { name, value };
  }
}

/** Where a variable was set, for a person: its name, with the file if it is from one. */
export function originOf(variable: Variable): string {
  return variable.file === undefined ? variable.name : `${variable.name} (${variable.file}:${variable.line})`;
}

function merge(texts: readonly DotenvText[], report: Report): ReadonlyMap<string, Variable> {
  const merged = new Map<string, Variable>();
  for (const { file, text } of texts) {
    for (const [name, declaration] of parseDotenv(text, file, report)) addMissing(merged, name, declaration, file);
  }
  return merged;
}

function addMissing(merged: Map<string, Variable>, name: string, declaration: Declaration, file: string): void {
  if (!merged.has(name)) merged.set(name, { name, value: declaration.value, file, line: declaration.line });
}
