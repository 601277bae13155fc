import type { ProfileSeed } from '../../config/load-profile.ts';
import type { Config } from '../../config/settings.ts';
import type { TypeNeeds } from '../../launcher/docker/docker-launcher.ts';

/** Types whose tools never reach a network; those of notebooks may where the job says so. */
const offline: readonly string[] = ['plantuml', 'drawio'];
/** Types that ask a model. */
const agents: readonly string[] = ['codex'];

/** Whether jobs of the type are an agent's, so that the model has a part in what comes of them. */
export function isAgent(type: string): boolean {
  return agents.includes(type);
}

/** What a worker of the type is given in a container: nobody gets a key or a network without a use for it. */
export function typeNeeds(type: string, { codex }: Config, profile: ProfileSeed): TypeNeeds {
  const { openaiApiKey, openaiApiKeyFile } = profile;
  const asksModel = isAgent(type) && codex.auth === 'profile';
  return {
    network: !offline.includes(type),
    codexHome: isAgent(type),
    secrets:
      asksModel && openaiApiKey !== null
        ? { OPENAI_API_KEY: { value: openaiApiKey.reveal(), file: openaiApiKeyFile ?? null } }
        : {},
    asks: asksModel ? codex.baseUrl : null,
  };
}
