import { Secret } from '../runtime/secret.ts';
import { isUnset, type Environment } from './environment.ts';

/** The keys that seed the default profile; null where the environment has none. */
export interface ProfileSeed {
  readonly openaiApiKey: Secret | null;
}

export function loadProfile(environment: Environment): ProfileSeed {
  const key = environment['OPENAI_API_KEY'];
  return Object.freeze({ openaiApiKey: isUnset(key) ? null : new Secret(key.trim()) });
}
