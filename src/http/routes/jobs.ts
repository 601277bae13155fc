import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { jobListSchema, jobSchema, jobStateSchema, submitJobSchema } from '../../contract/job.ts';
import type { Job } from '../../domain/job.ts';
import { toJobView } from '../../domain/job-view.ts';
import { AppError } from '../../runtime/app-error.ts';
import { cancelJob } from '../../service/jobs/cancel-job.ts';
import { deleteJob } from '../../service/jobs/delete-jobs.ts';
import { findJob } from '../../service/jobs/find-job.ts';
import { retryJob } from '../../service/jobs/retry-job.ts';
import { submitJob } from '../../service/jobs/submit-job.ts';
import type { ServerDeps } from '../deps.ts';
import { badRequest, bodyErrors, commonErrors, conflict, diskFull, json, notFound } from '../documents.ts';

const idParams = z.object({ id: z.string() });
const listQuery = z.strictObject({
  state: z
    .union([jobStateSchema, z.array(jobStateSchema)])
    .optional()
    .describe('Only jobs in this state; may be given more than once'),
  type: z.string().optional().describe('Only jobs of this type'),
  limit: z.coerce.number().int().min(1).max(100).default(25),
  cursor: z.string().optional().describe('`nextCursor` of the page before'),
});
const tags = ['jobs'];
const submitDescription = `Accepted (201) means never lost. An idempotency key that is known gives the job that was accepted first (200), or 409
where that was of another type, queue or input.
The \`input\` of a \`codex\` job is a CodexJobInput; its folder lies on the server's machine and is copied now:

    {"type": "codex", "input": {"prompt": "Add a contact page", "source": {"dir": "/srv/site"}}}`;

export const jobRoutes: FastifyPluginAsyncZod<ServerDeps> = async (server, { jobs, stopping }) => {
  const view = (job: Job): z.infer<typeof jobSchema> => ({ ...toJobView(job, jobs.clock()) });

  server.post(
    '/jobs',
    {
      schema: {
        tags,
        operationId: 'submitJob',
        summary: 'Hand in a job',
        description: submitDescription,
        body: submitJobSchema,
        response: {
          200: json('The job that was accepted first under this idempotency key.', jobSchema),
          201: json('Accepted; Location says where to look for it.', jobSchema),
          ...badRequest,
          ...notFound,
          ...conflict,
          ...bodyErrors,
          ...commonErrors,
          ...diskFull,
        },
      },
    },
    async (request, reply) => {
      refuseWhile(stopping);
      const { job, created } = await submitJob(jobs, request.body);
      void reply.header('location', `/api/jobs/${job.id}`);
      return reply.code(created ? 201 : 200).send(view(job));
    },
  );

  server.get(
    '/jobs',
    {
      schema: {
        tags,
        operationId: 'listJobs',
        summary: 'Jobs, newest first',
        querystring: listQuery,
        response: { 200: json('One page.', jobListSchema), ...badRequest, ...commonErrors },
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
        operationId: 'getJob',
        summary: 'One job',
        params: idParams,
        response: { 200: json('The job as it is now.', jobSchema), ...notFound, ...commonErrors },
      },
    },
    async ({ params }) => view(await findJob(jobs.store, params.id)),
  );

  server.delete(
    '/jobs/:id',
    {
      schema: {
        tags,
        operationId: 'deleteJob',
        summary: 'Delete a job that has ended, with its artifacts',
        params: idParams,
        response: {
          204: z.null().describe('It is gone.'),
          ...notFound,
          ...conflict,
          ...commonErrors,
        },
      },
    },
    async ({ params }, reply) => {
      await deleteJob(jobs, await findJob(jobs.store, params.id));
      return reply.code(204).send(null);
    },
  );

  server.post(
    '/jobs/:id/cancel',
    {
      schema: {
        tags,
        operationId: 'cancelJob',
        summary: 'Cancel a job',
        description:
          'A waiting job ends at once, a running one when its worker has stopped it. May be repeated.',
        params: idParams,
        response: {
          202: json('Cancelled, or about to be.', jobSchema),
          ...notFound,
          ...conflict,
          ...commonErrors,
        },
      },
    },
    async ({ params }, reply) => reply.code(202).send(view(await cancelJob(jobs.store, params.id))),
  );

  server.post(
    '/jobs/:id/retry',
    {
      schema: {
        tags,
        operationId: 'retryJob',
        summary: 'Run a failed or cancelled job again, as a new job',
        params: idParams,
        response: {
          201: json('The new job; Location says where to look for it.', jobSchema),
          ...notFound,
          ...conflict,
          ...commonErrors,
          ...diskFull,
        },
      },
    },
    async ({ params }, reply) => {
      refuseWhile(stopping);
      const job = await retryJob(jobs, params.id);
      return reply.code(201).header('location', `/api/jobs/${job.id}`).send(view(job));
    },
  );
  await Promise.resolve();
};

function refuseWhile(stopping: AbortSignal): void {
  if (!stopping.aborted) return;
  throw new AppError('infrastructure', 'server_stopping', 'The server is stopping and takes no new work.', {
    hint: 'Send it again in a moment; nothing was accepted.',
  });
}
