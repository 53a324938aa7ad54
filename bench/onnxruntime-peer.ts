import onnxProto from 'onnx-proto';
import { InferenceSession, Tensor } from 'onnxruntime-node';

const { onnx } = onnxProto;
const INT8 = 3;
const INT32 = 6;

/** An int8 tensor and its dimensions. */
export interface ByteTensor { readonly dimensions: readonly number[]; readonly values: Int8Array }

/**
 * One integer operator in onnxruntime on one thread: `x` is its input, `w` its constant. Returns a function that runs it.
 * @throws what onnxruntime throws where it has no kernel for signed bytes.
 */
export async function onnxruntimeOperator(type: 'MatMulInteger' | 'ConvInteger', x: ByteTensor, w: ByteTensor, outputRank: number): Promise<() => Promise<Int32Array>> {
  const value = (name: string, elemType: number, dimensions: readonly (number | string)[]): object => ({
    name,
    type: { tensorType: { elemType, shape: { dim: dimensions.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size })) } } },
  });
  const padding = type === 'ConvInteger' ? [{ name: 'pads', type: onnx.AttributeProto.AttributeType.INTS, ints: [1, 1, 1, 1] }] : [];
  const model = onnx.ModelProto.create({
    irVersion: 7,
    opsetImport: [{ domain: '', version: 13 }],
    graph: {
      name: 'peer',
      node: [{ opType: type, input: ['x', 'w'], output: ['y'], attribute: padding }],
      initializer: [{ name: 'w', dims: [...w.dimensions], dataType: INT8, rawData: new Uint8Array(w.values.buffer, w.values.byteOffset, w.values.length) }],
      input: [value('x', INT8, x.dimensions)],
      output: [value('y', INT32, Array.from({ length: outputRank }, (_, index) => `d${index}`))],
    },
  });
  const session = await InferenceSession.create(onnx.ModelProto.encode(model).finish(), { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const feed = { x: new Tensor('int8', x.values, x.dimensions) };
  return async () => (await session.run(feed))['y']!.data as Int32Array;
}
