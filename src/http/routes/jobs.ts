import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { jobListSchema, jobSchema, jobStateSchema, submitJobSchema } from '../../contract/job.ts';
import { problemSchema } from '../../contract/problem.ts';
import { toJobView } from '../../domain/job-view.ts';
import { cancelJob } from '../../service/cancel-job.ts';
import { findJob } from '../../service/find-job.ts';
import { retryJob } from '../../service/retry-job.ts';
import { submitJob } from '../../service/submit-job.ts';
import type { ServerDeps } from '../deps.ts';

const idParams = z.object({ id: z.string() });
const listQuery = z.strictObject({
  state: z.union([jobStateSchema, z.array(jobStateSchema)]).optional(),
  type: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(100).default(25),
  cursor: z.string().optional(),
});
const tags = ['jobs'];

export const jobRoutes: FastifyPluginAsyncZod<ServerDeps> = async (server, { jobs }) => {
  const view = (job: Parameters<typeof toJobView>[0]): z.infer<typeof jobSchema> => ({
    ...toJobView(job, jobs.clock()),
  });
  const answers = { 400: problemSchema, 404: problemSchema, 409: problemSchema };

  server.post(
    '/jobs',
    {
      schema: {
        tags,
        summary: 'Hand in a job',
        description:
          'Accepted (201) means never lost. An idempotency key that is known gives the first job again (200).',
        body: submitJobSchema,
        response: { 200: jobSchema, 201: jobSchema, ...answers },
      },
    },
    async (request, reply) => {
      const { job, created } = await submitJob(jobs, request.body);
      return reply
        .code(created ? 201 : 200)
        .header('location', `/api/jobs/${job.id}`)
        .send(view(job));
    },
  );

  server.get(
    '/jobs',
    {
      schema: {
        tags,
        summary: 'Jobs, newest first',
        querystring: listQuery,
        response: { 200: jobListSchema, 400: problemSchema },
      },
    },
    async ({ query }) => {
      const page = await jobs.store.listJobs({
        limit: query.limit,
        ...(query.state === undefined ? {} : { states: [query.state].flat() }),
        ...(query.type === undefined ? {} : { type: query.type }),
        ...(query.cursor === undefined ? {} : { cursor: query.cursor }),
      });
      return { items: page.items.map(view), nextCursor: page.nextCursor };
    },
  );

  server.get(
    '/jobs/:id',
    {
      schema: {
        tags,
        summary: 'One job',
        params: idParams,
        response: { 200: jobSchema, 404: problemSchema },
      },
    },
    async ({ params }) => view(await findJob(jobs.store, params.id)),
  );

  server.post(
    '/jobs/:id/cancel',
    { schema: { tags, summary: 'Cancel a job', params: idParams, response: { 202: jobSchema, ...answers } } },
    async ({ params }, reply) => reply.code(202).send(view(await cancelJob(jobs.store, params.id))),
  );

  server.post(
    '/jobs/:id/retry',
    {
      schema: {
        tags,
        summary: 'Run a failed or cancelled job again, as a new job',
        params: idParams,
        response: { 201: jobSchema, ...answers },
      },
    },
    async ({ params }, reply) => {
      const job = await retryJob(jobs, params.id);
      return reply.code(201).header('location', `/api/jobs/${job.id}`).send(view(job));
    },
  );
  await Promise.resolve();
};
