// What do the flags of `pvkit channel create` ask a server for? Arguments that are all text; the server reads them, so that
// every tool is told the same about what is wrong.

import { DEFAULT_LIMITS, reasonOf } from '../protocol/index.ts';
import { UsageError } from './fault.ts';
import type { CliHost } from './host.ts';
import { inputName, readInput } from './input.ts';

export interface CreateOptions {
  readonly type?: string;
  readonly schema?: string;
  readonly value?: string;
  readonly units?: string;
  readonly description?: string;
  readonly readOnly?: true;
  readonly settings?: string;
}

/** @throws UsageError for flags that do not go together, and for a file that cannot be read */
export async function createArguments(
  options: CreateOptions,
  host: CliHost,
): Promise<Readonly<Record<string, string>>> {
  const { type, schema, value } = options;
  if (type !== undefined && schema !== undefined) throw new UsageError('--type and --schema both say what it is');
  if (type === undefined && schema === undefined && options.settings === undefined) {
    throw new UsageError('what it is to be is not said: expected --type TYPE or --schema FILE');
  }
  const settings = settingsOf(options);
  return {
    ...(type !== undefined && { type }),
    ...(schema !== undefined && { schema: await schemaText(schema, host) }),
    ...(value !== undefined && { value }),
    ...(settings !== undefined && { settings }),
  };
}

function settingsOf({ settings = '{}', units, description, readOnly }: CreateOptions): string | undefined {
  let said: unknown;
  try {
    said = JSON.parse(settings);
  } catch (thrown) {
    throw new UsageError(`--settings is no JSON: ${reasonOf(thrown)}`);
  }
  if (typeof said !== 'object' || said === null || Array.isArray(said)) {
    throw new UsageError('--settings is no JSON object; expected such as {"control": {"low": 0}}');
  }
  const all = {
    ...said,
    ...(units !== undefined && { units }),
    ...(description !== undefined && { description }),
    ...(readOnly === true && { read_only: true }),
  };
  return Object.keys(all).length === 0 ? undefined : JSON.stringify(all);
}

/** Whether it is JSON is known here; where it stands is what the user wants to hear. */
async function schemaText(file: string, host: CliHost): Promise<string> {
  const shown = inputName(file);
  const text = await textOf(file, shown, host);
  try {
    JSON.parse(text);
  } catch (thrown) {
    throw new UsageError(`${shown} is no JSON: ${reasonOf(thrown)}`);
  }
  return text;
}

async function textOf(file: string, shown: string, host: CliHost): Promise<string> {
  const chunks: Uint8Array[] = [];
  let byteCount = 0;
  try {
    // Both are bounded: a file may be a device that never ends.
    for await (const chunk of readInput(file, host)) {
      byteCount += chunk.length;
      if (byteCount > DEFAULT_LIMITS.maxSchemaCharacters) break;
      chunks.push(chunk);
    }
  } catch (thrown) {
    if (host.interrupt.aborted) throw thrown;
    throw new UsageError(reasonOf(thrown));
  }
  if (byteCount > DEFAULT_LIMITS.maxSchemaCharacters) {
    throw new UsageError(`${shown} has more than ${DEFAULT_LIMITS.maxSchemaCharacters} bytes, which no schema has`);
  }
  return Buffer.concat(chunks).toString('utf8');
}
