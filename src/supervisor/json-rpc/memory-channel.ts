import { AppError } from '../../runtime/app-error.ts';
import type { ChannelListener, MessageChannel } from './channel.ts';

/** Two linked channels: what one sends the other gets, as JSON, in a later turn. Closing either closes both. */
export function createMemoryChannelPair(): readonly [MessageChannel, MessageChannel] {
  let open = true;
  const listeners: [ChannelListener | null, ChannelListener | null] = [null, null];
  const end = (mine: 0 | 1): MessageChannel => {
    const other = mine === 0 ? 1 : 0;
    return {
      listen: (listener) => {
        listeners[mine] = listener;
      },
      send: async (message) => {
        if (!open) {
          throw new AppError('infrastructure', 'connection_closed', 'The channel is closed.');
        }
        const value: unknown = JSON.parse(JSON.stringify(message));
        queueMicrotask(() => {
          if (open) listeners[other]?.message(value);
        });
        await Promise.resolve();
      },
      close: () => {
        if (!open) return;
        open = false;
        for (const listener of listeners) listener?.closed('the channel was closed');
      },
    };
  };
  return [end(0), end(1)];
}
