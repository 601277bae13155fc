import { z } from 'zod';
import { documentJobShape, formatsSchema } from './document-job.ts';

export const drawioFormats = ['png', 'svg'] as const;
export type DrawioFormat = (typeof drawioFormats)[number];

/** Input of a `drawio` job: each page of each file becomes one file a format. */
export const drawioJobInputSchema = z.strictObject({
  ...documentJobShape,
  formats: formatsSchema(drawioFormats, 'svg'),
  /** Pixels of a png for each unit of the drawing. */
  scale: z.number().min(0.1).max(8).default(1),
});
export type DrawioJobInput = Readonly<z.infer<typeof drawioJobInputSchema>>;
