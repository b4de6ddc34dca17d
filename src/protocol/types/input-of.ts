// What may a program give for a value of a TypeDesc, as the compiler sees it? values/coerce.ts takes it, and some more.

import type {
  BoundedStringType,
  FieldTypes,
  ScalarArrayType,
  ScalarName,
  ScalarType,
  StructureType,
  TypeDesc,
} from './type-desc.ts';

type ScalarInput<S extends ScalarName> = S extends 'string' ? string : S extends 'boolean' ? boolean : number | bigint;

type ArrayInput<S extends ScalarName> = S extends 'string'
  ? readonly string[]
  : S extends 'boolean'
    ? readonly boolean[]
    : ArrayLike<number | bigint>;

/** Some fields, or all; of one that is undefined nothing is said. `'alarm.severity'` names a field further down. */
type FieldInputs<F extends FieldTypes> = { readonly [Name in keyof F]?: InputOf<F[Name]> | undefined } & {
  readonly [path: `${string}.${string}`]: unknown;
};

/** A label or an index, of what has choices. */
type ChoiceInput<F extends FieldTypes> = F extends {
  readonly index: ScalarType<'int'>;
  readonly choices: ScalarArrayType<'string'>;
}
  ? string | number
  : never;

/** What may be given for a value of `T`: of a structure the fields that are to be set, of an enum also its label. */
export type InputOf<T extends TypeDesc> = TypeDesc extends T
  ? unknown
  : T extends ScalarType<infer S>
    ? ScalarInput<S>
    : T extends ScalarArrayType<infer S>
      ? ArrayInput<S>
      : T extends BoundedStringType
        ? string
        : T extends StructureType<infer F>
          ? FieldTypes extends F
            ? unknown
            : FieldInputs<F> | ChoiceInput<F>
          : // Unions, any, and lists of these take too much to spell it out.
            unknown;
