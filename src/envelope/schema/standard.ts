/**
 * Layer 9. The Standard Schema interface, version 1, which zod, valibot, arktype and others have in
 * common. It has types only, and is a copy, so that no package is needed.
 */

// Source: standardschema.dev, version 1.0.

/** A schema of any library that has the Standard Schema interface. */
export interface StandardSchema<Input = unknown, Output = Input> {
  /** The interface itself. */
  readonly '~standard': StandardProps<Input, Output>
}

/** What a schema has under `~standard`. */
export interface StandardProps<Input = unknown, Output = Input> {
  /** The version of the interface: 1. */
  readonly version: 1
  /** The library that made the schema. */
  readonly vendor: string
  /** Checks a value. Returns what it becomes, or what is wrong with it; maybe as a promise. */
  readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>
  /** Types, for TypeScript only. */
  readonly types?: { readonly input: Input; readonly output: Output } | undefined
}

/** What `validate` returns: a value, or issues. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] }

/** One thing that is wrong with a value. */
export interface StandardIssue {
  /** What is wrong, for people. */
  readonly message: string
  /** Where: the keys that lead to it. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** The type that a schema lets through: that of `message.data`. */
export type Output<Schema extends StandardSchema> = NonNullable<
  Schema['~standard']['types']
>['output']

/** The type that a schema takes: that of what is sent. */
export type Input<Schema extends StandardSchema> = NonNullable<
  Schema['~standard']['types']
>['input']
