import { createHash } from 'node:crypto';
import { isAgent } from '../fleet/type-needs.ts';

const nameLength = 36;
const idLength = 12;

/**
 * The queue of jobs that a worker with this tool alone may take, as what they make is remembered as made with it. A worker takes from
 * the queue of its tool, and from that of its type, whose jobs any may take.
 * @param tool name and version, or the image
 */
export function toolQueue(type: string, tool: string): string {
  const name = tool.replace(/[0-9a-f]{64}/g, shortened).replace(/[^A-Za-z0-9.]+/g, '-');
  const digest = createHash('sha256').update(tool).digest('hex').slice(0, 8);
  return `${type}.${name.slice(0, nameLength)}.${digest}`;
}

/** What a container makes changes with its image, whatever that is called, and with the model that its agents ask. */
export function imageTool(
  type: string,
  { imageId, model }: { readonly imageId: string; readonly model: string },
): string {
  return isAgent(type) ? `image ${imageId}, ${model}` : `image ${imageId}`;
}

function shortened(digest: string): string {
  return digest.slice(0, idLength);
}
