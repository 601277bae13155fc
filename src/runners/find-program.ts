import { AppError } from '../runtime/app-error.ts';
import { checkCommand } from '../supervisor/check-command.ts';

/** The absolute path of the first of these programs that is on PATH; null where none is. */
export async function findProgram(names: string | readonly string[], path: string): Promise<string | null> {
  for (const command of typeof names === 'string' ? [names] : names) {
    try {
      return await checkCommand({ command, env: { PATH: path }, cwd: '/' });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
    }
  }
  return null;
}
