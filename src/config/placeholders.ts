// How do `${NAME}` placeholders in the strings of a TOML file get their values?
import { quote } from './parsed.ts';
import type { TomlPath } from './toml-lines.ts';
import { DOTENV_FILE, EXAMPLE_FILE, type Variables } from './variables.ts';

/** `$${` first, so that it is never taken for the beginning of a placeholder. */
const PLACEHOLDER = /\$\$\{|\$\{([^{}]*)\}|\$\{/g;
/** No file that means anything is nested so deep, and each level takes of the stack. */
const MOST_NESTING = 100;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * A parsed TOML tree in which every string's placeholders are filled in. `$${` stands for `${`. Parts without any are those
 * of the tree that came: of ten thousand channels hardly one has one.
 * What cannot be filled in is reported with its path and left as it is.
 */
export function fillPlaceholders(
  tree: unknown,
  variables: Variables,
  report: (path: TomlPath, message: string) => void,
): unknown {
  function fill(node: unknown, path: TomlPath): unknown {
    if (typeof node === 'string') return fillText(node, variables, (message) => report(path, message));
    if (path.length > MOST_NESTING) {
      report(path.slice(0, 1), `is nested deeper than ${MOST_NESTING} levels`);
      return node;
    }
    if (Array.isArray(node)) {
      const items: readonly unknown[] = node;
      const filled = items.map((item, index) => (mayHold(item) ? fill(item, [...path, index]) : item));
      return filled.some((item, index) => item !== items[index]) ? filled : items;
    }
    if (!isTable(node)) return node;
    let copy: Record<string, unknown> | undefined;
    for (const key of Object.keys(node)) {
      const item = node[key];
      if (!mayHold(item)) continue;
      const filled = fill(item, [...path, key]);
      if (filled === item) continue;
      copy ??= Object.assign(emptyTable(), node);
      copy[key] = filled;
    }
    return copy ?? node;
  }
  return fill(tree, []);
}

/** Whether there can be a placeholder in it; most of a tree are names and numbers. */
function mayHold(item: unknown): boolean {
  return typeof item === 'string' ? item.includes('${') : typeof item === 'object' && item !== null;
}

/** Is it a table of the parser? Dates are objects too; tables have no prototype. */
export function isTable(node: unknown): node is Readonly<Record<string, unknown>> {
  return typeof node === 'object' && node !== null && Object.getPrototypeOf(node) === null;
}

/** No prototype, so that a key `__proto__` is a key like any other. */
function emptyTable(): Record<string, unknown> {
  // Object.create() is declared to return any.
  return Object.create(null) as Record<string, unknown>;
}

function fillText(text: string, variables: Variables, report: (message: string) => void): string {
  return text.replace(PLACEHOLDER, (whole, name: string | undefined) => {
    if (whole === '$${') return '${';
    if (name === undefined) {
      report('${ is not closed by }; write $${ for the characters themselves');
      return whole;
    }
    if (!NAME.test(name)) {
      report(`\${${name}} holds no name; expected letters, digits and _, or $\${ for the characters themselves`);
      return whole;
    }
    const variable = variables.get(name);
    if (variable !== undefined) return variable.value;
    report(`${quote(name)} is declared nowhere: not in the environment, ${DOTENV_FILE} or ${EXAMPLE_FILE}`);
    return whole;
  });
}
