import onnxProto from 'onnx-proto';
import type { onnx } from 'onnx-proto';

type Attribute = number | string | readonly number[];

export interface TestNode {
  readonly operator: string;
  readonly name?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly integers?: Readonly<Record<string, Attribute>>;
  readonly floats?: Readonly<Record<string, number>>;
}

export interface TestGraph {
  readonly nodes: readonly TestNode[];
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  readonly outputs: Readonly<Record<string, readonly number[]>>;
  readonly constants?: Readonly<Record<string, { readonly dims: readonly number[]; readonly data: readonly number[]; readonly type?: 'float' | 'int64' }>>;
  readonly opset?: number;
}

/** What a test may change before the file is written. */
export type Change = (model: onnx.IModelProto) => void;

const FLOAT = 1;
const INT64 = 7;

/** The bytes of an ONNX file with this graph. */
export function onnxFile({ nodes, inputs, outputs, constants = {}, opset = 13 }: TestGraph, change: Change = () => undefined): Uint8Array {
  const value = ([name, dims]: [string, readonly number[]]): onnx.IValueInfoProto => ({
    name,
    type: { tensorType: { elemType: FLOAT, shape: { dim: dims.map((dimValue) => ({ dimValue })) } } },
  });
  const model: onnx.IModelProto = {
    irVersion: 8,
    opsetImport: [{ domain: '', version: opset }],
    graph: {
      name: 'test',
      node: nodes.map(({ operator, name, inputs: from, outputs: to, integers = {}, floats = {} }) => ({
        opType: operator,
        name: name ?? '',
        input: [...from],
        output: [...to],
        attribute: [...Object.entries(integers).map(integerAttribute), ...Object.entries(floats).map(([attribute, f]) => ({ name: attribute, type: 1, f }))],
      })),
      input: Object.entries(inputs).map(value),
      output: Object.entries(outputs).map(value),
      initializer: Object.entries(constants).map(([name, { dims, data, type = 'float' }]) => ({
        name,
        dims: [...dims],
        ...(type === 'float' ? { dataType: FLOAT, floatData: [...data] } : { dataType: INT64, int64Data: [...data] }),
      })),
    },
  };
  change(model);
  return onnxProto.onnx.ModelProto.encode(model).finish();
}

function integerAttribute([name, value]: [string, Attribute]): onnx.IAttributeProto {
  if (typeof value === 'number') return { name, type: 2, i: value };
  if (typeof value === 'string') return { name, type: 3, s: new TextEncoder().encode(value) };
  return { name, type: 7, ints: [...value] };
}
