import { z } from 'zod';
import { documentJobShape, formatsSchema } from './document-job.ts';

export const notebookFormats = ['html', 'notebook', 'script'] as const;
export type NotebookFormat = (typeof notebookFormats)[number];

/** Input of a `notebook` job: `.ipynb` files and scripts with `# %%` cells. */
export const notebookJobInputSchema = z.strictObject({
  ...documentJobShape,
  formats: formatsSchema(notebookFormats, 'html'),
  /** Whether the cells are run first; a cell that fails fails the job, and names itself. */
  execute: z.boolean().default(false),
  /** The name of the kernel that runs the cells, instead of the one that the notebook names. */
  kernel: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,100}$/)
    .optional(),
  /** The limit of one cell, milliseconds. */
  cellTimeoutMs: z
    .number()
    .int()
    .positive()
    .max(24 * 3_600_000)
    .optional(),
  /** Whether the cells may reach the network. */
  network: z.boolean().default(false),
});
export type NotebookJobInput = Readonly<z.infer<typeof notebookJobInputSchema>>;
