import { z } from 'zod';
import { documentJobShape, formatsSchema } from './document-job.ts';

export const plantumlFormats = ['png', 'svg'] as const;
export type PlantumlFormat = (typeof plantumlFormats)[number];

/** Input of a `plantuml` job: each diagram of each file becomes one file a format, named after `@startuml NAME`, else after its file. */
export const plantumlJobInputSchema = z.strictObject({
  ...documentJobShape,
  formats: formatsSchema(plantumlFormats, 'svg'),
});
export type PlantumlJobInput = Readonly<z.infer<typeof plantumlJobInputSchema>>;
