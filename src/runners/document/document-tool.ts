import type { z } from 'zod';
import type { JobFolders } from '../../artifacts/job-folders.ts';
import type { DocumentJobInput } from '../../contract/document-job.ts';
import type { Lease } from '../../domain/job.ts';

/** A file that a tool made. */
export interface Output {
  /** Where it belongs among the outputs, with `/` between its parts. */
  readonly path: string;
  readonly content: Buffer | { readonly file: string };
}

export interface DocumentWork<Input> {
  readonly input: Input;
  readonly lease: Lease;
  /** `source` holds the job's files and is never written. */
  readonly folders: JobFolders;
  readonly signal: AbortSignal;
  /** Says something that does not fail the job. */
  readonly warn: (message: string) => void;
}

/** One job's use of a tool; disposing it leaves nothing alive and no file but in the job's folders. */
export interface DocumentSession extends AsyncDisposable {
  /** Converts one file of the source. Rejects with an AppError: kind `user` where the file is at fault. */
  convert(file: string): Promise<readonly Output[]>;
}

/** A program that makes documents of files, as the frame in `create-document-runner.ts` drives it. */
export interface DocumentTool<Input extends DocumentJobInput> extends AsyncDisposable {
  readonly type: string;
  readonly inputSchema: z.ZodType<Input>;
  /** The files that it reads, by their extensions with the dot. */
  readonly extensions: readonly string[];
  /** Those that it takes from a folder where the job names no files. */
  readonly picked: readonly string[];
  /** The largest file that it takes. */
  readonly maxFileBytes: number;
  /** The limit of an attempt whose job names none. */
  readonly timeoutMs: number;
  /** Rejects with kind `configuration` where no job could run. */
  start(signal: AbortSignal): Promise<void>;
  open(work: DocumentWork<Input>): Promise<DocumentSession>;
}
