import { serve } from '@hono/node-server';
import type { Hono } from 'hono';
import { UserError, reasonOf } from '../errors.ts';

export interface ApiServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves the API; port 0 takes any free one. @throws UserError when the port is taken */
export function serveApi(app: Hono, { host, port }: { readonly host: string; readonly port: number }): Promise<ApiServer> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: app.fetch, hostname: host, port }, (address) => {
      const name = host.includes(':') ? `[${host}]` : host;
      resolve({
        url: `http://${name}:${address.port}`,
        close: () => new Promise((closed) => {
          server.close(() => closed());
          // Idle connections would keep it open.
          if ('closeAllConnections' in server) server.closeAllConnections();
        }),
      });
    });
    server.once('error', (error: unknown) => {
      reject(new UserError(`cannot serve the API on ${host}:${port}: ${reasonOf(error)}`, { hint: 'set another --api-port, or --api false', cause: error }));
    });
  });
}
