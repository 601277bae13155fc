import type { ProfileSeed } from '../../config/load-profile.ts';
import type { Config } from '../../config/settings.ts';
import type { TypeNeeds } from '../../launcher/docker/docker-launcher.ts';

/** Types whose tools never reach a network; those of notebooks may where the job says so. */
const offline: readonly string[] = ['plantuml', 'drawio'];
/** Types that ask a model. */
const agents: readonly string[] = ['codex'];

/** What a worker of the type is given in a container: nobody gets a key or a network without a use for it. */
export function typeNeeds(type: string, { codex }: Config, profile: ProfileSeed): TypeNeeds {
  const isAgent = agents.includes(type);
  return {
    network: !offline.includes(type),
    apiKey: isAgent && codex.auth === 'profile' ? (profile.openaiApiKey?.reveal() ?? null) : null,
    asks: isAgent && codex.auth === 'profile' ? codex.baseUrl : null,
  };
}
