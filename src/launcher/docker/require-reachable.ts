import { AppError } from '../../runtime/app-error.ts';

/** This machine's loopback is not a container's. Throws `address_unreachable`. */
export function requireReachable(address: string): void {
  const host = URL.parse(address)?.hostname ?? '';
  if (!/^(?:localhost|127(?:\.\d+){3}|\[::1\]|.*\.localhost)$/i.test(host)) return;
  throw new AppError(
    'configuration',
    'address_unreachable',
    `codex.base_url is ${address}, which in a container is the container itself.`,
    {
      hint: 'Let the provider listen on more than loopback and write host.docker.internal for this machine, or run these workers with execution_mode = "direct".',
    },
  );
}
