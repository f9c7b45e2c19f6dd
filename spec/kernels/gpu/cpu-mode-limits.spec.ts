import { createGpuBackend } from '../../../kernels/gpu';
import { describeOn } from './support/device';
import { describeFailures, describeSplitting } from './support/limits';

describeOn('cpu', null, (device) => {
  describeSplitting(device);
  describeFailures(device);
});

test('an unknown level is refused, and the message has the known ones', async () => {
  await expect(createGpuBackend({ level: 'cuda' })).rejects.toMatchObject({
    name: 'KernelError',
    code: 'option-invalid',
    message: expect.stringContaining('webgpu, webgl2, headlessgl, cpu'),
  });
});
