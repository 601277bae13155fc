/** Exit 0 where what this container serves, the API or the gateway, is ready. */
const { CAPSTAN_HTTP__PORT = '8081', CAPSTAN_GATEWAY__PORT = '11435' } = process.env;

async function isReady(port) {
  const { ok } = await globalThis.fetch(`http://127.0.0.1:${port}/readyz`);
  if (!ok) throw new Error(`not ready on ${port}`);
}

Promise.any([CAPSTAN_HTTP__PORT, CAPSTAN_GATEWAY__PORT].map(isReady)).catch(() => {
  process.exitCode = 1;
});
