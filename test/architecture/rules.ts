// Which file of src/ may import which: the layers of CONTRIBUTING.md as one table, and what breaks it.

/** A source file: its path under src/ with forward slashes, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** The public entries: the only places that re-export names of other folders. */
const ENTRIES = ['index.ts', 'protocol/index.ts', 'testing.ts'];
/** Files that may only re-export: the entries and the list of all messages. */
const BARRELS = [...ENTRIES, 'protocol/messages/index.ts'];

const PROTOCOL = [
  'protocol/errors',
  'protocol/limits',
  'protocol',
  'protocol/types',
  'protocol/values',
  'protocol/normative',
  'protocol/pv-request',
  'protocol/messages',
  'protocol/codecs',
  'protocol/messages/index',
  'protocol/machines',
  'protocol/trace',
] as const;

/**
 * Unit -> the units it may import besides itself. A unit is the longest key that a path starts with, so `protocol` is
 * what stands in that folder directly (reader, writer, header, framer, ...) and `protocol/types` the folder below it.
 */
const EDGES: Readonly<Record<string, readonly string[]>> = {
  'protocol/errors': [],
  'protocol/limits': [],
  protocol: upTo('protocol'),
  'protocol/types': upTo('protocol/types'),
  'protocol/values': upTo('protocol/values'),
  'protocol/normative': upTo('protocol/normative'),
  'protocol/pv-request': upTo('protocol/values'),
  'protocol/messages': upTo('protocol/messages'),
  'protocol/codecs': upTo('protocol/codecs'),
  'protocol/messages/index': upTo('protocol/messages/index'),
  'protocol/machines': upTo('protocol/machines'),
  'protocol/trace': upTo('protocol/machines'),
  'protocol/index': PROTOCOL,

  transport: ['protocol/errors', 'protocol/limits', 'protocol'],
  channels: [...PROTOCOL, 'transport'],
  config: [...PROTOCOL, 'channels'],
  server: [...PROTOCOL, 'transport', 'channels', 'config'],
  client: [...PROTOCOL, 'transport', 'channels', 'config'],
  load: [...PROTOCOL, 'transport'],
  dispatch: [...PROTOCOL, 'transport'],
  index: [...PROTOCOL, 'transport', 'channels', 'config', 'server', 'client', 'load', 'dispatch'],
  testing: [...PROTOCOL, 'transport', 'channels', 'config', 'server', 'client', 'dispatch'],
  cli: ['index', 'protocol/index'],
  gateway: ['index', 'protocol/index'],
};

/** Package -> the units that may name it. Others keep away, so that it can be exchanged in one place. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'binary-parser': ['protocol'],
  '@msgpack/msgpack': ['protocol/codecs'],
  zod: ['config', 'channels', 'cli'],
  'smol-toml': ['config'],
  commander: ['cli'],
  pino: ['cli', 'gateway'],
  lmdb: ['channels'],
  ioredis: ['channels'],
};

/** Node.js modules that open sockets, set timers or start processes: transport/ alone names them. */
const EDGE_OF_THE_WORLD = new Set(['net', 'dgram', 'tls', 'timers', 'timers/promises', 'child_process', 'cluster']);

const NAMES_THAT_SAY_NOTHING = new Set(['utils', 'util', 'helpers', 'helper', 'common', 'misc', 'shared']);

/** One sentence for each broken rule; none when all is well. */
export function brokenRules(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => [...brokenImports(file), ...brokenShape(file)]);
}

function brokenImports(file: SourceFile): string[] {
  const from = unitOf(file.path);
  if (from === undefined) return [`${file.path}: no layer of this name; add it to test/architecture/rules.ts`];
  return importsOf(file.text).flatMap((specifier) => {
    const why = specifier.startsWith('.')
      ? refuseFile(from, file.path, specifier)
      : refuseModule(from, specifier.replace(/^node:/u, ''), specifier.startsWith('node:'));
    return why === undefined ? [] : [`${file.path} imports '${specifier}': ${why}`];
  });
}

function refuseFile(from: string, path: string, specifier: string): string | undefined {
  if (!specifier.endsWith('.ts')) return 'write the extension .ts';
  const target = resolvePath(path, specifier);
  if (target === undefined) return 'src/ imports nothing outside of src/';
  const to = unitOf(target);
  if (to === undefined) return 'no layer of this name';
  if (to === from || EDGES[from]?.includes(to) === true) return undefined;
  const allowed = EDGES[from] ?? [];
  return `${from} may not use ${to}; it may use ${allowed.length === 0 ? 'nothing' : allowed.join(', ')}`;
}

function refuseModule(from: string, name: string, isBuiltin: boolean): string | undefined {
  if (isBuiltin) {
    if (from.startsWith('protocol')) return 'protocol/ runs in a browser unchanged: no node:*';
    if (EDGE_OF_THE_WORLD.has(name) && from !== 'transport')
      return 'only transport/ names sockets, timers and processes';
    return undefined;
  }
  const units = PACKAGES[name];
  if (units === undefined) return 'a package that no layer may name; add it to test/architecture/rules.ts';
  return units.includes(from) ? undefined : `only ${units.join(', ')} may name ${name}`;
}

function brokenShape(file: SourceFile): string[] {
  const name = file.path.slice(file.path.lastIndexOf('/') + 1);
  const broken: string[] = [];
  if (!/^(#!.*\n)?\/[/*]/u.test(file.text)) {
    broken.push(`${file.path}: the first line is a comment that says which question the file answers`);
  }
  if (NAMES_THAT_SAY_NOTHING.has(name.replace(/\.ts$/u, ''))) {
    broken.push(`${file.path}: a name that says nothing about what is in it`);
  }
  if (!BARRELS.includes(file.path) && (name === 'index.ts' || isOnlyReexports(file.text))) {
    broken.push(`${file.path}: only ${BARRELS.join(', ')} may re-export; import from where a name is defined`);
  }
  return [...broken, ...uncommentedAssertions(file)];
}

/** `as` goes around the type checker: each stands at a border, with a comment on its line or just above. */
function uncommentedAssertions(file: SourceFile): string[] {
  const lines = file.text.split('\n');
  const code = withoutStrings(withoutImports(withoutComments(file.text))).split('\n');
  return code.flatMap((line, index) => {
    if (!/\bas (?!const\b)[\w{[(]/u.test(line)) return [];
    const commented = [lines[index], lines[index - 1], lines[index - 2]].some((near) => /\/\/|\*\//u.test(near ?? ''));
    return commented ? [] : [`${file.path}:${index + 1}: \`as\` without a comment that says why it holds`];
  });
}

function unitOf(path: string): string | undefined {
  const stem = path.replace(/\.ts$/u, '');
  if (Object.hasOwn(EDGES, stem)) return stem;
  for (let folder = parentOf(stem); folder !== ''; folder = parentOf(folder)) {
    if (Object.hasOwn(EDGES, folder)) return folder;
    // An unknown folder of protocol/ is not `protocol` itself: it needs a place in the order.
    if (parentOf(folder) === 'protocol') return undefined;
  }
  return undefined;
}

/** Everything below `unit` in the order of protocol/; `pv-request` stands beside `normative`. */
function upTo(unit: (typeof PROTOCOL)[number]): readonly string[] {
  return PROTOCOL.slice(0, PROTOCOL.indexOf(unit));
}

function importsOf(text: string): string[] {
  const pattern = /(?:^(?:import|export)\b[^;'"]*?\bfrom\s*|^import\s*|\bimport\(\s*)(['"])(?<specifier>[^'"]+)\1/gmu;
  return [...withoutComments(text).matchAll(pattern)].map((match) => match.groups?.['specifier'] ?? '');
}

function isOnlyReexports(text: string): boolean {
  const code = withoutComments(text);
  const rest = code.replaceAll(/^export\b[^;'"]*?\bfrom\s*(['"])[^'"]+\1;?/gmu, '');
  return code.trim() !== '' && rest.trim() === '';
}

function resolvePath(from: string, specifier: string): string | undefined {
  const parts = from.split('/').slice(0, -1);
  for (const part of specifier.split('/')) {
    if (part === '..' && parts.pop() === undefined) return undefined;
    if (part !== '.' && part !== '..') parts.push(part);
  }
  return parts.join('/');
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** Keeps the lines, so that their numbers stay true. */
function withoutComments(text: string): string {
  return text
    .replaceAll(/\/\*[^]*?\*\//gu, (comment) => comment.replaceAll(/[^\n]/gu, ''))
    .replaceAll(/(^|[^\S\n])\/\/.*$/gmu, '');
}

function withoutImports(code: string): string {
  return code.replaceAll(/^(?:import|export)\b[^;'"]*?\bfrom\b/gmu, (text) => text.replaceAll(/[^\n]/gu, ''));
}

/** Keeps the lines, too: a template may have several. */
function withoutStrings(code: string): string {
  return code.replaceAll(
    /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/gu,
    (text) => `'${text.replaceAll(/[^\n]/gu, '')}'`,
  );
}
