/** One step of the schema. Released steps never change; a new version appends one. */
export interface Migration {
  readonly version: number;
  readonly sql: string;
}
