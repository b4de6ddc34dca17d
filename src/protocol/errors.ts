// What can go wrong, and who broke the rule: every error of pvkit is one of these.

/** What can be said about an error beside its message. */
export interface PvaErrorOptions {
  /** The error that led to this one. */
  readonly cause?: unknown;
}

/** Base of every error thrown or reported by pvkit. `code` is stable and meant for programs. */
export class PvaError extends Error {
  readonly code: string;
  /** Path of the field that was being encoded or decoded, such as `value.choices`; '' outside a value. */
  fieldPath = '';

  constructor(code: string, message: string, options: PvaErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.name = new.target.name;
  }
}

/** The caller broke a rule of this library or of the protocol; nothing was sent. */
export class LocalProtocolError extends PvaError {
  constructor(message: string, options?: PvaErrorOptions) {
    super('LOCAL_PROTOCOL', message, options);
  }
}

/** The peer broke a rule of the protocol; the link to it is closed. */
export class RemoteProtocolError extends PvaError {
  constructor(message: string, options?: PvaErrorOptions) {
    super('REMOTE_PROTOCOL', message, options);
  }
}

/** The bytes ended before the thing they describe did. */
export class TruncatedError extends PvaError {
  /** Offset in bytes, from the start of the body, at which bytes were missing. */
  readonly offset: number;

  constructor(message: string, offset: number, options?: PvaErrorOptions) {
    super('TRUNCATED', message, options);
    this.offset = offset;
  }
}

/** A bound of `limits.ts` was asked to be passed. */
export class LimitError extends PvaError {
  /** Name of the limit in `limits.ts`. */
  readonly limit: string;
  readonly asked: number | bigint;
  readonly allowed: number;

  constructor(limit: string, asked: number | bigint, allowed: number, where: string) {
    super('LIMIT', `${where}: ${asked} asked, ${limit} allows ${allowed}`);
    this.limit = limit;
    this.asked = asked;
    this.allowed = allowed;
  }
}

/** The peer answered an operation with Status ERROR or FATAL. */
export class StatusError extends PvaError {
  /** The peer's call tree, if it sent one. */
  readonly callTree: string;
  readonly isFatal: boolean;

  constructor(message: string, callTree = '', isFatal = false) {
    super('STATUS', message === '' ? 'the peer refused and gave no reason' : message);
    this.callTree = callTree;
    this.isFatal = isFatal;
  }
}

/** The link or channel went away while something was under way on it. */
export class DisconnectedError extends PvaError {
  constructor(message: string, options?: PvaErrorOptions) {
    super('DISCONNECTED', message, options);
  }
}

/** A deadline passed. */
export class TimeoutError extends PvaError {
  constructor(message: string, options?: PvaErrorOptions) {
    super('TIMEOUT', message, options);
  }
}

/** The text of anything thrown, for a sentence that continues. Handlers throw what they like, also what has no text. */
export function reasonOf(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message : thrown);
  } catch {
    return 'the reason cannot be put into words';
  }
}
