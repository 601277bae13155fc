import Fastify from 'fastify';
import { expect, test } from 'vitest';
import { AppError } from '../../runtime/app-error.ts';
import { checkLocalOrKey } from './guard.ts';

async function ask(apiKey: string | null, from: string, key?: string): Promise<number> {
  const server = Fastify();
  const guard = { host: '0.0.0.0', apiKey, allowedHosts: [], allowedOrigins: [] };
  server.setErrorHandler((error, _request, reply) =>
    reply.code(error instanceof AppError ? 401 : 500).send(),
  );
  server.get('/metrics', (request) => {
    checkLocalOrKey(request, guard);
    return 'figures';
  });
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const { statusCode } = await server.inject({ url: '/metrics', remoteAddress: from, headers });
  return statusCode;
}

test('what is for this machine is told to it without a key, and to others with the key alone', async () => {
  expect(await ask('k', '127.0.0.1')).toBe(200);
  expect(await ask('k', '::ffff:127.0.0.1')).toBe(200);
  expect(await ask('k', '::1')).toBe(200);
  expect(await ask('k', '10.0.0.9')).toBe(401);
  expect(await ask('k', '10.0.0.9', 'wrong')).toBe(401);
  expect(await ask('k', '10.0.0.9', 'k')).toBe(200);
  expect(await ask(null, '10.0.0.9')).toBe(401);
});
