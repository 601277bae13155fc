import type { z } from 'zod';
import type { Job } from '../../domain/job.ts';
import type { ArtifactStorage } from '../../artifacts/artifact-storage.ts';
import type { Capstan } from '../open-capstan.ts';
import type { FileHashes } from './file-hashes.ts';
import type { Outputs } from './output-files.ts';

/** One job of the manifest, as its type has understood it. */
export interface BuildEntry {
  readonly id: string;
  readonly type: string;
  readonly needs: readonly string[];
  /** What its type knows besides, as the type's schema gave it. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly uses: readonly string[];
}

/** What becomes one job: an input file, or the whole entry. */
export interface TaskPlan {
  /** Unique in the entry; empty where the entry is one task. */
  readonly name: string;
  /** Files whose bytes the result depends on, relative to the manifest's folder, with `/`. */
  readonly files: readonly string[];
  /** What else it depends on. */
  readonly options: Readonly<Record<string, unknown>>;
}

export interface SubmitPlace {
  /** The manifest's folder. */
  readonly root: string;
  readonly outputDir: string;
  /** What the needed jobs made. */
  readonly needs: Outputs;
  readonly hashes: FileHashes;
  /** A fresh folder, removed when the job was accepted. */
  readonly staging: () => Promise<string>;
}

export interface CollectPlace {
  readonly artifacts: ArtifactStorage;
  /** An empty folder; what is put there goes to the same place in the output folder. */
  readonly folder: string;
}

/** What makes the outputs. */
export interface FoundTool {
  /** Its name and version: what it makes may be another thing with another one. */
  readonly version: string;
  /** Files and folders that change when the version does. */
  readonly witnesses: readonly string[];
}

/** What `build` knows of a job type. */
export interface BuildType {
  /** Strict: names that it does not know are the user's slips. */
  readonly optionsSchema: z.ZodType<Readonly<Record<string, unknown>>>;
  /** The id of an entry that names none. */
  readonly defaultId: (options: Readonly<Record<string, unknown>>) => string | null;
  /** Throws `no_input` where there is nothing to build. */
  readonly plan: (
    entry: BuildEntry,
    place: { readonly root: string; readonly exclude: readonly string[] },
  ) => Promise<readonly TaskPlan[]>;
  /** Throws kind `configuration` where it is missing. */
  readonly tool: (capstan: Capstan, signal: AbortSignal) => Promise<FoundTool>;
  /** Throws what a worker that is started here would end with, where that is known without starting one. */
  readonly checkWorker?: (capstan: Capstan) => void;
  /** The input of the job that builds the task. */
  readonly jobInput: (
    entry: BuildEntry,
    task: TaskPlan,
    place: SubmitPlace,
  ) => Promise<Record<string, unknown>>;
  readonly collect: (
    job: Job,
    task: { readonly entry: BuildEntry; readonly plan: TaskPlan },
    place: CollectPlace,
  ) => Promise<void>;
}
