import { ImportError } from '../import-error.ts';
import type { OnnxNode } from './graph.ts';

/**
 * The nodes that the outputs need, each after those it reads from.
 *
 * @throws ImportError when a value is written twice, read without ever being written, or read by what it depends on.
 */
export function orderNodes(nodes: readonly OnnxNode[], given: readonly string[], outputs: readonly string[]): OnnxNode[] {
  const writers = new Map<string, OnnxNode>();
  const known = new Set(given);
  for (const node of nodes) {
    for (const output of node.outputs) {
      if (output === '') continue;
      if (writers.has(output) || known.has(output)) throw new ImportError(`the value ${output} is written twice (the second time by node ${node.name})`);
      writers.set(output, node);
    }
  }

  const ordered: OnnxNode[] = [];
  const state = new Map<OnnxNode, 'entered' | 'done'>();
  // An explicit stack: a hostile chain of nodes may be longer than the call stack is deep.
  const stack: { readonly node: OnnxNode; next: number }[] = [];
  const enter = (value: string, reader: string): void => {
    if (value === '' || known.has(value)) return;
    const node = writers.get(value);
    if (node === undefined) throw new ImportError(`${reader} reads ${value}, which is neither a weight, nor an input, nor written by a node`);
    if (state.get(node) === 'entered') throw new ImportError(`the nodes form a cycle: ${reader} reads ${value}, which depends on it`);
    if (state.has(node)) return;
    state.set(node, 'entered');
    stack.push({ node, next: 0 });
  };
  for (const output of outputs) {
    enter(output, 'the model\'s output');
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const { inputs, captured = [] } = top.node;
      const input = top.next < inputs.length ? inputs[top.next] : captured[top.next - inputs.length];
      top.next += 1;
      if (input !== undefined) {
        enter(input, `node ${top.node.name}`);
      } else {
        state.set(top.node, 'done');
        ordered.push(top.node);
        stack.pop();
      }
    }
  }
  return ordered;
}
