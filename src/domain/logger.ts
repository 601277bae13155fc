type LogFields = Readonly<Record<string, unknown>>;

/** What a room needs of a logger: facts first, then one sentence. The implementation redacts. */
export interface Logger {
  trace(fields: LogFields, message: string): void;
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  child(fields: LogFields): Logger;
}
