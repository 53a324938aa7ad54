import type { ValueType } from './conversion.ts';

/** Whether an ONNX element type (`TensorProto.DataType`) has whole numbers (truth values too). */
export const typeOfElement = (elementType: number): ValueType => ([2, 3, 4, 5, 6, 7, 9, 12, 13].includes(elementType) ? 'integer' : 'float');
