import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { handSecrets } from '../launcher/hand-secrets.ts';
import { readSecrets } from './read-secrets.ts';

const { signal } = new AbortController();

test('the first line of stdin has the secrets, however it is cut; what follows stays for others', async () => {
  const stdin = new PassThrough();
  const secrets = readSecrets(stdin, signal);
  const written: Buffer[] = [];
  const launcher = new PassThrough().on('data', (chunk: Buffer) => written.push(chunk));
  handSecrets(launcher, { OPENAI_API_KEY: 'sk-1' });
  launcher.end();
  const line = Buffer.concat(written);
  stdin.write(line.subarray(0, 9));
  stdin.write(line.subarray(9));
  expect(await secrets).toEqual({ OPENAI_API_KEY: 'sk-1' });
  const ended = new Promise((resolve) => stdin.once('end', resolve));
  stdin.resume().end();
  await ended;
});

test('rubbish and an early end are said without what came', async () => {
  for (const said of ['sk-rubbish\n', '{"type":"worker.secrets","secrets":["sk-rubbish"]}\n', '']) {
    const stdin = new PassThrough();
    const secrets = readSecrets(stdin, signal);
    stdin.end(said);
    await expect(secrets).rejects.toMatchObject({
      code: 'secrets_missing',
      message: expect.not.stringContaining('rubbish') as string,
    });
  }
});

test('whoever is told to stop meanwhile waits no longer', async () => {
  const stop = new AbortController();
  const secrets = readSecrets(new PassThrough(), stop.signal);
  stop.abort(new Error('told to stop'));
  await expect(secrets).rejects.toThrow('told to stop');
});
