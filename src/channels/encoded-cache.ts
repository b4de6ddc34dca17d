// How is an update encoded once and sent to many? Its bytes are kept for each codec, byte order and selection, as long as the
// update itself is: a post makes a new state, and the forms of the old one go with it. Of large forms the newest is kept for
// each codec and byte order, the others as long as somebody is being sent them: a state may stay for days.

import type { BitSet } from '../protocol/bit-set.ts';
import type { Codec } from '../protocol/codecs/codec.ts';
import { pva } from '../protocol/codecs/pva.ts';
import type { EncodedUpdate } from '../protocol/messages/data.ts';
import type { StructureType } from '../protocol/types/type-desc.ts';
import { allLeaves, leafMask } from '../protocol/values/leaf-mask.ts';
import type { ChannelUpdate } from './channel.ts';

/** Forms of one update that are kept; clients choose selections, and each would take the memory of a value. */
const MAX_FORMS = 16;
/** From so many bytes on a form is large. */
const LARGE_BYTES = 16 * 1_024;

/** The fields that a client asked to see. */
export class Selection {
  readonly type: StructureType;
  /** Leaves only. */
  readonly mask: BitSet;
  readonly isWhole: boolean;
  readonly #key: string;
  readonly #mostBytes: number;

  /** `mask` may be in any form. What takes more than `mostBytes` is not encoded. */
  constructor(type: StructureType, mask: BitSet, mostBytes = Number.POSITIVE_INFINITY) {
    this.type = type;
    this.mask = leafMask(type, mask);
    this.isWhole = this.mask.equals(allLeaves(type));
    this.#key = this.isWhole ? '*' : this.mask.toString();
    this.#mostBytes = mostBytes;
  }

  /** Whether an update says anything about the selected fields. */
  touches(update: ChannelUpdate): boolean {
    return this.isWhole ? !update.changed.isEmpty() : update.changed.intersects(this.mask);
  }

  /** The part of `leaves` that is selected. */
  of(leaves: BitSet): BitSet {
    return this.isWhole ? leaves : leaves.clone().and(this.mask);
  }

  /**
   * The selected part of an update as bytes; encoded at most once for all who ask for the same.
   * @throws PvaError for what no wire takes
   */
  encode(update: ChannelUpdate, bigEndian: boolean, codec: Codec = pva): EncodedUpdate {
    const key = this.#key;
    const forms = formsOf.get(update);
    // Nearly always there is one form: a list is looked through sooner than a key is made for a map.
    for (const form of forms ?? NO_FORMS) {
      if (form.key !== key || form.codec !== codec || form.bigEndian !== bigEndian) continue;
      const known = form.encoded ?? stillSent(form);
      if (known !== undefined) return known;
    }
    const selected = { type: this.type, changed: this.of(update.changed), value: update.value };
    const encoded = codec.encodeUpdate(selected, bigEndian, this.#mostBytes);
    const form = { key, codec, bigEndian, encoded, letGo: undefined };
    if (forms === undefined) formsOf.set(update, [form]);
    else keep(forms, form);
    return encoded;
  }
}

interface Form {
  readonly key: string;
  readonly codec: Codec;
  readonly bigEndian: boolean;
  /** Undefined once it is let go of. */
  encoded: EncodedUpdate | undefined;
  /** Its bytes then: links hold them while they send them. */
  letGo: WeakRef<Uint8Array> | undefined;
}

const NO_FORMS: readonly Form[] = [];
const formsOf = new WeakMap<ChannelUpdate, Form[]>();
/** Of those that are let go of, by their bytes. */
const formOf = new WeakMap<Uint8Array, EncodedUpdate>();

/** Adds a form, in the place of one that is gone if there is any. */
function keep(forms: Form[], form: Form & { readonly encoded: EncodedUpdate }): void {
  const gone = forms.findIndex((other) => other.encoded === undefined && stillSent(other) === undefined);
  if (gone === -1 && forms.length >= MAX_FORMS) return;
  if (form.encoded.bytes.length >= LARGE_BYTES) {
    for (const other of forms) if (other.codec === form.codec && other.bigEndian === form.bigEndian) letGo(other);
  }
  forms[gone === -1 ? forms.length : gone] = form;
}

function letGo(form: Form): void {
  const { encoded } = form;
  if (encoded === undefined || encoded.bytes.length < LARGE_BYTES) return;
  formOf.set(encoded.bytes, encoded);
  form.letGo = new WeakRef(encoded.bytes);
  form.encoded = undefined;
}

/** The form as long as its bytes are anywhere: at least to the end of this turn, for all who are sent them in one. */
function stillSent({ letGo: left }: Form): EncodedUpdate | undefined {
  const bytes = left?.deref();
  return bytes === undefined ? undefined : formOf.get(bytes);
}
