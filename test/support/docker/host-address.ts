import { docker } from './docker.ts';
import { dockerEngine } from './engine.ts';

/** This machine as containers on any bridge network of its engine reach it: where a server listens that they are to ask. */
export async function hostAddress(): Promise<string> {
  await dockerEngine();
  const ipam = '{{with index .IPAM.Config 0}}{{or .Gateway .Subnet}}{{end}}';
  const said = await docker('network', 'inspect', 'bridge', '--format', ipam);
  // An engine that found its bridge there already leaves the gateway out: it is the first address of the subnet.
  const address = said.replace(/\.0\/\d+$/, '.1');
  if (!/^(?:\d+\.){3}\d+$/.test(address)) throw new Error(`the engine's bridge has no address: ${said}`);
  return address;
}
