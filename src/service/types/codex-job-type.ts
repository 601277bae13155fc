import { codexJobInputSchema } from '../../contract/codex-job.ts';
import { documentJobType, type DocumentJobTypeDeps } from './document-job-type.ts';
import type { JobType } from './job-types.ts';
import { withholdKeys } from '../jobs/withhold-keys.ts';

/**
 * `codex` jobs: the source folder is copied, or the archive unpacked, when the job is accepted; later changes to either do not reach it. Files
 * that hold the provider's key are not copied.
 */
export function codexJobType(deps: DocumentJobTypeDeps): JobType {
  return documentJobType(codexJobInputSchema, deps, { withhold: withholdKeys(deps.providerKey) });
}
