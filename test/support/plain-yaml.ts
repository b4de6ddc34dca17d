// What does a plain YAML file say? Enough of YAML to read our own compose file: maps, lists, flow lists of scalars, block
// text (`|`), quoted and plain scalars, comments, anchors of maps and `<<` that takes them over. Anything else throws.

export type Yaml = string | readonly Yaml[] | { readonly [key: string]: Yaml };

interface Line {
  readonly number: number;
  readonly indent: number;
  readonly text: string;
}

const ENTRY = /^(?<key>[\w.<-]+):(?:\s+(?<rest>.*))?$/u;

/** Every scalar comes as text. */
export function parseYaml(text: string): Yaml {
  return new YamlReader(text).read();
}

class YamlReader {
  readonly #raw: readonly string[];
  readonly #lines: readonly Line[];
  readonly #anchors = new Map<string, Yaml>();
  #at = 0;

  constructor(text: string) {
    this.#raw = text.split('\n');
    this.#lines = this.#raw
      .map((line, index) => ({ number: index, indent: line.search(/\S/u), text: line.trim() }))
      .filter(({ text }) => text !== '' && !text.startsWith('#'));
  }

  read(): Yaml {
    const value = this.#block(0);
    const left = this.#lines[this.#at];
    if (left !== undefined) throw wrong(left);
    return value;
  }

  #block(indent: number): Yaml {
    const first = this.#lines[this.#at];
    if (first?.indent !== indent) throw wrong(first);
    return first.text.startsWith('- ') ? this.#list(indent) : this.#map(indent);
  }

  #list(indent: number): Yaml {
    const items: Yaml[] = [];
    for (let line = this.#lines[this.#at]; line?.indent === indent; line = this.#lines[this.#at]) {
      if (!line.text.startsWith('- ')) throw wrong(line);
      this.#at++;
      const item = line.text.slice(2);
      items.push(item === '|' ? this.#text(line) : scalar(item, line));
    }
    return items;
  }

  #map(indent: number): Yaml {
    const map: Record<string, Yaml> = {};
    for (let line = this.#lines[this.#at]; line?.indent === indent; line = this.#lines[this.#at]) {
      const { key, rest = '' } = ENTRY.exec(line.text)?.groups ?? {};
      if (key === undefined || (key !== '<<' && Object.hasOwn(map, key))) throw wrong(line);
      this.#at++;
      const anchor = /^&(?<name>\w+)$/u.exec(rest)?.groups?.['name'];
      const alias = /^\*(?<name>\w+)$/u.exec(rest)?.groups?.['name'];
      let value: Yaml;
      if (alias !== undefined) value = this.#anchors.get(alias) ?? '';
      else if (rest === '' || anchor !== undefined) value = this.#inner(line);
      else value = scalar(rest, line);
      if (anchor !== undefined) this.#anchors.set(anchor, value);
      if (key === '<<') Object.assign(map, value);
      else map[key] = value;
    }
    return map;
  }

  /** What stands further in; nothing, for a key without a value. */
  #inner(line: Line): Yaml {
    const next = this.#lines[this.#at];
    return next !== undefined && next.indent > line.indent ? this.#block(next.indent) : '';
  }

  /** The lines below, as they are, without their common indentation. */
  #text(line: Line): string {
    const block: string[] = [];
    const first = this.#lines[this.#at];
    const indent = first?.indent ?? 0;
    if (indent <= line.indent) throw wrong(first);
    for (let number = line.number + 1; number < this.#raw.length; number++) {
      const raw = this.#raw[number] ?? '';
      if (raw.trim() !== '' && raw.search(/\S/u) < indent) break;
      block.push(raw.slice(indent));
    }
    const end = line.number + block.length;
    while ((this.#lines[this.#at]?.number ?? Number.POSITIVE_INFINITY) <= end) this.#at++;
    return `${block.join('\n').trimEnd()}\n`;
  }
}

function scalar(text: string, line: Line): Yaml {
  if (text.startsWith('[')) {
    const items = /^\[(.*)\]$/u.exec(text)?.[1] ?? '';
    return items.match(/'[^']*'|[^,\s][^,]*/gu)?.map((item) => scalar(item.trim(), line)) ?? [];
  }
  if (text.startsWith("'")) return /^'([^']*)'$/u.exec(text)?.[1] ?? fail(line);
  if (/^[&*{"|>!%@`]|: | #|:$/u.test(text)) throw wrong(line);
  return text;
}

function fail(line: Line): never {
  throw wrong(line);
}

function wrong(line: Line | undefined): Error {
  return new Error(
    line === undefined ? 'the YAML ends too early' : `line ${line.number + 1} of the YAML: ${line.text}`,
  );
}
