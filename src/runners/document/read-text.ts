import { AppError } from '../../runtime/app-error.ts';

/** A file's bytes as text. Throws `not_utf8` (user). */
export function readText(file: string, bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new AppError('user', 'not_utf8', `${file} is not text in UTF-8.`, {
      hint: 'Save it as UTF-8; a binary file is no source.',
      cause: error,
    });
  }
}
