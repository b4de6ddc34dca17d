// What may be posted to a PV of a type, as the compiler sees it?

import type { FieldTypes, StructureType, TypeDesc } from '../protocol/types/type-desc.ts';
import type { InputOf } from '../protocol/types/input-of.ts';
import type { ChannelUpdate } from './channel.ts';

/** Fields, an update, or what stands for the field `value`, as in `post(3)`. */
export type PostOf<T extends StructureType> =
  T extends StructureType<infer F>
    ? FieldTypes extends F
      ? unknown
      : InputOf<T> | Pick<ChannelUpdate, 'changed' | 'value'> | Bare<F>
    : never;

/** An object is never bare: it names the fields of the whole. */
type Bare<F extends FieldTypes> = F extends { readonly value: infer V extends TypeDesc }
  ? V extends StructureType
    ? Exclude<InputOf<V>, object>
    : InputOf<V>
  : never;
