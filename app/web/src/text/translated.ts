/** What a language must hold: all that English holds, of the same form. */

/**
 * English's type without English's words. A list is as long as English's: a missing answer of a
 * question is an error of the compiler, as a missing key is.
 */
export type Translated<T> = T extends string
  ? string
  : T extends (...given: infer Given) => infer Said
    ? (...given: Given) => Translated<Said>
    : T extends object
      ? { readonly [Key in keyof T]: Translated<T[Key]> }
      : T;
