import { expect, test } from 'vitest';
import type { Logger } from '../domain/logger.ts';
import { AppError } from '../runtime/app-error.ts';
import { Secret } from '../runtime/secret.ts';
import { createLogger, type LoggerOptions } from './create-logger.ts';
import { secrets } from './secrets.ts';
import { fc } from '../../test/support/properties.ts';

const value = 'pa"ss\\word\n-of-this-test';
secrets.add(value);

function written(format: LoggerOptions['format'], log: (logger: Logger) => void, isTTY?: boolean): string {
  let output = '';
  const destination = { write: (line: string) => void (output += line), isTTY };
  log(createLogger({ level: 'trace', format, destination }));
  return output;
}

/** The value in any spelling, or one of its lines. */
const traces = [value, JSON.stringify(value).slice(1, -1), 'pa"ss\\word', 'pa\\"ss\\\\word', '-of-this-test'];

const places: Readonly<Record<string, (logger: Logger) => void>> = {
  'the message': (logger) => logger.info({}, `said ${value}`),
  'a field': (logger) => logger.info({ field: value }, 'said'),
  'a nested field': (logger) => logger.info({ a: { b: { c: `x${value}x` } } }, 'said'),
  'an array': (logger) => logger.warn({ list: ['a', value, [value]] }, 'said'),
  'the name of a field': (logger) => logger.info({ [value]: 1, deep: { [value]: 2 } }, 'said'),
  'the name of a child': (logger) => logger.child({ [value]: value }).debug({}, 'said'),
  'an error': (logger) => logger.error({ err: new Error(`no ${value}`) }, 'failed'),
  'an error under another name': (logger) => logger.error({ why: new Error(value) }, 'failed'),
  'the cause of an error': (logger) =>
    logger.error({ error: new AppError('agent', 'bad', 'no', { cause: new Error(value) }) }, 'failed'),
  'details of an error': (logger) =>
    logger.error({ err: new AppError('agent', 'bad', 'no', { hint: value, details: { value } }) }, 'failed'),
};

for (const [place, log] of Object.entries(places)) {
  test.each(['json', 'text'] as const)(`a secret in ${place} does not get out as %s`, (format) => {
    const output = written(format, log);
    expect(output).toContain('[redacted]');
    for (const trace of traces) expect(output).not.toContain(trace);
  });
}

test('a child that was bound before the secret was known does not tell it', () => {
  const late = 'known-only-after-binding';
  const output = written('json', (logger) => {
    const child = logger.child({ late });
    secrets.add(late);
    child.info({}, 'said');
  });
  expect(output).not.toContain(late);
});

test('fields whose names say that a secret follows are hidden, counts are not', () => {
  const output = written('json', (logger) => {
    const headers = { Authorization: 'abc', cookie: 'abc', 'x-api-key': 'abc' };
    logger.info({ headers, openaiApiKey: 'abc', password: 'abc', inputTokens: 5, apiKey: null }, 'said');
  });
  expect(output).not.toContain('abc');
  expect(JSON.parse(output)).toMatchObject({ password: '[redacted]', inputTokens: 5, apiKey: null });
});

test('a Secret prints as what it is', () => {
  expect(written('json', (logger) => logger.info({ held: new Secret('never-shown') }, 'said'))).toContain(
    '[secret]',
  );
});

test('a json line has level, time, message and facts, and stays one line', () => {
  const output = written('auto', (logger) => logger.child({ job: 'j1' }).info({ big: 10n }, 'two\nlines'));
  expect(output.trimEnd()).not.toContain('\n');
  expect(JSON.parse(output)).toMatchObject({ level: 'info', job: 'j1', msg: 'two\nlines', big: 10 });
});

test('in a terminal a line is text, its control characters are spelled out, a stack follows', () => {
  const log = (logger: Logger): void =>
    logger.error({ job: 'j 1', n: 2, err: new Error('b\u001b[31mad') }, 'it\u001b[2J\nforged');
  const output = written('auto', log, true);
  expect(output).toMatch(
    /^\d\d:\d\d:\d\d ERROR it\\u001b\[2J\\nforged job="j 1" n=2\n {4}Error: b\\u001b\[31mad\n {4}at /,
  );
  expect(output).not.toContain('\u001b');
});

test('what is less severe than the level is not written', () => {
  let output = '';
  const destination = { write: (line: string) => void (output += line) };
  createLogger({ level: 'warn', format: 'json', destination }).info({}, 'quiet');
  expect(output).toBe('');
});

test('whatever fields and message are, the secret stays in and json stays json', () => {
  const holder = fc.letrec((tie) => ({
    node: fc.oneof(
      { depthSize: 'small' },
      fc.string().map((text) => `${text}${value}${text}`),
      fc.jsonValue(),
      fc.array(tie('node')),
      fc.dictionary(fc.oneof(fc.string(), fc.constant(value)), tie('node')),
    ),
  }));
  fc.assert(
    fc.property(holder.node, fc.string(), (node, text) => {
      const output = written('json', (logger) => logger.info({ node }, text + value));
      expect(() => JSON.parse(output) as unknown).not.toThrow();
      for (const trace of traces.slice(0, 2)) expect(output).not.toContain(trace);
    }),
  );
});
