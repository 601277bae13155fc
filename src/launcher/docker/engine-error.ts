import { AppError, hasErrno } from '../../runtime/app-error.ts';

const unreachable = ['ENOENT', 'ECONNREFUSED', 'ENOTDIR', 'ENOTSOCK', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT'];

/** What the engine, or the way to it, failed with: `docker_unavailable`, `docker_forbidden` (configuration) or `docker_failed`. */
export function asEngineError(error: unknown, what: string): unknown {
  if (error instanceof AppError) return error;
  if (hasErrno(error, 'EACCES', 'EPERM')) {
    return new AppError(
      'configuration',
      'docker_forbidden',
      `This user may not use the Docker engine: ${error.message}`,
      {
        hint: 'Add the user to the group docker and log in again, or use --workers=direct.',
        cause: error,
      },
    );
  }
  if (hasErrno(error, ...unreachable)) return engineUnavailable(error.message, error);
  const status = statusOf(error);
  if (status === null) return error;
  const said = error instanceof Error ? error.message.trim() : String(error);
  return new AppError('infrastructure', 'docker_failed', `The Docker engine could not ${what}: ${said}`, {
    hint: 'The log of the engine may say more (journalctl -u docker).',
    cause: error,
    details: { status },
  });
}

export function engineUnavailable(why: string, cause?: unknown): AppError {
  return new AppError('configuration', 'docker_unavailable', `No Docker engine can be reached: ${why}`, {
    hint: 'Start it (systemctl start docker, or Docker Desktop) and look with `docker info`, or use --workers=direct.',
    cause,
  });
}

/** The HTTP status that the engine answered with, or null where it is no answer of an engine. */
export function statusOf(error: unknown): number | null {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return null;
  return typeof error.statusCode === 'number' ? error.statusCode : null;
}
