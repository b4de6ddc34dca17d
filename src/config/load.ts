// Which files make up the configuration, and how are they read?
import { readFileSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { reasonOf } from '../protocol/errors.ts';
import { ConfigError } from './config-error.ts';
import {
  resolveClientConfig,
  resolveServerConfig,
  type ClientConfig,
  type ServerConfig,
  type ServerFlags,
  type TomlSource,
} from './effective.ts';
import { DOTENV_FILE, EXAMPLE_FILE, type DotenvText, type VariableSources } from './variables.ts';

/** In a workspace. */
const WORKSPACE_FILE = 'pvkit.toml';

/** A larger file is taken for a mistake. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** A file that is not there, or a folder of the same name (Python keeps virtual environments in `.env/`). */
const ABSENT_CODES: ReadonlySet<unknown> = new Set(['ENOENT', 'ENOTDIR', 'EISDIR']);

/** Where a configuration is read from. */
export interface LoadOptions {
  /** Working folder: relative paths start here, and its `.env` and `.env.example` are read. */
  readonly folder: string;
  readonly processEnvironment: Readonly<Record<string, string | undefined>>;
}

/** Where the configuration of a server is read from. */
export interface LoadServerOptions extends LoadOptions {
  readonly flags?: ServerFlags | undefined;
  /**
   * The TOML file; that of the workspace unless it is given. `.env` and `.env.example` beside it count too, and more than
   * those of the working folder; those of the workspace count most.
   */
  readonly configFile?: string | undefined;
}

/** Reads every source of a server's configuration. Rejects with ConfigError; touches nothing but these files. */
export async function loadServerConfig(options: LoadServerOptions): Promise<ServerConfig> {
  const { flags } = options;
  const configFile = options.configFile ?? fileOfWorkspace(options);
  const beside = configFile === undefined ? [] : [dirname(configFile)];
  if (flags?.workspace !== undefined && flags.workspace !== '') beside.unshift(flags.workspace);
  const toml = configFile === undefined ? undefined : await readToml(options.folder, configFile);
  return resolveServerConfig({ ...readSources(options, beside), flags, toml });
}

/** The file of the workspace, if there is one. */
function fileOfWorkspace({ folder, flags }: LoadServerOptions): string | undefined {
  if (flags?.workspace === undefined) return undefined;
  const file = join(flags.workspace, WORKSPACE_FILE);
  return readOptional(folder, file) === undefined ? undefined : file;
}

/** Reads every source of a client's configuration. Throws ConfigError. */
export function loadClientConfig(options: LoadOptions): ClientConfig {
  return resolveClientConfig(readSources(options, []));
}

function readSources(options: LoadOptions, beside: readonly string[]): VariableSources {
  const folders = [...new Set([...beside, '.'].map((folder) => resolve(options.folder, folder)))];
  const readAll = (name: string): readonly DotenvText[] =>
    folders.flatMap((folder) => {
      const file = shownPath(options.folder, join(folder, name));
      const text = readOptional(options.folder, file);
      return text === undefined ? [] : [{ file, text }];
    });
  return {
    processEnvironment: options.processEnvironment,
    dotenv: readAll(DOTENV_FILE),
    examples: readAll(EXAMPLE_FILE),
  };
}

/** Relative where that is shorter to read. */
function shownPath(from: string, path: string): string {
  const short = relative(from, path);
  return short.startsWith('..') || isAbsolute(short) ? path : short;
}

async function readToml(folder: string, file: string): Promise<TomlSource> {
  const text = readRequired(folder, file);
  // Loaded where there is such a file: it brings zod, and every start of a client would wait for that.
  const { parseTomlFile } = await import('./toml-file.ts');
  return { file, text, parse: parseTomlFile };
}

function readRequired(folder: string, file: string): string {
  const text = readOptional(folder, file);
  if (text !== undefined) return text;
  const isFolder = statSync(resolve(folder, file), { throwIfNoEntry: false })?.isDirectory() ?? false;
  const message = isFolder ? 'is a folder; expected a TOML file' : 'there is no such file';
  throw new ConfigError([{ file, key: '', message }]);
}

function readOptional(folder: string, file: string): string | undefined {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(resolve(folder, file));
  } catch (error) {
    if (error instanceof Error && 'code' in error && ABSENT_CODES.has(error.code)) return undefined;
    throw new ConfigError([{ file, key: '', message: `cannot be read: ${reasonOf(error)}` }]);
  }
  if (bytes.length > MAX_FILE_BYTES) {
    throw new ConfigError([
      { file, key: '', message: `has ${bytes.length} bytes; a configuration file has at most ${MAX_FILE_BYTES}` },
    ]);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new ConfigError([{ file, key: '', message: 'is not UTF-8 text' }]);
  }
}
