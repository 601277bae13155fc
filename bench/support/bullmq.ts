import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { startSide, type Side } from './side.ts';

/** BullMQ in a process of its own. By path, so that the checks of the house do not look for what only the bench installs. */
export function startBullmq(): Side {
  return startSide(pathToFileURL(path.join(import.meta.dirname, '../rivals/bullmq-side.js')));
}
