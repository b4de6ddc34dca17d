// How is a PV made whose value is a function of other channels? It watches them and computes anew whenever one changes.
//
// As calc records with CP MS links do (EPICS Record Reference, "Calculation Record (calc)" and "Maximize Severity"): its
// alarm is at least as bad as the worst of its inputs, and what cannot be computed is INVALID and keeps the last value.

import { LocalProtocolError, PvaError, reasonOf } from '../../protocol/errors.ts';
import { alarm, alarmSeverityName, NO_ALARM, type Alarm } from '../../protocol/normative/alarm.ts';
import type { StructureType } from '../../protocol/types/type-desc.ts';
import type { PvValue, ValueOf } from '../../protocol/types/value-of.ts';
import type { Channel } from '../channel.ts';
import { limitAlarm, worseAlarm } from '../limit-alarm.ts';
import { isPromiseLike } from '../promise-like.ts';
import type { PostOf } from '../post-of.ts';
import { SharedPV, type SharedPVOptions } from '../shared-pv.ts';
import { fieldOf, isChanged } from '../standard-fields.ts';
import { alarmIn } from './behaviours.ts';
import { recomputeSoon, type Dependent } from './wave.ts';

/** Channels by the name under which their values are given to the function. */
export type ComputedInputs = Readonly<Record<string, Channel>>;

/** The field `value` of each input; the whole of one that has none. */
export type InputValues<I extends ComputedInputs> = { readonly [Name in keyof I]: InputValue<I[Name]> };

type InputValue<C> = C extends { readonly value: infer V } ? (V extends { readonly value: infer F } ? F : V) : PvValue;

/** What can be said about a computed PV: all that a `SharedPV` takes, but for what concerns puts. */
export interface ComputedOptions<T extends StructureType = StructureType, V = ValueOf<T>, P = PostOf<T>> extends Omit<
  SharedPVOptions<T, V, P>,
  'onPut' | 'putTimeoutMs' | 'control'
> {
  /** Whether the alarm is at least as bad as the worst of the inputs; true unless it is said. */
  readonly maximizeSeverity?: boolean;
}

/**
 * A PV that cannot be put to and computes its value from those of other channels: at once, and again whenever one of
 * them tells a change; once for each post, however many ways lead from the post to it.
 *
 * `compute` gives the value, or a patch as for `post`; undefined leaves the value as it is. What it throws, a result
 * that does not fit the type, and an input that has no value yet or has ended make the alarm INVALID; NaN does too. Time
 * stamps are those of the moment of computing unless `timeStamps` is 'given'.
 * @throws LocalProtocolError when `type` or an option does not fit, or an input has ended
 */
export function computed<T extends StructureType, const I extends ComputedInputs>(
  type: T,
  inputs: I,
  compute: (values: InputValues<I>) => unknown,
  options: ComputedOptions<T> = {},
): ComputedPV<T> {
  // The values are those of the fields that InputValues names.
  return new ComputedPV(type, inputs, (values) => compute(values as InputValues<I>), options);
}

interface Input {
  readonly name: string;
  readonly channel: Channel;
  /** Its subscription is over, though it may still exist. */
  isFinished: boolean;
}

/** `V` and `P` are what values of `T` and patches of them are in TypeScript; there is no need to name them. */
export class ComputedPV<T extends StructureType = StructureType, V = ValueOf<T>, P = PostOf<T>>
  extends SharedPV<T, V, P>
  implements Dependent
{
  readonly depth: number;
  readonly #inputs: readonly Input[];
  readonly #compute: (values: Readonly<Record<string, PvValue>>) => unknown;
  readonly #maximizesSeverity: boolean;
  readonly #unsubscribe: (() => void)[] = [];
  /** Set when all inputs are watched; before that there is nothing to compute from. */
  readonly #isReady: boolean = false;

  constructor(
    type: T,
    inputs: ComputedInputs,
    compute: (values: Readonly<Record<string, PvValue>>) => unknown,
    { maximizeSeverity = true, timeStamps = 'auto', ...options }: ComputedOptions<T, V, P>,
  ) {
    super(type, { ...options, timeStamps });
    this.#compute = compute;
    this.#maximizesSeverity = maximizeSeverity;
    this.#inputs = Object.entries(inputs).map(([name, channel]) => ({ name, channel, isFinished: false }));
    this.depth = 1 + Math.max(0, ...this.#inputs.map(({ channel }) => depthOf(channel)));
    const ended = this.#inputs.find(({ channel }) => channel.isClosed);
    if (ended !== undefined) throw new LocalProtocolError(`input ${ended.name} has ended`);
    try {
      for (const input of this.#inputs) this.#watch(input);
    } catch (thrown) {
      this.close();
      throw thrown;
    }
    this.#isReady = true;
    this.recompute();
  }

  /** Computes the value from what the inputs are now. Does not throw. */
  recompute(): void {
    if (this.isClosed) return;
    try {
      const missing = this.#inputs.map(whyMissing).find((reason) => reason !== undefined);
      if (missing !== undefined) return this.#fail(missing);
      const result = this.#compute(
        Object.fromEntries(this.#inputs.map(({ name, channel }) => [name, valueOf(channel)])),
      );
      if (isPromiseLike(result)) return this.#fail('compute gave a promise; a value is expected');
      const notNumber = isNaNResult(result) ? limitAlarm(Number.NaN, {}) : NO_ALARM;
      this.postAtLeast(result ?? {}, worseAlarm(notNumber, this.#worstOfInputs()));
    } catch (thrown) {
      this.#fail(thrown instanceof PvaError && thrown.fieldPath !== '' ? atField(thrown) : reasonOf(thrown));
    }
  }

  /** Also ends the watching of the inputs. */
  override close(): void {
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
    super.close();
  }

  #watch(input: Input): void {
    const { channel } = input;
    const recompute = (): void => {
      if (this.#isReady) recomputeSoon(this);
    };
    const finish = (): void => {
      input.isFinished = true;
      recompute();
    };
    this.#unsubscribe.push(channel.subscribe({ update: recompute, finish }), channel.onClosed(recompute));
  }

  #fail(reason: string): void {
    // As IOCs tell a CALC alarm: status RECORD.
    this.postAtLeast({}, worseAlarm(alarm('INVALID', 'RECORD', reason), this.#worstOfInputs()));
  }

  #worstOfInputs(): Alarm {
    if (!this.#maximizesSeverity) return NO_ALARM;
    return this.#inputs.reduce((worst, { name, channel }) => {
      const { severity, message } = alarmIn(channel.state.value);
      if (severity <= worst.severity) return worst;
      // As IOCs tell a LINK alarm: status RECORD.
      const cause = message === '' ? alarmSeverityName(severity) : message;
      return { ...alarm('NO_ALARM', 'RECORD', `${name}: ${cause}`), severity };
    }, NO_ALARM);
  }
}

function depthOf(channel: Channel): number {
  return channel instanceof ComputedPV ? channel.depth : 0;
}

/** Why there is nothing to compute from an input; undefined if there is. */
function whyMissing({ name, channel, isFinished }: Input): string | undefined {
  if (isFinished || channel.isClosed) return `${name} has ended`;
  const field = fieldOf(channel.type, 'value');
  const { state } = channel;
  const isSet = field === undefined ? !state.changed.isEmpty() : isChanged(state, field);
  return isSet ? undefined : `${name} has no value yet`;
}

function valueOf({ type, state }: Channel): PvValue {
  return (type.indexOf.has('value') ? state.value['value'] : undefined) ?? state.value;
}

/** NaN by itself, or as the field of a patch. */
function isNaNResult(result: unknown): boolean {
  const isPatch = typeof result === 'object' && result !== null && 'value' in result;
  return Number.isNaN(isPatch ? result.value : result);
}

function atField({ fieldPath, message }: PvaError): string {
  return message.startsWith(fieldPath) ? message : `${fieldPath}: ${message}`;
}
