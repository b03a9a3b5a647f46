// What the lint and the diff know of an operation of an API document: a shape of facts, without its prose's authority.
// Made by openapi-operations.ts; every list may be empty. Cold.

export interface ApiParameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header' | 'cookie';
  /** Values that its schema lists, as text; at most 32. */
  readonly values: readonly string[];
  /** Of its schema: `integer`, `string`; null when not said. */
  readonly type: string | null;
  /** `uuid` and the like; null when not said. */
  readonly format: string | null;
}

export interface ApiOperation {
  /** Upper case. */
  readonly method: string;
  /** With the server's base path in front, `{parameters}` as written. */
  readonly path: string;
  readonly operationId: string | null;
  readonly summary: string | null;
  readonly description: string | null;
  readonly tags: readonly string[];
  readonly parameters: readonly ApiParameter[];
  /** Media types, lower case, without parameters. */
  readonly requestTypes: readonly string[];
  /** Of the answers of success. */
  readonly responseTypes: readonly string[];
  /** Header names of the answers of success, lower case. */
  readonly responseHeaders: readonly string[];
  /** Names of fields, three levels deep, each once. */
  readonly requestFields: readonly string[];
  readonly responseFields: readonly string[];
}

export interface ApiDocument {
  /** `3.0.3` */
  readonly version: string;
  readonly title: string | null;
  /** In the document's order; at least one. */
  readonly operations: readonly ApiOperation[];
  /** References that lead out of the document or nowhere, in places that do not hide an operation. */
  readonly unresolved: readonly string[];
}
