// How are a port, a yes or no, a time and the URL of a store read from the text of a variable, a flag or a file?
import { quote, right, wrong, type Parsed } from './parsed.ts';

/** What a person may be told, from nothing to everything. */
export const LOG_LEVELS = ['silent', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Longest delay a Node timer can wait. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * pvxs waits 4/3 of EPICS_PVA_CONN_TMO: old Java clients send an echo once in this time, and would race with a server
 * that waits just as long (pvAccessCPP issue 171).
 */
const TIMEOUT_SCALE = 4 / 3;
export const DEFAULT_CONNECTION_TIMEOUT_MS = 40_000;
const MIN_CONNECTION_TIMEOUT_MS = 2_000;
/** In the variable, so before scaling; what a timer can wait. */
const MAX_CONNECTION_TIMEOUT_S = 1_600_000;

export const DEFAULT_BEACON_PERIOD_MS = 15_000;
const MIN_BEACON_PERIOD_S = 0.1;
const MAX_BEACON_PERIOD_S = 86_400;

/** More processes than any machine that serves PVs has cores. */
export const MAX_WORKERS = 64;

/** `redis+sentinel:` and `redis+cluster:` have several hosts, which no URL of the platform has. */
const STORE_URL = /^(memory:$|rediss?(\+(sentinel|cluster))?:\/\/\S)/u;

/** node takes about 60 MiB before there is a PV. */
const MIN_MEMORY_BYTES = 96 * 1024 * 1024;
/** Each 1 024 times the one before. */
const MEMORY_UNITS = ['', 'K', 'M', 'G', 'T'];
const MEMORY = /^(\d+(?:\.\d*)?)\s*([kmgt]?)(?:i?b)?$/iu;
const MEMORY_FORM = 'bytes such as 512MiB or 2GiB, 96MiB at the least';

const NUMBER = /^[+-]?(\d+(?:\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

/** 0 to 65535, decimal or 0x. */
export function parsePort(text: string): Parsed<number> {
  const trimmed = text.trim();
  const port = /^(0|[1-9]\d{0,4}|0x[\da-f]{1,4})$/i.test(trimmed) ? Number(trimmed) : Number.NaN;
  return port <= 65_535 ? right(port) : wrong(`${quote(text)} is not a port; expected a number from 0 to 65535`);
}

/** How many processes hold the connections: `none`, 0 and 1 mean that the server does so itself, and are 1. */
export function parseWorkers(text: string): Parsed<number> {
  const trimmed = text.trim().toLowerCase();
  const count = trimmed === 'none' ? 0 : Number(/^\d{1,3}$/.test(trimmed) ? trimmed : Number.NaN);
  if (count <= MAX_WORKERS) return right(Math.max(count, 1));
  return wrong(`${quote(text)} is not a number of workers; expected none, or a number from 0 to ${MAX_WORKERS}`);
}

/** YES, NO in any case, 1 or 0: what pvxs takes. */
export function parseFlag(text: string): Parsed<boolean> {
  const trimmed = text.trim().toUpperCase();
  if (trimmed === 'YES' || trimmed === '1') return right(true);
  if (trimmed === 'NO' || trimmed === '0') return right(false);
  return wrong(`${quote(text)} is not a yes or no; expected YES, NO, 1 or 0`);
}

/** Seconds of EPICS_PVA_CONN_TMO as the milliseconds of silence after which a link is closed. 0 means the default. */
export function parseConnectionTimeout(text: string): Parsed<number> {
  const seconds = parseSeconds(text, 0, MAX_CONNECTION_TIMEOUT_S);
  if (!seconds.ok) return seconds;
  if (seconds.value === 0) return right(DEFAULT_CONNECTION_TIMEOUT_MS);
  return right(Math.max(MIN_CONNECTION_TIMEOUT_MS, Math.round(seconds.value * 1000 * TIMEOUT_SCALE)));
}

/** Seconds between the first beacons of a server, as milliseconds. */
export function parseBeaconPeriod(text: string): Parsed<number> {
  const seconds = parseSeconds(text, MIN_BEACON_PERIOD_S, MAX_BEACON_PERIOD_S);
  return seconds.ok ? right(Math.round(seconds.value * 1000)) : seconds;
}

/** Bytes of memory: a number, or one with KiB, MiB, GiB, or K, M, G for the same. */
export function parseMemory(text: string): Parsed<number> {
  const [, number, unit = ''] = MEMORY.exec(text.trim()) ?? [];
  if (number === undefined) return wrong(`${quote(text)} is no amount of memory; expected ${MEMORY_FORM}`);
  const bytes = Math.floor(Number(number) * 1024 ** MEMORY_UNITS.indexOf(unit.toUpperCase()));
  if (bytes >= MIN_MEMORY_BYTES && Number.isSafeInteger(bytes)) return right(bytes);
  return wrong(`${quote(text)} is out of range; expected ${MEMORY_FORM}`);
}

/** `redis://host:port/db`, `rediss://...`, their forms for Sentinel and Cluster, or `memory:`. */
export function parseStoreUrl(url: string): Parsed<string> {
  // The text is not repeated: it may hold a password.
  return STORE_URL.test(url)
    ? right(url)
    : wrong('is no store URL; expected memory:, redis://host:port/db or rediss://host:port/db');
}

function parseSeconds(text: string, least: number, most: number): Parsed<number> {
  const trimmed = text.trim();
  const seconds = NUMBER.test(trimmed) ? Number(trimmed) : Number.NaN;
  if (seconds >= least && seconds <= most) return right(seconds);
  return wrong(`${quote(text)} is not a time; expected seconds from ${least} to ${most}`);
}
