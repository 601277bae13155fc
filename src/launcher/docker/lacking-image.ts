import type { WorkerSpec } from '../../domain/launcher.ts';
import { AppError } from '../../runtime/app-error.ts';

/** What a worker's pre-flight says where its tool is not there. */
const toolCodes = /^(?:plantuml|jupyter|chromium|drawio|codex)_(?:missing|broken)$/;

/** A worker in a container speaks of its image when it says that something is not installed; this machine has no part in it. */
export function lackingImage(error: unknown, { type, image }: WorkerSpec): unknown {
  if (!(error instanceof AppError) || !toolCodes.test(error.code)) return error;
  return new AppError(error.kind, error.code, `In the image ${image ?? ''}: ${error.message}`, {
    hint: `Set workers.${type}.image to an image of ${type} workers, or mend this one. Inside it: ${error.hint}`,
    cause: error,
  });
}
