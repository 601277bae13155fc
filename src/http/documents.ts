import type { FastifyDynamicSwaggerOptions, SwaggerTransformObject } from '@fastify/swagger';
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { codexJobInputSchema } from '../contract/codex-job.ts';
import { jobEventSchema } from '../contract/event.ts';
import { failureSchema } from '../contract/failure.ts';
import { jobListSchema, jobSchema, submitJobSchema } from '../contract/job.ts';
import { problemSchema } from '../contract/problem.ts';
import { workerSchema } from '../contract/worker.ts';

/** The shapes that have a name in the OpenAPI document; all others stand where they are used. Where `describe` puts its texts, too. */
const named = z.globalRegistry;
named.add(jobSchema, { id: 'Job' });
named.add(jobListSchema, { id: 'JobList' });
named.add(submitJobSchema, { id: 'SubmitJob' });
named.add(jobEventSchema, { id: 'JobEvent' });
named.add(failureSchema, { id: 'Failure' });
named.add(workerSchema, { id: 'Worker' });
named.add(problemSchema, { id: 'Problem' });
// What comes in gets `Input` behind its name.
named.add(codexJobInputSchema, { id: 'CodexJob' });

export const transform = createJsonSchemaTransform({});
const addSchemas = createJsonSchemaTransformObject({});

/** Shapes that stand in the text of a route alone. */
const alsoShown = ['JobEvent', 'CodexJobInput'];

/** The named shapes that something refers to; each is there as it comes in and as it goes out, and mostly one of the two is used. */
export const transformObject: SwaggerTransformObject = (document) => {
  const described = addSchemas(document) as OpenApiDocument;
  const all = described.components?.schemas ?? {};
  const used = new Set<string>();
  const use = (name: string): void => {
    const schema = all[name];
    if (used.has(name) || schema === undefined) return;
    used.add(name);
    references(schema).forEach(use);
  };
  [...references(described.paths), ...alsoShown].forEach(use);
  const schemas = Object.fromEntries(Object.entries(all).filter(([name]) => used.has(name)));
  return {
    ...described,
    components: { ...described.components, schemas },
  } as ReturnType<SwaggerTransformObject>;
};

interface OpenApiDocument {
  readonly paths?: unknown;
  readonly components?: { readonly schemas?: Readonly<Record<string, unknown>> };
}

function references(part: unknown): readonly string[] {
  const matches = JSON.stringify(part ?? null).matchAll(/"#\/components\/schemas\/([^"]+)"/g);
  return [...matches].map(([, name = '']) => name);
}

export function documentInfo(version: string): NonNullable<FastifyDynamicSwaggerOptions['openapi']> {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Capstan',
      version,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      description:
        'Coding agents as dependable background workers. Every error is problem details (RFC 9457) with a stable `code` and a `hint`.',
    },
    servers: [{ url: '/', description: 'This server' }],
    tags: [
      { name: 'jobs', description: 'Pieces of work: handed in, followed, cancelled, run again' },
      { name: 'workers', description: 'Processes that take jobs' },
      { name: 'health', description: 'For load balancers and supervisors; open without a key' },
    ],
    components: {
      securitySchemes: {
        apiKey: {
          type: 'http' as const,
          scheme: 'bearer',
          description: 'Only where the server has an API key (http.api_key).',
        },
      },
    },
    // One of these is enough: a server on loopback may have no key.
    security: [{}, { apiKey: [] }],
  };
}

const errors = {
  400: 'The request is not right; `errors` names each place.',
  401: 'The API key is missing or wrong.',
  403: 'The Host or Origin of the request is not allowed.',
  404: 'There is no such thing.',
  409: 'What the thing is now does not allow it.',
  413: 'The body is too large.',
  415: 'The body is not JSON.',
  416: 'The artifact has no such bytes; Content-Range says how many it has.',
  500: 'A fault of the server.',
  503: 'The server cannot do it at the moment, or is stopping; try again after Retry-After seconds.',
  507: 'The disk is full; nothing was accepted.',
} as const;
type ErrorStatus = keyof typeof errors;

function answer(status: ErrorStatus) {
  return { description: errors[status], content: { 'application/problem+json': { schema: problemSchema } } };
}

/** What every route of the API may answer, for its `response` schema. */
export const commonErrors = { 401: answer(401), 403: answer(403), 500: answer(500), 503: answer(503) };
export const badRequest = { 400: answer(400) };
export const notFound = { 404: answer(404) };
export const conflict = { 409: answer(409) };
export const unsatisfiable = { 416: answer(416) };
export const bodyErrors = { 413: answer(413), 415: answer(415) };
export const diskFull = { 507: answer(507) };

/** A JSON answer with a sentence of its own. */
export function json<Schema extends z.ZodType>(description: string, schema: Schema) {
  return { description, content: { 'application/json': { schema } } };
}
