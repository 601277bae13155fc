import type { FastifyInstance } from 'fastify';
import type { Gateway } from '../../gateway/gateway.ts';
import { AppError } from '../../runtime/app-error.ts';

interface ById {
  readonly Params: { readonly id: string };
}

/** `/v1/responses/ID`: what the clients' `retrieve`, `delete`, `cancel` and `inputItems.list` ask for. */
export function storedResponseRoutes(server: FastifyInstance, gateway: Gateway): void {
  server.get<ById & { readonly Querystring: { readonly stream?: string } }>(
    '/responses/:id',
    async ({ params, query }) => {
      if (query.stream === 'true')
        throw refused("'stream' is not supported for a stored response.", 'stream');
      return (await gateway.findResponse(params.id)).response;
    },
  );
  server.get<ById>('/responses/:id/input_items', async ({ params }) => {
    const { sent } = await gateway.findResponse(params.id);
    // The newest first, as there.
    const data = sent.map((item, index) => ({ id: `item_${params.id}_${index}`, ...item })).toReversed();
    return {
      object: 'list',
      data,
      first_id: data[0]?.id ?? null,
      last_id: data.at(-1)?.id ?? null,
      has_more: false,
    };
  });
  server.delete<ById>('/responses/:id', async ({ params }) => {
    await gateway.removeResponse(params.id);
    return { id: params.id, object: 'response', deleted: true };
  });
  server.post<ById>('/responses/:id/cancel', async ({ params }) => {
    await gateway.findResponse(params.id);
    throw refused(
      'Only a response that runs in the background can be cancelled, and there are none here.',
      null,
    );
  });
}

function refused(message: string, param: string | null): AppError {
  return new AppError('user', 'invalid_request_error', message, { details: { param } });
}
