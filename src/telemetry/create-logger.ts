import { pino, stdSerializers, stdTimeFunctions, type Logger as PinoLogger } from 'pino';
import { formatLine, type LogLine } from './format-line.ts';
import { redactText } from './redact-text.ts';
import { redactValue } from './redact-value.ts';

export interface LoggerOptions {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** `auto`: text where `destination` is a terminal, else json. */
  readonly format: 'auto' | 'text' | 'json';
  /** Such as `process.stderr`. */
  readonly destination: LogDestination;
}

/** Takes whole lines, in order. */
export interface LogDestination {
  write(line: string): unknown;
  readonly isTTY?: boolean | undefined;
}

/**
 * The process's logger. Each line is written before the call returns, so that none is lost at an exit, and passes one
 * point where secrets are taken out, whatever part of it they stand in and whenever they became known.
 */
export function createLogger({ level, format, destination }: LoggerOptions): PinoLogger {
  const isText = format === 'text' || (format === 'auto' && destination.isTTY === true);
  const write = (json: string): void => {
    destination.write(finish(json, isText));
  };
  return pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: withErrors },
    },
    { write },
  );
}

/** An Error has no fields that JSON would show, under whatever name it is given. */
function withErrors(fields: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(fields).map(
    ([name, value]) => [name, value instanceof Error ? stdSerializers.err(value) : value] as const,
  );
  return Object.fromEntries(entries);
}

function finish(json: string, isText: boolean): string {
  let line: unknown;
  try {
    line = redactValue(JSON.parse(json));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // A logging call must not fail its caller: what is no JSON goes out as text.
    return redactText(json);
  }
  return isText ? formatLine(line as LogLine) : `${JSON.stringify(line)}\n`;
}
