import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** A JSON-RPC call as it comes in. */
export interface ProxiedCall {
  readonly id: unknown;
  readonly method: string;
  readonly params: readonly unknown[];
}

/** An endpoint that can be made to misbehave while it is used. */
export interface Proxy {
  readonly url: string;
  /** Calls that came in. */
  readonly calls: string[];
  /** Answers nothing but 502. */
  down: boolean;
  /** Milliseconds that every answer waits. */
  delay: number;
  /** Changes an answer; called with what the chain says. */
  lie: (call: ProxiedCall, answer: unknown) => unknown;
  /** Answers a call with an error of this text, as of a call that reverts. */
  refuse: (call: ProxiedCall) => string | undefined;
  /** Takes a call without passing it on; what it gives is the answer. */
  swallow: (call: ProxiedCall) => unknown;
  close(): Promise<void>;
}

/** Starts an endpoint in front of another one. */
export async function startProxy(target: string): Promise<Proxy> {
  const proxy: Omit<Proxy, 'url' | 'close'> = { calls: [], down: false, delay: 0, lie: (_, answer) => answer, refuse: () => undefined, swallow: () => undefined };
  const answerTo = async (body: string): Promise<object> => {
    const call = JSON.parse(body) as ProxiedCall;
    proxy.calls.push(call.method);
    const swallowed = proxy.swallow(call);
    if (swallowed !== undefined) return { jsonrpc: '2.0', id: call.id, result: swallowed };
    const refusal = proxy.refuse(call);
    if (refusal !== undefined) return { jsonrpc: '2.0', id: call.id, error: { code: 3, message: refusal, data: '0xdeadbeef' } };
    const response = (await (await fetch(target, { method: 'POST', body, headers: { 'content-type': 'application/json' } })).json()) as { result?: unknown };
    return 'result' in response ? { ...response, result: proxy.lie(call, response.result) } : response;
  };
  const server = createServer((incoming, outgoing) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part)).on('end', () => {
      void (async () => {
        if (proxy.delay > 0) await pause(proxy.delay);
        if (proxy.down) return void outgoing.writeHead(502).end('bad gateway');
        outgoing.setHeader('content-type', 'application/json').end(JSON.stringify(await answerTo(Buffer.concat(parts).toString())));
      })().catch(() => outgoing.destroy());
    });
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return Object.assign(proxy, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise<void>((closed) => {
      server.closeAllConnections();
      server.close(() => closed());
    }),
  });
}
