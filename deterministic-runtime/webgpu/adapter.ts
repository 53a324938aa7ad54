/** Names of drivers that run on the processor; not every implementation says so in `isFallbackAdapter`. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|basic render/i;

/** An adapter in words, and whether it is a driver that runs on the processor. */
export function describeAdapter({ info }: GPUAdapter): { readonly description: string; readonly isSoftware: boolean } {
  const words = [info.vendor, info.architecture, info.device, info.description].filter((word) => word !== undefined && word !== '');
  // Dawn names the device and describes its driver; others give a number for the device and its name as the description.
  const device = (info.device ?? '').replace(/^(?:0x)?\d+$|-+$/g, '');
  const driver = info.description ?? '';
  const description = device !== '' && driver !== '' ? `${device} (${driver})` : device || driver || words.join(' ') || 'unnamed adapter';
  return { description, isSoftware: info.isFallbackAdapter === true || SOFTWARE.test(words.join(' ')) };
}
