import { ImportError } from '../import-error.ts';
import { fuseLayers } from '../network/fuse.ts';
import { toNetwork } from '../onnx/import.ts';
import { layersModelGraph } from '../tensorflow-js/graph.ts';
import type { TensorFlowJsFiles } from '../tensorflow-js/graph.ts';
import { deadLeaves } from './dead-leaves.ts';
import { joined } from './random.ts';
import type { PackageReader, PackageRecipe } from './recipe.ts';

/** Width and height of the pictures that it takes. */
export const NSFWJS_SIZE = 224;

const FOLDER = 'dist/models/mobilenet_v2';
const PICTURES = 6;

/** The smallest model of the package, MobileNet v2 in the layers format of TensorFlow.js: its files are modules, the shard in base64. @throws ImportError when they are others */
export async function readNsfwjs(files: PackageReader): Promise<TensorFlowJsFiles> {
  const shard = await files.data(`${FOLDER}/group1-shard1of1.min.js`);
  if (typeof shard !== 'string') throw new ImportError('the package\'s shard of weights is no text in base64');
  return { model: await files.data(`${FOLDER}/model.min.js`), shards: decodeBase64(shard) };
}

function decodeBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch (cause) {
    throw new ImportError('the package\'s shard of weights is no text in base64', { cause });
  }
}

/** The classifier of pictures of `nsfwjs`: [224][224][3] from 0 to 1 become the probabilities of five classes. */
export const nsfwjs: PackageRecipe = {
  name: 'nsfwjs', format: 'tensorflow.js', activationBits: 16, weightBits: 16,
  read: async (files) => fuseLayers(toNetwork(layersModelGraph(await readNsfwjs(files)))),
  calibration: () => joined(Array.from({ length: PICTURES }, (_, seed) => deadLeaves(NSFWJS_SIZE, seed + 1))),
};
