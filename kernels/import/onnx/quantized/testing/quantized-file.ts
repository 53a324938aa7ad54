import onnxProto from 'onnx-proto';

/** ONNX's element types that quantised test graphs have. */
const TYPES = { float: 1, uint8: 2, int8: 3, int32: 6, int64: 7 } as const;
export type TestType = keyof typeof TYPES;

export interface TestValue { readonly type: TestType; readonly dims: readonly number[] }
export interface TestConstant extends TestValue { readonly data: readonly number[] }

export interface QuantizedTestGraph {
  readonly nodes: readonly {
    readonly operator: string;
    readonly inputs: readonly string[];
    readonly outputs: readonly string[];
    readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
    readonly domain?: string;
  }[];
  readonly input: TestValue;
  readonly output: TestValue;
  readonly constants: Readonly<Record<string, TestConstant>>;
}

/** The bytes of an ONNX file with this graph, whose input is `x` and whose output is `y`. */
export function quantizedFile({ nodes, input, output, constants }: QuantizedTestGraph): Uint8Array {
  const value = (name: string, { type, dims }: TestValue) => ({ name, type: { tensorType: { elemType: TYPES[type], shape: { dim: dims.map((dimValue) => ({ dimValue })) } } } });
  const data = ({ type, data: numbers }: TestConstant) => (type === 'float' ? { floatData: [...numbers] } : type === 'int64' ? { int64Data: [...numbers] } : { int32Data: [...numbers] });
  return onnxProto.onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 13 }, { domain: 'com.microsoft', version: 1 }],
    graph: {
      name: 'test',
      node: nodes.map(({ operator, inputs, outputs, attributes = {}, domain = '' }) => ({
        opType: operator,
        domain,
        input: [...inputs],
        output: [...outputs],
        attribute: Object.entries(attributes).map(([name, given]) => (typeof given !== 'number' ? { name, type: 7, ints: [...given] } : Number.isInteger(given) ? { name, type: 2, i: given } : { name, type: 1, f: given })),
      })),
      input: [value('x', input)],
      output: [value('y', output)],
      initializer: Object.entries(constants).map(([name, constant]) => ({ name, dims: [...constant.dims], dataType: TYPES[constant.type], ...data(constant) })),
    },
  }).finish();
}
