// What may stand in the settings of a stored definition? JSON, in one form for each meaning, and nothing hostile.

/** Anything that JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
/** A table of JSON. */
export type JsonObject = { readonly [key: string]: Json };

/** Levels of nesting that are taken; settings have four. */
const MAX_DEPTH = 20;

/**
 * The same table, checked, with keys in order; what is undefined is left out. What is wrong with it is thrown as whatever
 * `refuse` makes of a sentence.
 */
export function canonicalTable(thing: unknown, path: string, refuse: (why: string) => Error, depth = 0): JsonObject {
  if (!isJsonTable(thing)) throw refuse(`${path} is no JSON object`);
  if (depth > MAX_DEPTH) throw refuse(`${path} is nested deeper than ${MAX_DEPTH} levels`);
  const keys = Object.keys(thing).filter((key) => thing[key] !== undefined);
  // Assigned by somebody, it would set a prototype; no setting is called that.
  if (keys.includes('__proto__')) throw refuse(`${path} has the key '__proto__'`);
  return Object.fromEntries(
    keys.toSorted().map((key) => [key, canonicalJson(thing[key], `${path}.${key}`, refuse, depth + 1)]),
  );
}

function canonicalJson(thing: unknown, path: string, refuse: (why: string) => Error, depth: number): Json {
  if (thing === null || typeof thing === 'boolean' || typeof thing === 'string') return thing;
  if (typeof thing === 'number' && Number.isFinite(thing)) return thing;
  if (!Array.isArray(thing)) return canonicalTable(thing, path, refuse, depth);
  if (depth > MAX_DEPTH) throw refuse(`${path} is nested deeper than ${MAX_DEPTH} levels`);
  return thing.map((item: unknown, index) => canonicalJson(item, `${path}[${index}]`, refuse, depth + 1));
}

export function isJsonTable(thing: unknown): thing is Readonly<Record<string, unknown>> {
  if (typeof thing !== 'object' || thing === null) return false;
  const prototype: unknown = Object.getPrototypeOf(thing);
  return prototype === Object.prototype || prototype === null;
}
